// The executed lines of a recording, from its `Source` and `LineBlock` lines. Opening reads the beginning of each block's line; what was written since is read by
// `refresh`, from the recording's file and up to its last whole line.
import { readSync } from "node:fs";
import { count, printable } from "../base/text.ts";
import { type BlockCodec, blockCodec, checksum, findBlockCodec } from "../host/block_codec.ts";
import { dataOfLine, readBlockLine, readSourceLine } from "../format/line_reader.ts";
import { type BlockHead, decodeHead } from "../lines/block_head.ts";
import { KIND } from "../model/event.ts";
import type { ProcEvent } from "../model/event.ts";
import { eventAt } from "../model/event_at.ts";
import { asFields, countField, textField } from "../model/fields.ts";
import type { Problems } from "../model/problem.ts";
import type { Recording } from "../model/recording.ts";
import { type BlockPlace, BlockTraces } from "./block_traces.ts";

/** A regular, uncompressed file that the recording is read from, and may still be written to. */
export interface GrowingFile {
  readonly fd: number;
}

/** Compressed bytes may become this many: a block of 65536 events at its worst stays far below. */
const MOST_HEAD = 32 << 20;
const MOST_DATA = 16 << 20;

/** A first look at a block's line; most heads fit in. */
const FIRST_LOOK = 16 << 10;

/** New text is read in pieces of this size. */
const PIECE = 1 << 20;
/** A line longer than this is not waited for. */
const MOST_LINE = 256 << 20;

/** Sentences on lost events that are kept. */
const MOST_NOTES = 50;

type ReadText = (at: number, length: number) => Uint8Array;

/** Undefined when the recording has no executed lines. */
export function recordingLines(recording: Recording, problems: Problems): RecordingLines | undefined {
  const { kind, length } = recording.events;
  const first = kind.indexOf(KIND.line_block);
  return first < 0 || first >= length ? undefined : new RecordingLines(recording, problems);
}

export class RecordingLines extends BlockTraces {
  private readonly recording: Recording;
  private readonly read: ReadText;
  private readonly fd: number | undefined;
  private scanned = 0;
  private readonly told = new Set<string>();

  constructor(recording: Recording, problems: Problems, file?: GrowingFile) {
    const begun = Number(recording.header?.started_unix_ns ?? 0);
    super({ ticksPerSecond: 1e9, unixZero: Number.isFinite(begun) ? -begun : 0 }, (code, message) =>
      problems.add({ code, source: recording.name, line: 0, message }),
    );
    this.recording = recording;
    this.fd = file?.fd;
    this.read = (at, length) => (file === undefined ? recording.text.read(at, length) : readAt(file.fd, at, length));
    this.takeRows();
    this.checkWhole();
  }

  private takeRows(): void {
    const { kind, at, len, length } = this.recording.events;
    for (let row = 0; row < length; row++) {
      this.scanned = Math.max(this.scanned, at[row]! + len[row]!);
      if (kind[row] === KIND.source) this.takeSource(at[row]!, len[row]!);
      else if (kind[row] === KIND.line_block) this.takeBlock(at[row]!, len[row]!);
      else if ((kind[row] === KIND.lost || kind[row] === KIND.unknown) && this.notes.length < MOST_NOTES)
        this.takeNote(eventAt(this.recording, row));
    }
  }

  /** Lost events, and what the recorder says of processes whose lines it could not have. */
  private takeNote(event: ProcEvent): void {
    if (event.kind === "lost" && event.reason !== "")
      this.notes.push(count(event.count, "event") + " lost: " + printable(event.reason));
    if (event.kind !== "unknown" || event.tag !== "Note") return;
    const fields = asFields(event.body) ?? {};
    const message = textField(fields, "message");
    if (textField(fields, "about") !== "lines" || message === undefined) return;
    const n = countField(fields, "count") ?? 0;
    this.notes.push(`${n > 0 ? `no lines of ${count(n, "process", "processes")}: ` : ""}${printable(message)}`);
  }

  override refresh(): boolean {
    const { fd } = this;
    if (fd === undefined) return false;
    const before = this.tracks.reduce((n, t) => n + t.blocks, 0);
    // The line that was read last may have had no newline yet; an empty line in front does no harm.
    for (;;) {
      const piece = readLines(fd, this.scanned);
      if (piece.length === 0) break;
      let from = 0;
      for (let newline = piece.indexOf(10); newline >= 0; newline = piece.indexOf(10, from)) {
        this.takeLine(piece.subarray(from, newline), this.scanned + from);
        from = newline + 1;
      }
      this.scanned += from;
    }
    this.checkWhole();
    return this.tracks.reduce((n, t) => n + t.blocks, 0) > before;
  }

  private takeLine(line: Uint8Array, at: number): void {
    const tag = new TextDecoder("latin1").decode(line.subarray(0, 16)).replace(/\s/g, "");
    if (tag.startsWith('{"Source"')) this.takeSource(at, line.length);
    else if (tag.startsWith('{"LineBlock"')) this.takeBlock(at, line.length);
  }

  private takeSource(at: number, length: number): void {
    const bytes = this.read(at, length);
    const source = readSourceLine(bytes);
    if (typeof source === "string") return this.once(`a Source that cannot be read: ${source}`);
    const again = () => {
      const line = readSourceLine(this.read(at, length));
      return typeof line === "string" ? undefined : line.text;
    };
    this.addSource(source.id, source.path, source.sha256, source.text === undefined ? undefined : again);
  }

  private takeBlock(at: number, length: number): void {
    const line = this.lineOf(at, length);
    if (typeof line === "string") return this.once(`a LineBlock that cannot be read: ${line}`);
    const codec = findBlockCodec(line.codec);
    if (codec === undefined)
      return this.once(
        `blocks of lines in a form this tk does not know (codec ${JSON.stringify(line.codec.slice(0, 40))}, expected one such as ${blockCodec.name}) are left out`,
      );
    const head = unpackHead(line.head, line.headCrc, codec);
    if (typeof head === "string")
      return this.once(`block ${line.block} of stream ${JSON.stringify(line.stream.slice(0, 100))}: ${head}; left out`);
    const place: BlockPlace = {
      head: () => {
        const again = this.lineOf(at, length);
        return typeof again === "string" ? again : unpackHead(again.head, again.headCrc, codec);
      },
      data: () => {
        const packed = dataOfLine(this.read(at, length), line.dataAt);
        if (packed === undefined) return "its events are missing or not base64";
        if (line.dataCrc !== undefined && checksum(packed) !== line.dataCrc)
          return "its events are damaged (the checksum is another)";
        return codec.decompress(packed, MOST_DATA) ?? "its events cannot be decompressed";
      },
    };
    this.addBlock({ ...line, name: printable(line.name) }, head, place);
  }

  /** The beginning of a block's line, of which more is read only where the first look was too short. */
  private lineOf(at: number, length: number) {
    for (let look = FIRST_LOOK; ; look *= 8) {
      const n = Math.min(look, length);
      const line = readBlockLine(this.read(at, n), n === length);
      if (line !== undefined) return line;
    }
  }

  private once(message: string): void {
    if (this.told.has(message) || this.told.size > 1000) return;
    this.told.add(message);
    this.tellOf("block", message);
  }
}

function unpackHead(packed: Uint8Array, crc: number | undefined, codec: BlockCodec): BlockHead | string {
  if (crc !== undefined && checksum(packed) !== crc) return "its head is damaged (the checksum is another)";
  const plain = codec.decompress(packed, MOST_HEAD);
  return plain === undefined ? "its head cannot be decompressed, or is larger than any" : decodeHead(plain);
}

function readAt(fd: number, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let n = 0;
  try {
    while (n < length) {
      const got = readSync(fd, bytes, n, length - n, at + n);
      if (got === 0) break;
      n += got;
    }
  } catch {
    // What cannot be read any more is not there.
  }
  return bytes.subarray(0, n);
}

/** Text from `at` on that holds at least one newline; empty when there is no whole line (yet). */
function readLines(fd: number, at: number): Uint8Array {
  for (let size = PIECE; size <= MOST_LINE; size *= 4) {
    const bytes = readAt(fd, at, size);
    if (bytes.includes(10)) return bytes;
    if (bytes.length < size) break;
  }
  return new Uint8Array(0);
}
