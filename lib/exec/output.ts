// The short way out of reports, beside all configured sinks: -o FILE and --format. One report is one write, so that many
// programs may share a file; nothing stays in a buffer.
import type { JsonObject } from "../base/json_value.ts";
import { JsonBytes } from "../base/json_bytes.ts";
import { RecordingWriter } from "../format/recording_writer.ts";
import type { RecordingHeader } from "../model/recording.ts";
import type { Operation } from "../config/settings.ts";
import { reportText } from "../report/build.ts";
import { writeWhole } from "./descriptor.ts";

export type OutputFormat = "json" | "ndjson";

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

const encoder = new TextEncoder();

export class OutputWriter {
  private readonly output: Output;
  private readonly writer = new RecordingWriter(new JsonBytes(1 << 12));
  private headed = false;

  constructor(output: Output) {
    this.output = output;
  }

  /** 0, or the errno of the write. */
  write(line: Line): number {
    const { fd, format, header, zero } = this.output;
    if (format === "json") return writeWhole(fd, encoder.encode(`${reportText(line.report)}\n`));
    const { writer } = this;
    if (!this.headed && header !== undefined) writer.header(header);
    this.headed = true;
    writer.report(Math.max(0, line.monotonicNs - zero), line.pid, line.operation, line.report);
    const errno = writeWhole(fd, writer.out.bytes.slice(0, writer.out.length));
    writer.out.clear();
    return errno;
  }
}
