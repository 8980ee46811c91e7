// The short way out of reports, beside all configured sinks: -o FILE and --format. One report is one write, so that many
// programs may share a file; nothing stays in a buffer.
import type { JsonObject } from "../base/json_value.ts";
import { JsonBytes } from "../base/json_bytes.ts";
import { RecordingWriter } from "../format/recording_writer.ts";
import { ABSENT } from "../model/ids.ts";
import type { RecordingHeader } from "../model/recording.ts";
import { decodeWaitStatus, UNKNOWN_STATUS } from "../model/status.ts";
import type { Operation } from "../config/settings.ts";
import { reportText } from "../report/build.ts";
import type { Stat } from "../report/facts/facts.ts";
import { writeWhole } from "./descriptor.ts";

/** `feed`: to a recorder that waits at the other end of a pipe (feed.ts). */
export type OutputFormat = "json" | "ndjson" | "feed";

export interface Output {
  readonly fd: number;
  readonly format: OutputFormat;
  /** For messages. */
  readonly path: string;
  /** ndjson: what the lines' timestamps count from, nanoseconds of CLOCK_MONOTONIC. */
  readonly zero: number;
  /** ndjson: the first line; absent where the file has one already. */
  readonly header?: RecordingHeader | undefined;
}

export interface Line {
  readonly operation: Operation;
  readonly pid: number;
  /** Nanoseconds of CLOCK_MONOTONIC. */
  readonly monotonicNs: number;
  readonly report: JsonObject;
}

/** The program as a recording shows it; what is not known is absent there. */
export interface RecordedStart {
  readonly pid: number;
  readonly monotonicNs: number;
  readonly filename: Uint8Array;
  readonly args: readonly Uint8Array[];
  readonly cwd: Uint8Array | undefined;
  readonly stat: Stat | undefined;
}

/** What the reporter writes to, beside the sinks. Each answers 0, or the errno of the write. */
export interface ReportOutput {
  /** It shows the program's life as well, and so the reporter stays until its end. */
  readonly isRecording: boolean;
  begin(start: RecordedStart): number;
  write(line: Line): number;
  /** The program has ended. */
  end(monotonicNs: number, last: Stat | undefined): number;
}

const encoder = new TextEncoder();

export class OutputWriter implements ReportOutput {
  private readonly output: Output;
  private readonly writer = new RecordingWriter(new JsonBytes(1 << 12));
  private start: RecordedStart | undefined;

  constructor(output: Output) {
    this.output = output;
  }

  get isRecording(): boolean {
    return this.output.format === "ndjson";
  }

  private time(monotonicNs: number): number {
    return Math.max(0, Math.round(monotonicNs - this.output.zero));
  }

  private flush(): number {
    const { out } = this.writer;
    const errno = writeWhole(this.output.fd, out.bytes.slice(0, out.length));
    out.clear();
    return errno;
  }

  /** The first lines of a recording. */
  begin(start: RecordedStart): number {
    this.start = start;
    const { writer } = this;
    if (this.output.header !== undefined) writer.header(this.output.header);
    const { pid, stat, filename, args, cwd } = start;
    const of = (n: number | undefined) => n ?? ABSENT;
    writer.beginExec(this.time(start.monotonicNs), pid, of(stat?.ppid), of(stat?.pgrp), of(stat?.session));
    writer.filename(filename, 0, filename.length);
    writer.beginArgs();
    for (const word of args) writer.arg(word, 0, word.length);
    writer.endArgs();
    if (cwd !== undefined) writer.cwd(cwd, 0, cwd.length);
    writer.finish();
    return this.flush();
  }

  write(line: Line): number {
    if (!this.isRecording) return writeWhole(this.output.fd, encoder.encode(`${reportText(line.report)}\n`));
    this.writer.report(this.time(line.monotonicNs), line.pid, line.operation, line.report);
    return this.flush();
  }

  /** Only its parent learns how the program ended; who may look sees it while the parent has not yet asked. */
  end(monotonicNs: number, last: Stat | undefined): number {
    if (this.start === undefined) return 0;
    const { writer } = this;
    const { pid, stat } = this.start;
    const status = last?.waitStatus === undefined ? UNKNOWN_STATUS : decodeWaitStatus(last.waitStatus);
    const code = status.how === "exited" ? status.code : ABSENT;
    const signal = status.how === "signaled" ? status.signal : 0;
    const core = status.how === "signaled" && status.coreDumped;
    const now = this.time(monotonicNs);
    writer.exit(now, pid, stat?.ppid ?? ABSENT, stat?.pgrp ?? ABSENT, code, signal, core, undefined);
    writer.end(now, { processes: 1, lost: 0, exit_code: code, signal });
    return this.flush();
  }
}
