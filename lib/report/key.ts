// The contract of a runtime key: what it is called, where it stands in a report, and how it comes from the facts.
// A key never reads anything itself: `facts` names what must have been collected, so that a heartbeat collects no more
// than its template shows. A key that cannot be known is undefined and thereby absent; it is never invented.
import type { Json } from "../base/json_value.ts";
import type { Operation, Settings } from "../config/settings.ts";
import type { Artifact } from "../mark/artifact.ts";
import type { FactName, Facts } from "./facts/facts.ts";
import type { RunIdentity } from "./run.ts";

/** `host`: the top level of a report; `artifact`: the objects inside `_CHALKS`. */
export type KeyLevel = "host" | "artifact";

/** What of the configuration decides what keys show. */
export type KeySettings = Pick<Settings, "env" | "network" | "userKeys">;

/** Everything a key may look at. */
export interface ReportContext {
  readonly operation: Operation;
  readonly run: RunIdentity;
  readonly facts: Facts;
  /** Random per action (`randomId` of build.ts); the reports that are made of one collection share it. */
  readonly actionId: string;
  /** The file behind the program, and its mark; undefined when no file could be found. */
  readonly artifact?: Artifact | undefined;
  /** 1, 2, 3, ... in heartbeat reports. */
  readonly heartbeatCount?: number | undefined;
  /** Facts of the report before this one, for differences. */
  readonly previous?: Facts | undefined;
  /** How the program ended, as wait4(2) says it, where tk is its parent. */
  readonly waitStatus?: number | undefined;
  /** Errors to tell in the report, each one sentence. */
  readonly errors?: readonly string[] | undefined;
  readonly settings: KeySettings;
}

export interface ReportKey {
  readonly id: string;
  readonly level: KeyLevel;
  /** In the words of the original: `string`, `int`, `list[string]`, `dict[string, list]`. */
  readonly type: string;
  /** `ms`, `s`, `bytes`; absent for what has no unit. */
  readonly unit?: string;
  /** Version of tk that first had it. */
  readonly since: string;
  /** One or more sentences for people: what the value is. */
  readonly doc: string;
  /** Where it comes from. */
  readonly source: string;
  /** In what tk differs from the original on purpose; absent when it does not, or when the key is tk's own. */
  readonly differs?: string;
  /** On in `report_default`. */
  readonly on: boolean;
  /** So large that `report_large` leaves it out. */
  readonly heavy?: boolean;
  /** Written even when it is an empty list, text or object. */
  readonly keepEmpty?: boolean;
  readonly facts: readonly FactName[];
  compute(context: ReportContext): Json | undefined;
}
