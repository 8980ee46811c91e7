// What `tk dump` does once its words are understood.
import { Effect } from "effect";
import { openDestination } from "../lib/host/destination.ts";
import { OutputError } from "../lib/host/out.ts";
import { ConfigError } from "../lib/settings/config_error.ts";
import { type DumpKind, dumpText, readLoaded } from "../lib/settings/dump.ts";

export interface DumpCommand {
  /** A file, or what is to be shown. */
  readonly what: string | undefined;
}

const KINDS: readonly DumpKind[] = ["cache", "params", "all"];

export const run = (c: DumpCommand): Effect.Effect<void, ConfigError | OutputError> =>
  Effect.suspend(() => {
    const kind = KINDS.find((k) => k === c.what);
    try {
      const text = dumpText(readLoaded(process.env), kind ?? "uses");
      const destination = openDestination(kind === undefined ? c.what : undefined);
      destination.out.text(text);
      destination.commit();
      return Effect.void;
    } catch (error) {
      if (error instanceof ConfigError || error instanceof OutputError) return Effect.fail(error);
      throw error;
    }
  });
