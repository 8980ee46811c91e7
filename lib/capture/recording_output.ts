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
  /** Events that are not in the file and that no note in it counts. */
  private missing = 0;
  private readerGone = false;

  constructor(writer: RecordingWriter, fd: number) {
    this.writer = writer;
    this.descriptor = new DescriptorWriter(fd);
  }

  /** Events that are not in the file. */
  lost = 0;

  /** Why writing failed last; 0 when it never did. */
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
    if (this.readerGone || !this.endCutLine()) return this.drop();
    const out = this.writer.out;
    if (out.length === 0) return;
    const noteAt = out.length;
    const noted = this.missing;
    // There may be room again. The note stands behind what waits, so that the numbers stay in order.
    if (noted > 0) this.writer.lost(now(), noted, `the recording could not be written: ${errnoText(this.errno)}`);
    const errno = this.descriptor.write(out.bytes, 0, out.length);
    if (errno !== 0) return this.fail(errno, this.descriptor.written, noteAt, noted);
    this.missing = 0;
    this.flushedSeq = this.writer.seq;
    out.clear();
  }

  private drop(): void {
    this.miss(this.writer.seq - this.flushedSeq);
    this.flushedSeq = this.writer.seq;
    this.writer.out.clear();
  }

  private miss(count: number): void {
    this.missing += count;
    this.lost += count;
  }

  /** Part of the buffer is written: keeps the rest of the line that was cut, gives up the lines behind it. */
  private fail(errno: number, written: number, noteAt: number, noted: number): void {
    this.errno = errno;
    if (errno === ERRNO.EPIPE) this.readerGone = true;
    const { out } = this.writer;
    let lineEnd = written;
    if (written > 0 && out.bytes[written - 1] !== NEWLINE) {
      lineEnd = out.bytes.indexOf(NEWLINE, written) + 1;
      this.rest = out.bytes.slice(written, lineEnd);
    }
    if (lineEnd > noteAt) this.missing = 0;
    else if (noted > 0) {
      // The note itself did not get out: it was never made.
      this.writer.seq--;
      out.length = noteAt;
    }
    let dropped = 0;
    for (let i = lineEnd; i < out.length; i++) if (out.bytes[i] === NEWLINE) dropped++;
    this.miss(dropped);
    this.flushedSeq = this.writer.seq;
    out.clear();
  }

  /** Tries to write the rest of the line that was cut; false while there is still no room. */
  private endCutLine(): boolean {
    if (this.rest.length === 0) return true;
    const errno = this.descriptor.write(this.rest, 0, this.rest.length);
    this.rest = this.rest.slice(this.descriptor.written);
    if (errno === ERRNO.EPIPE) this.readerGone = true;
    return errno === 0;
  }
}
