// `tk docker` from words to docker: everything is handed on, and only a build is looked at. Without the command tree: all words
// behind `docker` are docker's, `--help` included.
import { printable } from "../lib/base/text.ts";
import { formatDiagnostic } from "../lib/config/diagnostic.ts";
import type { Override } from "../lib/config/configuration.ts";
import { DEFAULT_SETTINGS, type Settings } from "../lib/config/settings.ts";
import { asksOnly, buildsOtherwise, findBuild } from "../lib/container/build_command.ts";
import { ContainerError } from "../lib/container/container_error.ts";
import { becomeDocker, findDocker, statusOf, type Ended } from "../lib/container/docker_program.ts";
import { readSettings } from "../lib/settings/load_settings.ts";
import { EXIT, say, tellBug, tellFailure } from "./exit.ts";
import { parseExecWords } from "./exec_words.ts";
import { note } from "./tell.ts";

/** `verb`: index of the word `docker`; what stands before it are tk's flags. */
export async function main(all: readonly string[], verb: number): Promise<void> {
  try {
    await run(all.slice(0, verb), all.slice(verb + 1));
  } catch (error) {
    process.exitCode = error instanceof ContainerError ? tellFailure(error) : tellBug(error);
  }
}

async function run(before: readonly string[], words: readonly string[]): Promise<void> {
  const settings = settingsFor(before, words);
  if (settings === undefined) return;
  const docker = findDocker(settings.docker.exe, process.env);
  const place = asksOnly(words) ? undefined : findBuild(words);
  const { wrapEntrypoint } = settings.docker;
  if (place !== undefined && wrapEntrypoint) {
    const { wrappedBuild } = await import("../lib/container/wrapped_build.ts");
    const request = { docker, words, place, settings, environment: process.env, tell: note };
    const outcome = await wrappedBuild(request);
    if (outcome.retried !== undefined) {
      const { reportFailure } = await import("../lib/container/fail_report.ts");
      const failure = { words, reason: outcome.retried, status: statusOf(outcome.ended) };
      await reportFailure(settings, failure, (level, message) => note(`${level}: ${message}`));
    }
    return end(outcome.ended);
  }
  const builder = place === undefined ? buildsOtherwise(words) : "docker build";
  if (place !== undefined && !words.some((word) => /^(-\w*q\w*|--quiet(=true)?)$/.test(word)))
    note("docker: the image is built as it is; with `docker.wrap_entrypoint: true` loaded, tk would start its program");
  else if (builder !== undefined && wrapEntrypoint)
    note(`docker: ${builder} builds images as they are; only docker build and docker buildx build are wrapped`);
  end(await becomeDocker(docker, words));
}

/** As docker ended. */
function end({ status, signal, interrupted }: Ended): void {
  if (signal !== undefined) process.kill(process.pid, signal);
  process.exitCode = statusOf({ status, signal, interrupted });
}

/** Undefined: the words before `docker` were not understood. A broken configuration never stands between a user and docker. */
function settingsFor(before: readonly string[], words: readonly string[]): Settings | undefined {
  const overrides: Override[] = [];
  const rest = before.filter((word) => {
    if (word !== "--wrap" && word !== "--no-wrap") return true;
    overrides.push({ path: "docker.wrap_entrypoint", value: word === "--wrap" });
    return false;
  });
  const parsed = parseExecWords(rest);
  if (parsed.isErr()) {
    say(`tk docker: ${printable(parsed.error)}`);
    process.exitCode = EXIT.usage;
    return undefined;
  }
  const given = parsed.value;
  const loaded = readSettings({
    configFile: given.configFile,
    overrides: [...overrides, ...given.overrides],
    useLoaded: given.useEmbedded,
    useExternal: given.useExternal,
    commandName: "docker",
    commandArguments: words,
  });
  if (loaded.isErr()) {
    tellFailure(loaded.error);
    note("docker: going on without any configuration");
    return DEFAULT_SETTINGS;
  }
  for (const diagnostic of loaded.value.notes) if (diagnostic.severity === "warning") say(formatDiagnostic(diagnostic));
  return loaded.value.settings;
}
