// The report of a build that had to be run again as it was asked for: published on topic `fail`, which nobody has subscribed to
// unless a configuration does. Never changes how the build ended.
import type { LogLevel, Settings } from "../config/settings.ts";
import { monotonicNs } from "../host/clock.ts";
import { buildReport, randomId } from "../report/build.ts";
import { collectFacts } from "../report/facts/collect.ts";
import { resolveTemplate, templateProblemText } from "../report/template.ts";
import { openSinks } from "../sink/fan_out.ts";

const TOPIC = "fail";

export interface Failure {
  /** What was typed behind `docker`. */
  readonly words: readonly string[];
  /** Why the first build did not do. */
  readonly reason: string;
  readonly status: number;
}

export async function reportFailure(
  settings: Settings,
  failure: Failure,
  tell: (level: LogLevel, message: string) => void,
): Promise<void> {
  const { logSearchPath } = settings;
  const world = { directory: process.cwd(), environment: process.env, logSearchPath, stdout: 1, stderr: 2, tell };
  const sinks = openSinks(settings, world);
  if (!sinks.listens(TOPIC)) return;
  const keys = resolveTemplate(settings.outconf.docker.reportTemplate, settings);
  if (keys.isErr()) return tell("error", templateProblemText(keys.error));
  const words = failure.words.map(withoutValue);
  const report = buildReport(
    {
      operation: "docker",
      run: {
        execId: randomId(),
        startedUnixMs: Math.floor(Date.now() - performance.now()),
        startedMonotonicMs: monotonicNs() / 1e6 - performance.now(),
        toolPid: process.pid,
        toolPath: process.execPath,
        words: ["docker", ...words],
        positional: words,
        flags: [],
        exitCode: failure.status,
      },
      facts: collectFacts({ pid: process.pid, facts: keys.value.facts }),
      actionId: randomId(),
      settings,
    },
    keys.value,
    true,
  );
  // The template is that of any docker command; why this one was run again is what the reader wants to know.
  await sinks.publish(TOPIC, "docker", { ...report, _OP_ERRORS: [failure.reason] });
  await sinks.close();
}

/** Values of build arguments may be secrets. */
function withoutValue(word: string, at: number, all: readonly string[]): string {
  const isValue = all[at - 1] === "--build-arg";
  const match = isValue ? /^([^=]*=)[^]/.exec(word) : /^(--build-arg=[^=]*=)[^]/.exec(word);
  return match === null ? word : `${match[1]}<<redact>>`;
}
