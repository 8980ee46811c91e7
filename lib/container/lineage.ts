// From the stage that is built down to the image at the bottom, and what a container of it would start. Pure but for the one
// question about that image.
import { err, ok, type Result } from "neverthrow";
import { baseStart, usesInheritedShell, type Ask } from "./base_image.ts";
import type { BuildCommand } from "./build_command.ts";
import { parentStage, type Dockerfile, type Instruction, type Stage } from "./dockerfile.ts";
import { applyStage, NOTHING_SET, type StageStart, type StartConfig } from "./entrypoint.ts";
import { fromVariables, substitute } from "./substitution.ts";

export interface Lineage {
  /** What each stage does to what is started, the bottom one first; the last one is the stage that is built. */
  readonly steps: readonly (readonly Instruction[])[];
  /** The image at the bottom; undefined when its name has variables that only the builder knows. */
  readonly image: string | undefined;
  /** The platform it is taken for. */
  readonly platform: string;
}

export interface Platforms {
  readonly build: string;
  readonly target: string;
}

export function lineageOf(
  file: Dockerfile,
  target: Stage,
  given: ReadonlyMap<string, string>,
  platforms: Platforms,
): Lineage {
  const variables = fromVariables(file.globals, given, platforms, file.escape);
  const steps: (readonly Instruction[])[] = [];
  let stage = target;
  for (;;) {
    const base = substitute(stage.base, variables, file.escape);
    const parent = base === undefined ? undefined : parentStage(file, stage, base);
    steps.unshift([...(parent?.onBuild ?? []), ...stage.instructions]);
    if (parent === undefined) {
      const platform = stage.platform === undefined ? undefined : substitute(stage.platform, variables, file.escape);
      return { steps, image: base, platform: platform === undefined || platform === "" ? platforms.target : platform };
    }
    stage = parent;
  }
}

function startOver(below: StartConfig, lineage: Lineage): StageStart {
  let start: StageStart = { ...below, cmdIsOwn: false, line: undefined };
  for (const instructions of lineage.steps) start = applyStage(start, instructions);
  return start;
}

/** What a container would start. The error is a clause: what is not known. */
export async function startOf(lineage: Lineage, command: BuildCommand, ask: Ask): Promise<Result<StageStart, string>> {
  const alone = startOver(NOTHING_SET, lineage);
  const needed = alone.entrypoint === undefined;
  if (!needed && !usesInheritedShell(lineage.steps.flat())) return ok(alone);
  const below = await imageStart(lineage, command, needed, ask);
  if (below !== undefined) return ok(startOver(below, lineage));
  if (!needed) return ok(alone);
  const name = lineage.image === undefined ? "its base image" : `the base image '${lineage.image}'`;
  return err(`it has no ENTRYPOINT, and whether ${name} has one is not known; \`docker pull\` it first`);
}

async function imageStart(
  lineage: Lineage,
  command: BuildCommand,
  remote: boolean,
  ask: Ask,
): Promise<StartConfig | undefined> {
  if (lineage.image === undefined) return undefined;
  let image = lineage.image;
  const replaced = command.contexts.get(image);
  if (replaced !== undefined) {
    // --build-context alpine=...: something else under this name.
    if (!replaced.startsWith("docker-image://")) return undefined;
    image = replaced.slice("docker-image://".length);
  }
  return baseStart({ image, platform: lineage.platform, pull: command.pull, remote }, command.globals, ask);
}
