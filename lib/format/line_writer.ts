// Writes the two tags of executed lines (docs/format.md) into the same buffer as the rest of a recording: `Source`, a file that
// lines refer to, and `LineBlock`, what one thread executed for a while. Fields come in this order, the large ones last, so that a
// reader finds what it needs in the line's beginning.
import type { JsonBytes } from "../base/json_bytes.ts";
import { ABSENT } from "../model/ids.ts";

export interface SourceLine {
  /** Number of the event, ABSENT for none. A source has no time: it stays behind the line before it. */
  readonly seq: number;
  /** What blocks call it by: made of its path and content (lib/host/source_id.ts), so recordings can be merged. */
  readonly id: string;
  readonly path: Uint8Array;
  /** Hex; undefined when the file's content could not be had. */
  readonly sha256: string | undefined;
  readonly text: Uint8Array | undefined;
}

export interface LineBlockLine {
  readonly seq: number;
  /** When it began and ended, nanoseconds since the recording began. */
  readonly timestamp: number;
  readonly end: number;
  readonly pid: number;
  /** The kernel's thread id; ABSENT when not known. */
  readonly tid: number;
  /** One thread of one interpreter, unlike any other of this or another recording, such as `4711-1c3f09.0`. */
  readonly stream: string;
  readonly kind: "python" | "bash";
  /** From 0 within the stream. */
  readonly block: number;
  /** The thread's or script's name. */
  readonly name: string;
  readonly events: number;
  readonly minDepth: number;
  readonly codec: string;
  /** CRC-32 of the compressed bytes. */
  readonly headCrc: number;
  readonly dataCrc: number;
  readonly head: Uint8Array;
  readonly data: Uint8Array;
}

export function writeSource(o: JsonBytes, source: SourceLine): void {
  begin(o, "Source", source.seq);
  key(o, "id");
  o.text(source.id);
  exactText(o, "path", source.path);
  if (source.sha256 !== undefined) {
    key(o, "sha256");
    o.text(source.sha256);
  }
  if (source.text !== undefined) exactText(o, "text", source.text);
  o.raw("}}\n");
}

export function writeLineBlock(o: JsonBytes, block: LineBlockLine): void {
  begin(o, "LineBlock", block.seq);
  number(o, "timestamp", block.timestamp);
  number(o, "end", block.end);
  number(o, "pid", block.pid);
  number(o, "tid", block.tid);
  key(o, "stream");
  o.text(block.stream);
  key(o, "kind");
  o.text(block.kind);
  number(o, "block", block.block);
  key(o, "name");
  o.text(block.name);
  number(o, "events", block.events);
  number(o, "min_depth", block.minDepth);
  key(o, "codec");
  o.text(block.codec);
  number(o, "head_crc", block.headCrc);
  number(o, "data_crc", block.dataCrc);
  key(o, "head");
  o.base64(block.head);
  key(o, "data");
  o.base64(block.data);
  o.raw("}}\n");
}

/** The first field is written without a comma before it. */
function begin(o: JsonBytes, tag: string, seq: number): void {
  o.raw(`{"${tag}":{`);
  if (seq === ABSENT) return;
  o.raw('"seq":');
  o.int(seq);
}

function key(o: JsonBytes, name: string): void {
  // 123 is the brace of a body that has no field yet.
  o.raw(o.bytes[o.length - 1] === 123 ? `"${name}":` : `,"${name}":`);
}

function number(o: JsonBytes, name: string, value: number): void {
  if (value === ABSENT) return;
  key(o, name);
  o.int(value);
}

/** Text whose exact bytes follow in `<name>_b64` when they are not UTF-8. */
function exactText(o: JsonBytes, name: string, b: Uint8Array): void {
  key(o, name);
  if (o.utf8(b, 0, b.length)) return;
  key(o, `${name}_b64`);
  o.base64(b);
}
