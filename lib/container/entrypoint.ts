// What a container of a stage starts, across its parents down to the base image, and what is written instead of it so that tk
// starts it. The table is the reference's; docs/containers.md has it with examples. Pure.
import { err, ok, type Result } from "neverthrow";
import type { Instruction } from "./dockerfile.ts";
import { BINARY_IN_IMAGE } from "./portable.ts";

/** The part of an image's configuration that decides what is started. Undefined: not set. */
export interface StartConfig {
  readonly entrypoint: readonly string[] | undefined;
  readonly cmd: readonly string[] | undefined;
  readonly shell: readonly string[] | undefined;
}

/** A stage's own instructions applied to what it is built on. */
export interface StageStart extends StartConfig {
  /** The stage itself has a CMD, so that a new ENTRYPOINT leaves it alone. */
  readonly cmdIsOwn: boolean;
  /** Where the last ENTRYPOINT or CMD stands, for messages; undefined when they come from below. */
  readonly line: number | undefined;
}

export const NOTHING_SET: StartConfig = { entrypoint: undefined, cmd: undefined, shell: undefined };

const DEFAULT_SHELL: readonly string[] = ["/bin/sh", "-c"];

/** The words of `["a", "b"]`; undefined when it is not exactly a list of strings, and so shell form. */
export function execForm(text: string): readonly string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((word) => typeof word === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Instructions in order, as BuildKit applies them. */
export function applyStage(below: StartConfig, instructions: readonly Instruction[]): StageStart {
  let { entrypoint, cmd, shell } = below;
  let cmdIsOwn = false;
  let line: number | undefined;
  for (const instruction of instructions) {
    const words = execForm(instruction.text);
    const started = words ?? [...(shell ?? DEFAULT_SHELL), instruction.text];
    switch (instruction.keyword) {
      case "SHELL":
        if (words !== undefined && words.length > 0) shell = words;
        break;
      case "CMD":
        cmd = started;
        cmdIsOwn = true;
        line = instruction.line;
        break;
      case "ENTRYPOINT":
        entrypoint = started;
        line = instruction.line;
        // A CMD from below was meant for the entrypoint from below.
        if (!cmdIsOwn) cmd = undefined;
        break;
    }
  }
  return { entrypoint, cmd, shell, cmdIsOwn, line };
}

export interface WrapPolicy {
  /** docker.wrap_cmd */
  readonly wrapCmd: boolean;
  /** exec.command_name_from_args */
  readonly commandNameFromArgs: boolean;
}

/** Lines to add to the stage; none when it is wrapped already. The error is a clause: why it cannot be wrapped. */
export function wrapStart(start: StageStart, policy: WrapPolicy): Result<readonly string[], string> {
  if (!policy.commandNameFromArgs) return err("exec.command_name_from_args is false");
  const { entrypoint, cmd } = start;
  const hasCmd = cmd !== undefined && cmd.length > 0;
  if (entrypoint === undefined) {
    if (!hasCmd) return err("there is neither an ENTRYPOINT nor a CMD");
    if (!policy.wrapCmd) return err("there is only a CMD, and docker.wrap_cmd is false");
    return ok(lines([BINARY_IN_IMAGE, "exec", "--"], start.cmdIsOwn ? undefined : cmd));
  }
  if (isWrapped(entrypoint)) return ok([]);
  if (entrypoint.length === 0 || (entrypoint.length === 1 && entrypoint[0] === ""))
    return ok(lines([BINARY_IN_IMAGE, "exec", "--"], hasCmd ? cmd : undefined));
  const [name, ...rest] = entrypoint;
  if (name!.trim() === "") return err("the first word of its ENTRYPOINT is blank");
  return ok(lines([BINARY_IN_IMAGE, "exec", "--exec-command-name", name!, "--", ...rest], hasCmd ? cmd : undefined));
}

function isWrapped(entrypoint: readonly string[]): boolean {
  return (entrypoint[0] === BINARY_IN_IMAGE || entrypoint[0] === "/chalk") && entrypoint[1] === "exec";
}

function lines(entrypoint: readonly string[], cmd: readonly string[] | undefined): string[] {
  const out = [`ENTRYPOINT ${JSON.stringify(entrypoint)}`];
  if (cmd !== undefined) out.push(`CMD ${JSON.stringify(cmd)}`);
  return out;
}
