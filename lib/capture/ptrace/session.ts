// A recording by ptrace from start to summary: hold the command, seize it, write the header, trace, tell.
// Up to `release` everything can still be taken back; after it the command's own fate is the only result.
import { JsonBytes } from "../../base/json_bytes.ts";
import { printable } from "../../base/text.ts";
import { RecordingWriter } from "../../format/recording_writer.ts";
import { Clock } from "../../host/clock.ts";
import { ERRNO, errnoText } from "../../host/errno.ts";
import { openKernel } from "../../host/kernel.ts";
import { processName } from "../../host/proc.ts";
import { setDisposition, SIG, SignalDesk } from "../../host/signals.ts";
import { NR } from "../../host/syscalls.ts";
import { CaptureError } from "../capture_error.ts";
import { makeHeader } from "../header.ts";
import type { Inherited } from "../launch/inherited.ts";
import type { LinesTold } from "../line_feed.ts";
import { startHeld, type HeldCommand } from "../launch/start_held.ts";
import { commandError, type Preparation } from "../preparation.ts";
import type { RecordOptions, RecordResult } from "../record.ts";
import { RecordingOutput } from "../recording_output.ts";
import type { FedReport } from "../report_feed.ts";
import { say, summaryLine } from "../summary.ts";
import { FORWARDED } from "./echo_filter.ts";
import { limits } from "./limits.ts";
import { traceForbidden } from "./refusal.ts";
import { OPTION, PTRACE } from "./request.ts";
import { seccompFilter } from "./seccomp_filter.ts";
import type { Process } from "./tasks.ts";
import { Tracer, type TraceResult } from "./tracer.ts";

const BACKEND = "ptrace";
/** Who sends one of these after the command's end wants no more of the recording. */
const ENDING = [SIG.INT, SIG.QUIT, SIG.TERM, SIG.HUP] as const;

export function recordWithPtrace(options: RecordOptions, { inherited, file }: Preparation): RecordResult {
  const complete = options.mode === "complete";
  const desk = openDesk(inherited);
  const command = startSeized(options, { inherited, file }, desk);
  const clock = new Clock();
  const zero = Number(clock.startedMonotonicNs);
  const output = new RecordingOutput(new RecordingWriter(new JsonBytes(1 << 18)), file.fd);
  const { lines } = options;
  file.begin();
  output.writer.header(
    makeHeader({
      generator: options.generator,
      backend: BACKEND,
      mode: options.mode,
      rootPid: command.pid,
      argv: options.argv,
      limits: limits(options.mode, inherited.admin),
      clock,
    }),
  );
  output.flush(() => 0);
  if (output.errno !== 0 && output.errno !== ERRNO.EPIPE) {
    command.abandon();
    lines?.cancel();
    const path = file.path ?? "standard output";
    throw new CaptureError({ backend: BACKEND, reason: { _tag: "OutputRefused", path, errno: output.errno } });
  }
  const feed = options.reports;
  const companions = [
    feed?.begin(command, inherited) ?? 0,
    lines?.begin(command, inherited, clock.startedMonotonicNs) ?? 0,
  ].filter((pid) => pid > 0);
  const fed = ({ at, pid, operation, report }: FedReport) =>
    output.writer.report(Math.max(0, Math.round(at - zero)), pid, operation, report);
  if (options.debug) say(`tk: pid ${command.pid} is held and seized, mode ${options.mode}`);
  const tracer = new Tracer({
    command,
    output,
    clock,
    desk,
    until: options.until,
    mayLeave: !complete,
    awaiting: (living) => {
      if (!options.quiet) say(awaitingLine(living, complete));
    },
    rootEnded: () => letStop(inherited),
    companions,
    takeReports: () => {
      feed?.take(fed);
      lines?.take(output.writer, clock.now());
    },
    ...(lines === undefined
      ? {}
      : {
          executed: (pid, timestamp) => lines.executed(pid, timestamp),
          processEnded: (pid, timestamp) => lines.ended(pid, timestamp),
        }),
  });
  const traced = tracer.run();
  feed?.end(fed);
  const impatient = () => ENDING.some((s) => desk.took(s));
  const told = lines?.end(output.writer, clock.now(), () => output.spill(() => clock.now()), impatient);
  const result = finish(options, traced, output, clock, file, told);
  desk.close();
  if (traced.execErrno !== 0) throw commandError(options.argv[0]!, traced.execErrno, BACKEND);
  return result;
}

/** Before the command exists, so that no signal that is meant for it is missed. */
export function openDesk(inherited: Inherited): SignalDesk {
  const kernel = openKernel();
  const desk = new SignalDesk();
  const leadsSession = kernel.call(NR.getsid, 0) === kernel.call(NR.getpid);
  for (const s of FORWARDED) {
    // What was ignored when we were started (nohup) stays so, here as in the command.
    if (inherited.ignored.has(s)) continue;
    // A terminal signals the command itself, as a member of the same process group; but its hang-up only the session's
    // leader. An alarm that was set before tk took this process's place was meant for the command.
    desk.forward(s, s === SIG.ALRM || (s === SIG.HUP && leadsSession));
    desk.note(s);
  }
  desk.note(SIG.CONT);
  for (const s of [SIG.TTIN, SIG.TTOU, SIG.PIPE, SIG.XFSZ]) setDisposition(s, "ignore");
  return desk;
}

/** The command has ended: Ctrl-Z now stops tk as it would any program that waits. */
export function letStop(inherited: Inherited): void {
  for (const s of [SIG.TSTP, SIG.TTIN]) if (!inherited.ignored.has(s)) setDisposition(s, "default");
}

/** Holds the command and becomes its tracer; when that is refused, everything is as it was. */
function startSeized(options: RecordOptions, { inherited, file }: Preparation, desk: SignalDesk): HeldCommand {
  const complete = options.mode === "complete";
  const tellFailure = options.reports?.prepare();
  try {
    const environment = options.lines?.prepare(inherited);
    const command = startHeld({
      argv: options.argv,
      inherited,
      stdout: file.commandStdout,
      ...(environment === undefined ? {} : { environment }),
      ...(complete ? { filter: seccompFilter() } : {}),
      ...(tellFailure === undefined ? {} : { tellFailure }),
    });
    seize(command, complete);
    return command;
  } catch (error) {
    options.lines?.cancel();
    // `auto` tries another backend now.
    desk.close();
    file.finish();
    throw error;
  }
}

function seize(command: HeldCommand, complete: boolean): void {
  const { SYSGOOD, FORK, VFORK, CLONE, EXEC, SECCOMP, EXITKILL } = OPTION;
  const always = SYSGOOD | FORK | VFORK | CLONE | EXEC;
  // A filter without its tracer makes every exec fail, so with a filter nobody may outlive tk.
  const wanted = complete ? always | SECCOMP | EXITKILL : always;
  const answer = openKernel().call(NR.ptrace, PTRACE.SEIZE, command.pid, 0, wanted);
  if (answer === 0) return;
  command.abandon();
  throw traceForbidden(-answer);
}

const NAMED_AT_MOST = 4;

export function awaitingLine(living: readonly Pick<Process, "pid" | "pgid">[], complete: boolean): string {
  const kernel = openKernel();
  const named = living.slice(0, NAMED_AT_MOST).map((p) => `${p.pid} ${printable(processName(p.pid))}`);
  if (living.length > NAMED_AT_MOST) named.push(`${living.length - NAMED_AT_MOST} more`);
  const who = `tk: the command has ended, its recording goes on for what it left running: ${named.join(", ")}.`;
  const own = kernel.call(NR.getpid);
  if (complete)
    return `${who} In complete mode tk has to wait until they end: to end the recording, end them (killing tk, pid ${own}, would kill them)`;
  // Ctrl-C reaches every process of our group, also those that are to live on.
  const group = kernel.call(NR.getpgid, 0);
  const way = living.some((p) => p.pgid === group) ? `\`kill ${own}\`` : "Ctrl-C";
  return `${who} ${way} ends the recording and leaves them running`;
}

function finish(
  options: RecordOptions,
  traced: TraceResult,
  output: RecordingOutput,
  clock: Clock,
  file: Preparation["file"],
  told: LinesTold | undefined,
): RecordResult {
  const now = () => clock.now();
  const { status, processes, left } = traced;
  output.flush(now);
  const events = output.writer.seq - output.lost;
  const linesLost = told?.lost ?? 0;
  const wallNs = clock.now();
  output.writer.end(wallNs, {
    processes,
    lost: output.lost + linesLost,
    exit_code: status.how === "exited" ? status.code : 0,
    signal: status.how === "signaled" ? status.signal : 0,
  });
  output.flush(now);
  file.finish();
  const lost = Math.max(0, output.writer.seq - 1 - events) + linesLost;
  const reason = output.closed
    ? "the reader of the recording has gone"
    : output.errno !== 0
      ? errnoText(output.errno)
      : "lines";
  if (!options.quiet && traced.execErrno === 0) {
    say(summaryLine({ events, processes, wallNs, lost: output.lost + linesLost, reason, left, path: file.path }));
    for (const sentence of told?.sentences ?? []) say(`tk: ${printable(sentence)}`);
  }
  return { status, events, processes, lost, wallNs, path: file.path };
}
