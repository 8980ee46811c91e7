// tk exec from understood words to a running program: everything that can be refused is looked at first, then the reporter
// is started, then tk becomes the program (or its parent). Comes back only when tk stays: with how the program ended.
import type { Attempt } from "../capture/launch/become.ts";
import { learnInherited, type Inherited } from "../capture/launch/inherited.ts";
import { makeHeader } from "../capture/header.ts";
import type { LogLevel, Operation, Settings } from "../config/settings.ts";
import { TERMINAL_REPORT } from "../config/settings.ts";
import { GENERATOR } from "../base/version.ts";
import { Clock, monotonicNs } from "../host/clock.ts";
import { closeFile, isTerminal, latin1, O_CREAT, O_WRONLY, openFile, truncateFile } from "../host/descriptors.ts";
import { errnoText } from "../host/errno.ts";
import { NoKernel, openKernel } from "../host/kernel.ts";
import { Block } from "../host/memory.ts";
import { NR } from "../host/syscalls.ts";
import type { ExitStatus } from "../model/status.ts";
import { randomId } from "../report/build.ts";
import type { RunIdentity } from "../report/run.ts";
import { attemptsFor, expectedAttempt, programWords, type Wanted } from "./command.ts";
import { currentDirectory } from "./directory.ts";
import { aboveStandard } from "../host/pipes.ts";
import { commandError, ExecError } from "./exec_error.ts";
import { ownStderr } from "./messages.ts";
import type { Output, OutputFormat } from "./output.ts";
import type { Plan } from "./plan.ts";
import { COMMAND_TOPIC, wantedReports, type WantedReport } from "./reports.ts";
import { makeExecPipe, startReporter, type ExecPipe } from "./start_reporter.ts";
import { takePlace } from "./take_place.ts";

export interface ExecOptions {
  readonly wanted: Wanted;
  readonly settings: Settings;
  /** As the reporter is to be told, so that it comes to the same settings. */
  readonly request: unknown;
  /** -o and --format; undefined: only the configured sinks. */
  readonly output: { readonly path: string | undefined; readonly format: OutputFormat } | undefined;
  readonly run: Pick<RunIdentity, "words" | "positional" | "flags" | "configText" | "audit" | "startedUnixMs"> & {
    readonly startedMonotonicMs: number;
  };
  readonly tell: (level: LogLevel, message: string) => void;
}

const O_APPEND = 0o2000;
const STDOUT = 1;
const STDERR = 2;
const OPERATIONS: readonly Operation[] = ["exec", "heartbeat"];
const decoder = new TextDecoder();

/** Which console shows reports to a person; undefined when there is none. */
export function terminalConsole(): "stdout" | "stderr" | undefined {
  return isTerminal(STDOUT) ? "stdout" : isTerminal(STDERR) ? "stderr" : undefined;
}

export async function exec(options: ExecOptions): Promise<ExitStatus> {
  requireKernel();
  const inherited = learnInherited();
  const { settings } = options;
  const { name, args } = programWords(options.wanted, settings.exec);
  const attempts = attemptsFor(name, settings.exec, inherited.environment);
  const expected = expectedAttempt(name, attempts);
  const reports = reportsFor(settings, options.output !== undefined);
  const output = options.output === undefined ? undefined : openOutput(options.output, [name, ...args]);
  const isChosen = Math.random() * 100 < settings.exec.reportingProbability;
  const start: Start = {
    options,
    inherited,
    attempts,
    expected,
    name,
    args,
    reports: isChosen ? reports : [],
    output,
    programStdout: output?.fd === STDOUT ? STDERR : undefined,
  };
  if (settings.exec.chalkAsParent) return (await import("./as_parent.ts")).startAsParent(start);
  return startInPlace(start);
}

/** Everything that is known before anything has been started. */
export interface Start {
  readonly options: ExecOptions;
  readonly inherited: Inherited;
  readonly attempts: readonly Attempt[];
  readonly expected: Attempt;
  readonly name: Uint8Array;
  readonly args: readonly Uint8Array[];
  /** Empty: nobody wants a report, so there is no reporter. */
  readonly reports: readonly WantedReport[];
  readonly output: Output | undefined;
  /** What the program gets as its standard output; undefined: ours. */
  readonly programStdout: number | undefined;
}

function requireKernel(): void {
  try {
    openKernel();
  } catch (error) {
    if (!(error instanceof NoKernel)) throw error;
    throw new ExecError({ _tag: "Unsupported", what: error.message });
  }
}

/** All reports that this run may make and that somebody gets. */
function reportsFor(settings: Settings, hasOutput: boolean): WantedReport[] {
  const operations = settings.exec.heartbeat.run ? OPERATIONS : OPERATIONS.slice(0, 1);
  return operations
    .flatMap((operation) => wantedReports(settings, operation, terminalConsole() !== undefined))
    .filter(({ topic }) => consolesOf(settings, topic).length > 0 || (hasOutput && topic === COMMAND_TOPIC));
}

/** Types of the sinks that a topic reaches. */
function consolesOf(settings: Settings, topic: string): string[] {
  const names =
    topic === TERMINAL_REPORT
      ? settings.terminalReport.sinkConfigs
      : (settings.customReports.find((report) => report.name === topic)?.sinkConfigs ??
        settings.subscriptions.filter((s) => s.topic === topic).map((s) => s.config));
  return names.flatMap((name) => {
    const config = settings.sinkConfigs.get(name);
    return config === undefined || !config.enabled || config.sink === "" ? [] : [config.sink];
  });
}

function openOutput(asked: NonNullable<ExecOptions["output"]>, argv: readonly Uint8Array[]): Output {
  const path = asked.path === undefined || asked.path === "-" ? undefined : asked.path;
  let fd = STDOUT;
  if (path !== undefined) {
    // What root's programs are given may hold secrets.
    const mode = openKernel().call(NR.geteuid) === 0 ? 0o600 : 0o666;
    fd = aboveStandard(openFile(path, O_WRONLY | O_CREAT | O_APPEND, mode));
    if (fd < 0) throw new ExecError({ _tag: "OutputRefused", path, errno: -fd });
    truncateFile(fd);
  }
  const clock = new Clock();
  const header =
    asked.format === "json"
      ? undefined
      : makeHeader({
          generator: GENERATOR,
          backend: "exec",
          rootPid: process.pid,
          argv,
          limits: ["reports about the program only: its processes are not recorded"],
          clock,
        });
  return {
    fd,
    format: asked.format,
    path: path ?? "standard output",
    zero: monotonicNs() - clock.now(),
    ...(header === undefined ? {} : { header }),
  };
}

/** What the reporter is told, for a program with this pid. */
export function planFor(start: Start, programPid: number, asParent: boolean): Omit<Plan, "look" | "handle"> {
  const { options, output, reports, expected } = start;
  const uses = (console: string) => reports.some(({ topic }) => consolesOf(options.settings, topic).includes(console));
  const stderr = ownStderr(process.env["JOURNAL_STREAM"]);
  return {
    programPid,
    run: {
      ...options.run,
      execId: randomId(),
      toolPid: process.pid,
      toolPath: process.execPath,
      commandPath: absolute(expected.file),
    },
    keepsStdout: uses("stdout") || output?.fd === STDOUT,
    keepsStderr: asParent || uses("stderr") || stderr?.hasReader !== true,
    ...(stderr === undefined ? {} : { stderr }),
    ...(output === undefined ? {} : { output: asParent && output.header ? withRoot(output, programPid) : output }),
    asParent,
    adopted: isReaper(),
    request: options.request,
  };
}

function withRoot(output: Output, pid: number): Output {
  return output.header === undefined ? output : { ...output, header: { ...output.header, root_pid: pid } };
}

function absolute(file: Uint8Array): string {
  const path = decoder.decode(file);
  return path.startsWith("/") ? path : `${currentDirectory()}/${path}`;
}

/** Whether orphans become our children: pid 1 of a container, or a subreaper. */
function isReaper(): boolean {
  const kernel = openKernel();
  if (kernel.call(NR.getpid) === 1) return true;
  const PR_GET_CHILD_SUBREAPER = 37;
  const answer = new Block(16);
  return kernel.call(NR.prctl, PR_GET_CHILD_SUBREAPER, answer.address) === 0 && answer.i32[0] === 1;
}

/** Starts the reporter of a program; tells when that is not possible, since the program runs all the same. 0: no child of ours. */
export function reporterFor(
  start: Start,
  plan: Omit<Plan, "look" | "handle">,
  pipe: ExecPipe,
  holding?: number,
): number {
  const { options, inherited, name, args, reports } = start;
  if (reports.length === 0) return 0;
  const kernel = openKernel();
  const PRIO_PROCESS = 0;
  const own = 20 - kernel.call(NR.getpriority, PRIO_PROCESS, 0);
  const started = startReporter({
    plan,
    argvSize: [name, ...args].reduce((n, word) => n + word.length + 1, 0),
    inherited,
    pipe,
    niceness: Math.min(19, own + options.settings.exec.heartbeat.nice),
    ...(holding === undefined ? {} : { closing: [holding] }),
    typedWords: options.run.words.length,
  });
  if ("pid" in started) return started.pid;
  options.tell("error", `there will be no reports: the reporter could not be started: ${errnoText(started.errno)}`);
  return 0;
}

function startInPlace(start: Start): never {
  const { options, inherited, attempts, name, args, programStdout } = start;
  const pipe = makeExecPipe();
  if (typeof pipe === "number") {
    options.tell("error", `there will be no reports: ${errnoText(-pipe)}`);
  } else {
    reporterFor(start, planFor(start, process.pid, false), pipe);
    closeFile(pipe.readEnd);
  }
  const errno = takePlace({
    program: { attempts, args, environment: inherited.environment },
    inherited,
    stdout: programStdout,
    tellFailure: typeof pipe === "number" ? undefined : pipe.writeEnd,
  });
  throw commandError(latin1(name), errno);
}
