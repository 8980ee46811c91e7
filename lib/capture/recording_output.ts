// The recording's way out while the command runs: whole lines from the writer to a descriptor. Whatever happens to the
// descriptor, the command does not feel it: a full disk loses events (counted, and told in the recording once there is
// room again), a reader that has gone ends the recording.
import { ERRNO, errnoText } from "../host/errno.ts";
import { DescriptorWriter } from "../host/descriptors.ts";
import type { RecordingWriter } from "../format/recording_writer.ts";

const NEWLINE = 10;
const FLUSH_AT = 1 << 16;

export class RecordingOutput {
  readonly writer: RecordingWriter;
  private readonly descriptor: DescriptorWriter;
  /** The rest of a line whose beginning is in the file; it must come first when writing works again. */
  private rest = new Uint8Array();
  /** The events of the buffer begin with this number. */
  private flushedSeq = 0;
  private missing = 0;
  private readerGone = false;
  private failing = 0;

  constructor(writer: RecordingWriter, fd: number) {
    this.writer = writer;
    this.descriptor = new DescriptorWriter(fd);
  }

  /** Events that are not in the file. */
  lost = 0;

  /** Why writing fails now or failed last; 0 when it never did. */
  errno = 0;

  /** The reader of a pipe has gone: nothing more is recorded. */
  get closed(): boolean {
    return this.readerGone;
  }

  get pending(): boolean {
    return this.writer.out.length > 0;
  }

  /** To be called after each event: writes when there is much to write. */
  spill(now: () => number): void {
    if (this.writer.out.length >= FLUSH_AT) this.flush(now);
  }

  /** Writes all that there is. */
  flush(now: () => number): void {
    if (this.readerGone) return this.drop();
    if (this.failing !== 0 && !this.resume(now)) return this.drop();
    const out = this.writer.out;
    if (out.length === 0) return;
    const { written, errno } = this.descriptor.write(out.bytes, 0, out.length);
    if (errno === 0) {
      this.flushedSeq = this.writer.seq;
      out.clear();
      return;
    }
    this.fail(errno, written);
  }

  private drop(): void {
    const count = this.writer.seq - this.flushedSeq;
    this.missing += count;
    this.lost += count;
    this.flushedSeq = this.writer.seq;
    this.writer.out.clear();
  }

  /** Part of the buffer is written: keeps the rest of the line that was cut, gives up the lines behind it. */
  private fail(errno: number, written: number): void {
    this.errno = errno;
    if (errno === ERRNO.EPIPE) this.readerGone = true;
    this.failing = errno;
    const out = this.writer.out;
    let lineEnd = written;
    if (written > 0 && out.bytes[written - 1] !== NEWLINE) {
      lineEnd = out.bytes.indexOf(NEWLINE, written) + 1;
      this.rest = out.bytes.slice(written, lineEnd);
    }
    let dropped = 0;
    for (let i = lineEnd; i < out.length; i++) if (out.bytes[i] === NEWLINE) dropped++;
    this.missing += dropped;
    this.lost += dropped;
    this.flushedSeq = this.writer.seq;
    out.clear();
  }

  /** Tries to end the line that was cut and to say how much is missing; false while there is still no room. */
  private resume(now: () => number): boolean {
    if (this.rest.length > 0) {
      const { written, errno } = this.descriptor.write(this.rest, 0, this.rest.length);
      this.rest = this.rest.slice(written);
      if (errno !== 0) return false;
    }
    // What waits in the buffer is written after the note, and so has its numbers after it.
    const waiting = this.writer.out.view().slice();
    const events = this.writer.seq - this.flushedSeq;
    this.writer.out.clear();
    this.writer.lost(now(), this.missing, `the recording could not be written: ${errnoText(this.failing)}`);
    const note = this.writer.out.view().slice();
    this.writer.out.clear();
    const { written, errno } = this.descriptor.write(note, 0, note.length);
    if (errno !== 0) {
      if (written > 0) this.rest = note.slice(written);
      this.writer.out.copy(waiting);
      this.flushedSeq = this.writer.seq - events;
      return false;
    }
    this.missing = 0;
    this.failing = 0;
    this.flushedSeq = this.writer.seq - events;
    this.writer.out.copy(waiting);
    return true;
  }
}
