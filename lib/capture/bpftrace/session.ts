// A recording by bpftrace from start to summary: have the tool listen, start the command, follow it, tell. Up to
// `release` everything can still be taken back; after it the command's own fate is the only result. The command is
// never elevated, whoever runs bpftrace.
import { Effect } from "effect";
import { JsonBytes } from "../../base/json_bytes.ts";
import { count, printable } from "../../base/text.ts";
import { RecordingWriter } from "../../format/recording_writer.ts";
import { Clock } from "../../host/clock.ts";
import { DescriptorWriter } from "../../host/descriptors.ts";
import { ERRNO, errnoText } from "../../host/errno.ts";
import { openKernel } from "../../host/kernel.ts";
import { Block } from "../../host/memory.ts";
import { NR } from "../../host/syscalls.ts";
import { quoteWord } from "../../model/argv.ts";
import type { RecordingHeader } from "../../model/recording.ts";
import { formatDuration } from "../../model/time.ts";
import { CaptureError } from "../capture_error.ts";
import { makeHeader, rfc3339 } from "../header.ts";
import { startHeld, type HeldCommand } from "../launch/start_held.ts";
import { commandError, prepare, type Preparation } from "../preparation.ts";
import { awaitingLine, letStop, openDesk } from "../ptrace/session.ts";
import type { RecordOptions, RecordResult } from "../record.ts";
import { RecordingOutput } from "../recording_output.ts";
import { say, summaryLine } from "../summary.ts";
import type { Ready } from "./child.ts";
import { EventFlow } from "./event_flow.ts";
import { limits } from "./limits.ts";
import { startTool, type Listening } from "./start_tool.ts";
import { Watch, type Watched } from "./watch.ts";

const BACKEND = "bpftrace";

export function recordWithBpftrace(options: RecordOptions): Effect.Effect<RecordResult, CaptureError> {
  return Effect.try({
    try: () => recordNow(options, prepare({ ...options, backend: BACKEND })),
    catch: (error) => {
      if (error instanceof CaptureError) return error;
      throw error;
    },
  });
}

function recordNow(options: RecordOptions, { inherited, file }: Preparation): RecordResult {
  const tell = options.debug ? say : () => {};
  const listening = startTool({ bpftracePath: options.bpftracePath, system: options.raw, tell });
  const { child } = listening;
  const desk = openDesk(inherited);
  const clock = new Clock();
  const offset = clockOffset(listening.ready, clock);
  let command: HeldCommand;
  const output = new RecordingOutput(new RecordingWriter(new JsonBytes(1 << 18)), file.fd);
  try {
    command = startHeld({ argv: options.argv, inherited, stdout: file.commandStdout });
    file.begin();
    output.writer.header(header(options, listening, command.pid, clock, offset));
    output.flush(() => 0);
    if (output.errno !== 0 && output.errno !== ERRNO.EPIPE) {
      command.abandon();
      const path = file.path ?? "standard output";
      throw new CaptureError({ backend: BACKEND, reason: { _tag: "OutputRefused", path, errno: output.errno } });
    }
  } catch (error) {
    child.end(() => {});
    throw error;
  }
  tell(`tk: pid ${command.pid} is held, bpftrace listens`);
  const now = () => clock.now();
  const flow = new EventFlow({
    root: command.pid,
    writer: options.raw ? undefined : output.writer,
    offset,
    now,
  });
  const raw = options.raw ? new RawCopy(file.fd) : undefined;
  const take = (bytes: Uint8Array) => raw?.copy(bytes);
  desk.forwardTo(command.pid);
  command.release();
  const watched = new Watch({
    root: command.pid,
    child,
    flow,
    desk,
    until: options.until,
    take,
    write: () => {
      flow.write();
      if (output.pending) output.flush(now);
    },
    awaiting: (living) => {
      if (!options.quiet) say(awaitingLine(withGroups(living), false));
    },
    rootEnded: () => letStop(inherited),
  }).run();
  const wallNs = clock.now();
  const inTime = child.end((bytes) => {
    take(bytes);
    flow.push(bytes);
  });
  flow.end();
  if (watched.toolEnded || !inTime) {
    const what = watched.toolEnded ? "ended before the command did" : "did not end when it was asked to";
    say(`tk: bpftrace ${what}; the recording is not complete`);
    if (raw === undefined) output.writer.lost(Math.max(wallNs, flow.newest), 1, `bpftrace ${what}`);
    flow.lost++;
  }
  const result = finish({ options, watched, flow, output, raw, offset, wallNs, command, file });
  desk.close();
  const { status } = watched;
  if (!flow.started && status.how === "exited" && status.code === NOT_FOUND) {
    const errno = command.execErrno();
    if (errno !== 0) throw commandError(options.argv[0]!, errno, BACKEND);
  }
  return result;
}

/** With this status ends a child that could not become the command. */
const NOT_FOUND = 127;

/** What turns a time of bpftrace into one of the recording. It counts in CLOCK_BOOTTIME, or in CLOCK_MONOTONIC on old kernels. */
function clockOffset(ready: Ready, clock: Clock): number {
  const CLOCK_MONOTONIC = 1;
  const CLOCK_BOOTTIME = 7;
  const block = new Block(16);
  const read = (which: number) => {
    openKernel().call(NR.clock_gettime, which, block.address);
    return BigInt(block.word(0)) * 1_000_000_000n + BigInt(block.word(8));
  };
  // Of several readings the one that was not interrupted in between.
  const zeroOf = (which: number) => {
    let best = Infinity;
    let zero = 0n;
    for (let i = 0; i < 5; i++) {
      const before = clock.now();
      const at = read(which);
      const after = clock.now();
      if (after - before >= best) continue;
      best = after - before;
      zero = at - BigInt(Math.round((before + after) / 2));
    }
    return zero;
  };
  const start = ready.clock - ready.elapsed;
  const boot = Number(start - zeroOf(CLOCK_BOOTTIME));
  const monotonic = Number(start - zeroOf(CLOCK_MONOTONIC));
  // bpftrace began a moment ago: the other clock is off by all the time that the machine has slept.
  return Math.abs(boot) <= Math.abs(monotonic) ? boot : monotonic;
}

function header(
  options: RecordOptions,
  { types, argvLimit }: Listening,
  rootPid: number,
  clock: Clock,
  offset: number,
): RecordingHeader {
  const made = makeHeader({
    generator: options.generator,
    backend: BACKEND,
    mode: options.raw ? "system" : "tree",
    rootPid,
    argv: options.argv,
    limits: limits(types, argvLimit),
    clock,
  });
  if (!options.raw) return made;
  // The lines have bpftrace's own time, which begins earlier.
  const zero = clock.startedUnixNs + BigInt(Math.round(offset));
  return { ...made, started_at: rfc3339(new Date(Number(zero / 1_000_000n))), started_unix_ns: String(zero) };
}

function withGroups(pids: readonly number[]): { readonly pid: number; readonly pgid: number }[] {
  return pids.map((pid) => ({ pid, pgid: openKernel().call(NR.getpgid, pid) }));
}

/** The backend's own lines on their way to the recording, as they are. */
class RawCopy {
  /** Why writing failed; 0 when it did not. Nothing is written after that, so that no line has a hole. */
  errno = 0;
  lines = 0;
  lost = 0;
  private readonly descriptor: DescriptorWriter;

  constructor(fd: number) {
    this.descriptor = new DescriptorWriter(fd);
  }

  copy(bytes: Uint8Array): void {
    let lines = 0;
    for (const byte of bytes) if (byte === 10) lines++;
    if (this.errno === 0) this.errno = this.descriptor.write(bytes, 0, bytes.length);
    if (this.errno === 0) this.lines += lines;
    else this.lost += lines;
  }
}

interface Finished {
  readonly options: RecordOptions;
  readonly watched: Watched;
  readonly flow: EventFlow;
  readonly output: RecordingOutput;
  readonly raw: RawCopy | undefined;
  readonly offset: number;
  readonly wallNs: number;
  readonly command: HeldCommand;
  readonly file: Preparation["file"];
}

function finish(f: Finished): RecordResult {
  const { options, watched, flow, output, raw, file, wallNs } = f;
  const { status, left } = watched;
  const { processes } = flow;
  const now = () => wallNs;
  output.flush(now);
  const events = raw === undefined ? output.writer.seq - output.lost : raw.lines;
  const lost = flow.lost + output.lost + (raw?.lost ?? 0);
  const errno = raw?.errno ?? 0;
  if (errno === 0) {
    const counts = {
      processes,
      lost,
      exit_code: status.how === "exited" ? status.code : 0,
      signal: status.how === "signaled" ? status.signal : 0,
    };
    if (raw !== undefined) output.writer.seq = raw.lines;
    // Events of what lives on came after the command's end.
    output.writer.end(raw === undefined ? Math.max(wallNs, flow.newest) : Math.round(wallNs - f.offset), counts);
    output.flush(now);
  }
  file.finish();
  if (!options.quiet && (flow.started || status.how !== "exited" || status.code !== NOT_FOUND)) {
    const reason = lossReason(f, errno);
    say(
      raw === undefined
        ? summaryLine({ events, processes, wallNs, lost, reason, left, path: file.path })
        : rawSummary(f, raw.lines, lost, reason),
    );
  }
  return { status, events, processes, lost, wallNs, path: file.path };
}

function lossReason({ output, watched, flow }: Finished, rawErrno: number): string {
  if (rawErrno === ERRNO.EPIPE || output.closed) return "the reader of the recording has gone";
  if (rawErrno !== 0) return errnoText(rawErrno);
  if (watched.toolEnded) return "bpftrace ended too early";
  return flow.lost > 0 ? "bpftrace could not print them all" : errnoText(output.errno);
}

function rawSummary(f: Finished, lines: number, lost: number, reason: string): string {
  const { pid } = f.command;
  const parts = [
    `${count(lines, "raw line")} of the whole system`,
    `${count(f.flow.processes, "process", "processes")} under pid ${pid}`,
    formatDuration(f.wallNs),
    lost === 0 ? "nothing lost" : `${count(lost, "line")} lost (${reason})`,
  ];
  const { path } = f.file;
  const where =
    path === undefined ? "" : `, in ${printable(path)}. Next: tk ingest -p ${pid} -o out.prof ${quoteWord(path)}`;
  return `tk: ${parts.join(", ")}${where}`;
}
