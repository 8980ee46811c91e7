// What is added to a Dockerfile so that tk starts the image's program: the files, and another ENTRYPOINT. Decides; reads and
// runs nothing itself.
import { err, ok, Result } from "neverthrow";
import type { Ask } from "./base_image.ts";
import type { BuildCommand } from "./build_command.ts";
import type { Settings } from "../config/settings.ts";
import { addToStage, parseDockerfile, targetStage, type Dockerfile } from "./dockerfile.ts";
import { wrapStart } from "./entrypoint.ts";
import { IN_IMAGE } from "./image_files.ts";
import { lineageOf, startOf, type Platforms } from "./lineage.ts";

export interface WrapPlan {
  /** The changed Dockerfile, given where the files come from: the name of a build context or an image. */
  readonly dockerfile: (source: string) => Uint8Array;
  /** Platforms whose files are needed, as `linux/amd64`. */
  readonly platforms: readonly string[];
  /** A name for the files that no stage has. */
  readonly source: string;
  /** The Dockerfile's own `# syntax=` is too old for named build contexts. */
  readonly oldSyntax: boolean;
  readonly notes: readonly string[];
}

type WrapSettings = Pick<Settings, "docker" | "exec">;

/** The error is a clause: why the image cannot be wrapped. Undefined: it is wrapped already. */
export async function planWrap(
  bytes: Uint8Array,
  command: BuildCommand,
  settings: WrapSettings,
  builder: { readonly platform: string; readonly defaultTarget: string },
  ask: Ask,
): Promise<Result<WrapPlan | undefined, string>> {
  const parsed = await parseDockerfile(bytes, command.arguments.get("BUILDKIT_SYNTAX"));
  if (parsed.isErr()) return err(`its Dockerfile was not understood: ${parsed.error}`);
  const file = parsed.value;
  const target = targetStage(file, command.target);
  if (target.isErr()) return err(target.error);
  const stage = target.value;

  const targets = command.platforms.length > 0 ? command.platforms : [builder.defaultTarget];
  const variants: { readonly lines: readonly string[]; readonly platform: string }[] = [];
  for (const wanted of new Set(targets.map(normalisePlatform))) {
    const platforms: Platforms = { build: builder.platform, target: wanted };
    const lineage = lineageOf(file, stage, command.arguments, platforms);
    const start = await startOf(lineage, command, ask);
    if (start.isErr()) return err(start.error);
    const lines = wrapStart(start.value, {
      wrapCmd: settings.docker.wrapCmd,
      commandNameFromArgs: settings.exec.commandNameFromArgs,
    });
    if (lines.isErr()) return err(lines.error);
    variants.push({ lines: lines.value, platform: osAndArch(normalisePlatform(lineage.platform)) });
  }
  const [first, ...others] = variants;
  if (others.some((other) => other.lines.join("\n") !== first!.lines.join("\n")))
    return err("what it starts differs between platforms");
  if (first!.lines.length === 0) return ok(undefined);

  const platforms = [...new Set(variants.map((variant) => variant.platform))];
  if (platforms.some((platform) => !platform.startsWith("linux/"))) return err("it is not for Linux");
  const extra = labelsAndVariables(settings.docker, file.escape);
  const lines = (source: string) => [
    "# tk: from here to the end of the stage, so that tk starts the program",
    ...copies(source, platforms),
    ...extra.lines,
    ...first!.lines,
    "# tk: end",
  ];
  return ok({
    dockerfile: (source) => addToStage(bytes, stage, lines(source)),
    platforms,
    source: freeName(file, command),
    oldSyntax: file.syntax !== undefined && isOld(file.syntax),
    notes: extra.notes,
  });
}

/** Named build contexts came with version 1.4 of the Dockerfile syntax. */
function isOld(syntax: string): boolean {
  const tag = /:([^@]*)/.exec(syntax.replace(/^.*\//, ""))?.[1] ?? "";
  const version = /^1\.(\d+)/.exec(tag);
  return version === null ? tag.startsWith("experimental") : Number(version[1]) < 4;
}

const SAME_PROCESSOR: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** Platforms as the builder writes them. */
export function normalisePlatform(platform: string): string {
  const [os = "", arch = "", ...variant] = platform.toLowerCase().split("/");
  // A name alone is a processor for Linux.
  if (arch === "") return os === "linux" ? platform : `linux/${SAME_PROCESSOR[os] ?? os}`;
  return [os, SAME_PROCESSOR[arch] ?? arch, ...variant].join("/");
}

function osAndArch(platform: string): string {
  return platform.split("/").slice(0, 2).join("/");
}

/** COPY needs no program in the image, takes effect as root whatever USER says, and keeps the modes of the files. */
function copies(source: string, platforms: readonly string[]): string[] {
  const several = platforms.length > 1;
  const folder = several ? "/linux/${TARGETARCH}" : `/${platforms[0]!}`;
  return [
    ...(several ? ["ARG TARGETARCH"] : []),
    ...IN_IMAGE.map((path) => `COPY --from=${source} ${folder}${path} ${path}`),
  ];
}

function freeName(file: Dockerfile, command: BuildCommand): string {
  const taken = new Set([...file.stages.map((stage) => stage.name), ...command.contexts.keys()]);
  let name = "tk-files";
  for (let n = 2; taken.has(name); n++) name = `tk-files-${n}`;
  return name;
}

function labelsAndVariables(docker: Settings["docker"], escape: string): { lines: string[]; notes: string[] } {
  const lines: string[] = [];
  const notes: string[] = [];
  const add = (instruction: string, name: string, value: string) => {
    if (!/^[\w.-]+$/.test(name) || /[\r\n\0]/.test(value))
      notes.push(`${instruction} '${name}' is left out: it cannot be written`);
    else lines.push(`${instruction} ${name}=${quote(value, escape)}`);
  };
  for (const [name, value] of Object.entries(docker.customLabels)) add("LABEL", docker.labelPrefix + name, value);
  for (const [name, value] of Object.entries(docker.additionalEnvVars)) add("ENV", name, value);
  return { lines, notes };
}

/** A word that the builder reads back as it is: quoted, nothing in it replaced. */
function quote(value: string, escape: string): string {
  return `"${value.replaceAll(/["$\\`]/g, (c) => (c === '"' || c === "$" || c === escape ? escape + c : c))}"`;
}
