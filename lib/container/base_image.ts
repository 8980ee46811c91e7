// What a base image starts, asked of docker: first of the images that are here, then of the registry. Neither is an answer
// that can be relied on to come: no daemon, no buildx, no network.
import { applyStage, execForm, NOTHING_SET, type StartConfig } from "./entrypoint.ts";

/** Asks docker; undefined when it fails. */
export type Ask = (words: readonly string[]) => Promise<string | undefined>;

export interface BaseQuestion {
  /** As FROM names it, variables replaced. */
  readonly image: string;
  /** `linux/amd64`. */
  readonly platform: string;
  /** --pull: what is here does not count. */
  readonly pull: boolean;
  /** Also the registry; else only what is here. */
  readonly remote: boolean;
}

/** Undefined: nobody knows. */
export async function baseStart(
  question: BaseQuestion,
  globals: readonly string[],
  ask: Ask,
): Promise<StartConfig | undefined> {
  if (question.image === "scratch") return NOTHING_SET;
  // A name that docker would read as a flag.
  if (question.image === "" || question.image.startsWith("-")) return undefined;
  const local = async () => localStart(await ask([...globals, "image", "inspect", question.image]), question.platform);
  if (!question.pull) {
    const found = await local();
    if (found !== undefined) return found;
  }
  if (!question.remote) return undefined;
  const words = [...globals, "buildx", "imagetools", "inspect", "--format", "{{json .Image}}", question.image];
  const found = remoteStart(await ask(words), question.platform);
  return found ?? (question.pull ? await local() : undefined);
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `docker image inspect`: a list of one. */
function localStart(text: string | undefined, platform: string): StartConfig | undefined {
  const list = parse(text);
  const image = Array.isArray(list) ? fieldsOf(list[0]) : undefined;
  if (image === undefined) return undefined;
  const [os, arch] = platform.split("/");
  // Another platform's image of the same name.
  if (image["Os"] !== os || image["Architecture"] !== arch) return undefined;
  return startOf(fieldsOf(image["Config"]) ?? {});
}

/** `docker buildx imagetools inspect`: one image, or images by platform. */
function remoteStart(text: string | undefined, platform: string): StartConfig | undefined {
  const answer = fieldsOf(parse(text));
  if (answer === undefined) return undefined;
  const [os, arch] = platform.split("/");
  const fitting = Object.entries(answer).filter(([name]) => name === platform || name.startsWith(`${platform}/`));
  const exact = fitting.find(([name]) => name === platform) ?? fitting[0];
  const image = fieldsOf(exact?.[1]) ?? (answer["architecture"] === arch && answer["os"] === os ? answer : undefined);
  return image === undefined ? undefined : startOf(fieldsOf(image["config"]) ?? {});
}

function words(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((word) => typeof word === "string") ? value : undefined;
}

/** An image configuration; its ONBUILD instructions come before those of the stage. */
function startOf(config: Fields): StartConfig | undefined {
  const nonEmpty = (value: unknown) => {
    const list = words(value);
    return list === undefined || list.length === 0 ? undefined : list;
  };
  const start: StartConfig = {
    entrypoint: nonEmpty(config["Entrypoint"]),
    cmd: nonEmpty(config["Cmd"]),
    shell: nonEmpty(config["Shell"]),
  };
  const triggers = (words(config["OnBuild"]) ?? []).flatMap((trigger) => {
    const [, keyword = "", text = ""] = /^\s*(\w+)\s*([^]*)$/.exec(trigger) ?? [];
    const name = keyword.toUpperCase();
    return name === "ENTRYPOINT" || name === "CMD" || name === "SHELL"
      ? [{ keyword: name, text: text.trim(), line: 0 } as const]
      : [];
  });
  if (triggers.length === 0) return start;
  // A stage's own CMD is told from one from below by who wrote it; this one is the stage's, but repeating it does no harm.
  const { entrypoint, cmd, shell } = applyStage(start, triggers);
  return { entrypoint, cmd, shell };
}

/** Whether the stage's start depends on the shell of what it is built on. */
export function usesInheritedShell(
  instructions: readonly { readonly keyword: string; readonly text: string }[],
): boolean {
  for (const { keyword, text } of instructions) {
    if (keyword === "SHELL") return false;
    if (execForm(text) === undefined) return true;
  }
  return false;
}
