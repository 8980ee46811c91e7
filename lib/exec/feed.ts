// `tk record --report`: the same reporter beside the recorded command, its reports on the recording's own axis.
import { readFedReport } from "./fed_report.ts";
import type { Inherited } from "../capture/launch/inherited.ts";
import type { HeldCommand } from "../capture/launch/start_held.ts";
import type { FedReport, ReportFeed } from "../capture/report_feed.ts";
import type { Settings } from "../config/settings.ts";
import { closeFile } from "../host/descriptors.ts";
import { ERRNO, errnoText } from "../host/errno.ts";
import { openKernel } from "../host/kernel.ts";
import { Block } from "../host/memory.ts";
import { NR } from "../host/syscalls.ts";
import { randomId } from "../report/build.ts";
import type { RunIdentity } from "../report/run.ts";
import { monotonicNs, sleepMs } from "../host/clock.ts";
import { pipeAboveStandard } from "../host/pipes.ts";
import { ownStderr } from "./messages.ts";
import { makeExecPipe, startReporter } from "./start_reporter.ts";

export interface FeedOptions {
  readonly settings: Settings;
  readonly request: unknown;
  readonly run: Omit<RunIdentity, "execId" | "environment">;
  readonly argvSize: number;
  readonly typedWords: number;
  /** Without the first report. */
  readonly heartbeatOnly: boolean;
  readonly tell: (message: string) => void;
}

/** From the command's end to the last report. */
const LAST_MS = 3000;
const F_SETFL = 4;
const F_SETPIPE_SZ = 1031;
const O_NONBLOCK = 0o4000;
const NEWLINE = 10;

export class ReporterFeed implements ReportFeed {
  private readonly options: FeedOptions;
  private readonly kernel = openKernel();
  private execPipe: ReturnType<typeof makeExecPipe> = 0;
  private readonly data = new Block(1 << 16);
  private from = -1;
  private rest: Uint8Array[] = [];

  constructor(options: FeedOptions) {
    this.options = options;
  }

  prepare(): number | undefined {
    this.execPipe = makeExecPipe();
    return typeof this.execPipe === "number" ? undefined : this.execPipe.writeEnd;
  }

  begin(command: HeldCommand, inherited: Inherited): number {
    const { options, execPipe } = this;
    if (typeof execPipe === "number") return this.refused(-execPipe);
    const lines = pipeAboveStandard();
    if (typeof lines === "number") return this.refused(-lines);
    for (const end of [lines.readEnd, lines.writeEnd]) this.kernel.call(NR.fcntl, end, F_SETFL, O_NONBLOCK);
    this.kernel.call(NR.fcntl, lines.writeEnd, F_SETPIPE_SZ, 1 << 20);
    const { settings } = options;
    const started = startReporter({
      plan: {
        programPid: command.pid,
        run: { ...options.run, execId: randomId() },
        keepsStdout: false,
        keepsStderr: true,
        stderr: ownStderr(undefined),
        output: { fd: lines.writeEnd, format: "feed", path: "the recording", zero: 0 },
        skipsFirst: options.heartbeatOnly,
        asParent: true,
        adopted: false,
        request: options.request,
      },
      argvSize: options.argvSize,
      inherited,
      pipe: execPipe,
      niceness: 20 - this.kernel.call(NR.getpriority, 0, 0) + settings.exec.heartbeat.nice,
      closing: [command.holdingEnd, lines.readEnd],
      typedWords: options.typedWords,
    });
    for (const fd of [execPipe.readEnd, execPipe.writeEnd, lines.writeEnd]) closeFile(fd);
    if (!("pid" in started)) {
      closeFile(lines.readEnd);
      return this.refused(started.errno);
    }
    this.from = lines.readEnd;
    return started.pid;
  }

  private refused(errno: number): number {
    this.options.tell(`there will be no reports: the reporter could not be started: ${errnoText(errno)}`);
    return 0;
  }

  take(into: (report: FedReport) => void): void {
    while (this.from >= 0) {
      const n = this.kernel.call(NR.read, this.from, this.data.address, this.data.bytes.length);
      if (n === -ERRNO.EINTR) continue;
      if (n === -ERRNO.EAGAIN) return;
      if (n <= 0) return this.close();
      this.cut(this.data.bytes.slice(0, n), into);
    }
  }

  private cut(bytes: Uint8Array, into: (report: FedReport) => void): void {
    let from = 0;
    for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
      this.rest.push(bytes.subarray(from, to));
      const report = readFedReport(Buffer.concat(this.rest).toString("utf8"));
      if (report !== undefined) into(report);
      this.rest = [];
      from = to + 1;
    }
    if (from < bytes.length) this.rest.push(bytes.subarray(from));
  }

  end(into: (report: FedReport) => void): void {
    const until = monotonicNs() + LAST_MS * 1e6;
    for (;;) {
      this.take(into);
      if (this.from < 0 || monotonicNs() > until) break;
      sleepMs(2);
    }
    this.close();
  }

  private close(): void {
    if (this.from >= 0) closeFile(this.from);
    this.from = -1;
  }
}
