// A Dockerfile as stages and the few instructions that decide what a container starts. Positions are lines of the original
// bytes, which are only ever added to. The grammar is dockerfile-ast's; what a line means follows BuildKit
// (frontend/dockerfile/parser and instructions). Pure, but for loading the parser when it is needed.
import { err, ok, type Result } from "neverthrow";

export type Keyword = "ENTRYPOINT" | "CMD" | "SHELL";

export interface Instruction {
  readonly keyword: Keyword;
  /** What follows the keyword, with continuation lines joined; empty when nothing does. */
  readonly text: string;
  /** From 1, for messages. */
  readonly line: number;
}

export interface Stage {
  readonly index: number;
  /** As other stages and `--target` name it; undefined without AS. */
  readonly name: string | undefined;
  /** What stands behind FROM, variables and all. */
  readonly base: string;
  /** The value of FROM's --platform. */
  readonly platform: string | undefined;
  readonly instructions: readonly Instruction[];
  /** What ONBUILD keeps for stages and images that are built on this one. */
  readonly onBuild: readonly Instruction[];
  /** The line (from 0) behind its last instruction: where more may be added. */
  readonly end: number;
}

/** An ARG before the first FROM. */
export interface GlobalArgument {
  readonly name: string;
  readonly value: string | undefined;
}

export interface Dockerfile {
  readonly stages: readonly Stage[];
  readonly globals: readonly GlobalArgument[];
  /** The value of `# syntax=`, or of BUILDKIT_SYNTAX; undefined without. */
  readonly syntax: string | undefined;
  /** The character that continues a line. */
  readonly escape: string;
}

/** Larger ones are not looked at: nobody writes them, and the parser's time grows with the square of heredocs. */
export const MAX_DOCKERFILE = 1 << 18;

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * The error is a clause that says why not, such as `it holds a NUL character`. `syntax` is the command line's, which wins over
 * what the file itself says.
 */
export async function parseDockerfile(bytes: Uint8Array, syntax?: string): Promise<Result<Dockerfile, string>> {
  if (bytes.length > MAX_DOCKERFILE) return err(`it is larger than ${MAX_DOCKERFILE >> 10} KiB`);
  if (bytes.includes(0)) return err("it holds a NUL character");
  let text: string;
  try {
    text = decoder.decode(bytes).replaceAll("\r\n", "\n");
  } catch {
    return err("it is not UTF-8");
  }
  if (text.includes("\r")) return err("it holds a carriage return within a line");
  const { DockerfileParser } = await import("dockerfile-ast");
  let parsed: ReturnType<typeof DockerfileParser.parse>;
  try {
    parsed = DockerfileParser.parse(text);
  } catch (error) {
    return err(`it could not be parsed (${error instanceof Error ? error.message : String(error)})`);
  }
  const escape = parsed.getEscapeCharacter();
  const language = syntax ?? syntaxOf(text, parsed.getDirectives());
  if (language !== undefined && !/^(docker\.io\/)?docker\/dockerfile(-upstream)?(:|@|$)/.test(language))
    return err(`it is in the language of '${language}'`);
  return toStages(parsed.getInstructions(), escape, text.split("\n")).map(({ stages, globals }) => ({
    stages,
    globals,
    escape,
    syntax: language,
  }));
}

/** `# syntax=` counts only at the very beginning; a first line `#!...` may come before it. */
function syntaxOf(text: string, directives: readonly { getName(): string; getValue(): string }[]): string | undefined {
  const directive = directives.find((d) => d.getName().toLowerCase() === "syntax");
  if (directive !== undefined) return directive.getValue();
  return /^#!.*\n#[ \t]*syntax[ \t]*=[ \t]*(\S+)/i.exec(text)?.[1];
}

/** What dockerfile-ast knows of an instruction. */
interface Parsed {
  getKeyword(): string;
  getRange(): { readonly start: { readonly line: number }; readonly end: { readonly line: number } };
}

type From = Omit<Stage, "instructions" | "onBuild" | "end">;

interface OpenStage {
  readonly from: From;
  readonly instructions: Instruction[];
  readonly onBuild: Instruction[];
  end: number;
}

function toStages(
  instructions: readonly Parsed[],
  escape: string,
  lines: readonly string[],
): Result<{ stages: Stage[]; globals: GlobalArgument[] }, string> {
  const stages: OpenStage[] = [];
  const globals: GlobalArgument[] = [];
  for (const parsed of instructions) {
    const { start, end } = parsed.getRange();
    const keyword = parsed.getKeyword().toUpperCase();
    const text = READ.has(keyword) ? joinedText(lines, start.line, end.line, escape) : "";
    if (keyword === "FROM") {
      const from = parseFrom(text, stages.length);
      if (from === undefined) return err(`line ${start.line + 1}: FROM names no image`);
      stages.push({ from, instructions: [], onBuild: [], end: end.line + 1 });
      continue;
    }
    const open = stages.at(-1);
    if (open === undefined) {
      if (keyword === "ARG") globals.push(...parseArguments(text));
      continue;
    }
    open.end = end.line + 1;
    if (isKeyword(keyword)) open.instructions.push({ keyword, text, line: start.line + 1 });
    if (keyword === "ONBUILD") {
      const [, inner = "", rest = ""] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
      const name = inner.toUpperCase();
      if (isKeyword(name)) open.onBuild.push({ keyword: name, text: rest.trim(), line: start.line + 1 });
    }
    if (end.line === lines.length - 1 && continues(lines[end.line]!, escape))
      return err("its last line is continued, and nothing follows");
  }
  if (stages.length === 0) return err("it has no FROM");
  return ok({
    globals,
    stages: stages.map(({ from, instructions, onBuild, end }) => ({ ...from, instructions, onBuild, end })),
  });
}

function isKeyword(word: string): word is Keyword {
  return word === "ENTRYPOINT" || word === "CMD" || word === "SHELL";
}

/** One escape character before the end, and not two: those stand for the character itself. */
function continues(line: string, escape: string): boolean {
  const trimmed = line.replace(/[ \t]+$/, "");
  return trimmed.endsWith(escape) && !trimmed.endsWith(escape + escape) && !/^\s*#/.test(line);
}

/** Instructions whose text is looked at. */
const READ: ReadonlySet<string> = new Set(["FROM", "ARG", "ENTRYPOINT", "CMD", "SHELL", "ONBUILD"]);

/**
 * What stands behind the keyword, as BuildKit joins lines: nothing between them, comments and empty lines left out. Not
 * taken from dockerfile-ast, which keeps flags apart and is less exact about blanks behind the escape character.
 */
function joinedText(lines: readonly string[], from: number, to: number, escape: string): string {
  let text = "";
  for (const line of lines.slice(from, to + 1)) {
    if (text !== "" && (/^\s*#/.test(line) || line.trim() === "")) continue;
    text += continues(line, escape) ? line.replace(/[ \t]+$/, "").slice(0, -1) : line;
  }
  return text.trim().replace(/^\S+\s*/, "");
}

/** `--platform=$BUILDPLATFORM alpine:3 AS build`; undefined without an image. */
function parseFrom(text: string, index: number): From | undefined {
  const words = text.split(/\s+/).filter((word) => word !== "");
  let platform: string | undefined;
  while (words[0]?.startsWith("--") === true) {
    const flag = words.shift()!;
    if (flag.startsWith("--platform=")) platform = flag.slice("--platform=".length);
  }
  const base = words[0];
  if (base === undefined) return undefined;
  const name = words[1]?.toUpperCase() === "AS" ? words[2]?.toLowerCase() : undefined;
  return { index, name, base, platform };
}

/** `A=1 B="two words" C`. */
function parseArguments(text: string): GlobalArgument[] {
  const out: GlobalArgument[] = [];
  for (const [, name, , double, single, plain] of text.matchAll(
    /([A-Za-z_]\w*)(=("((?:[^"\\]|\\.)*)"|'([^']*)'|\S*))?/g,
  ))
    out.push({ name: name!, value: double === undefined && single === undefined ? plain : (double ?? single) });
  return out;
}

/** The stage that is built: the last one, or the one that `--target` names or counts. */
export function targetStage(file: Dockerfile, target: string | undefined): Result<Stage, string> {
  if (target === undefined || target === "") return ok(file.stages.at(-1)!);
  const named = file.stages.findLast((stage) => stage.name === target.toLowerCase());
  const counted = /^\d+$/.test(target) ? file.stages[Number(target)] : undefined;
  const stage = named ?? counted;
  return stage === undefined ? err(`it has no stage '${target}'`) : ok(stage);
}

/** The earlier stage that a FROM means; undefined when it means an image. */
export function parentStage(file: Dockerfile, stage: Stage, base: string): Stage | undefined {
  return file.stages.slice(0, stage.index).findLast((earlier) => earlier.name === base.toLowerCase());
}

/** The same bytes with lines added behind the stage. Lines end as the file's do not: BuildKit takes both. */
export function addToStage(bytes: Uint8Array, stage: Stage, lines: readonly string[]): Uint8Array {
  let at = 0;
  for (let n = 0; n < stage.end && at < bytes.length; n++) {
    const newline = bytes.indexOf(10, at);
    at = newline < 0 ? bytes.length : newline + 1;
  }
  const onOwnLine = at === 0 || bytes[at - 1] === 10;
  const added = Buffer.from(`${onOwnLine ? "" : "\n"}${lines.join("\n")}\n`, "utf8");
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)]);
}
