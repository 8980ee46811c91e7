// Named columns in one file, laid out so that the file can be used where it lies: every column begins at a multiple of 64. The
// first bytes say where the description is, which is JSON and comes last; they are written last, so that a file whose writer was stopped is
// none. Only files that tk itself wrote, in a directory of the user's own, are ever opened: a stranger's is never trusted with offsets.
import { crc32 } from "node:zlib";
import { readFully } from "../host/spool.ts";
import { mapFile } from "../host/mapped_file.ts";

export type Column = Float64Array | Int32Array | Uint32Array | Uint8Array;

const TYPES = { Float64Array, Int32Array, Uint32Array, Uint8Array } as const;
type TypeName = keyof typeof TYPES;

interface Placed {
  readonly name: string;
  readonly type: TypeName;
  readonly length: number;
  /** Where it begins; absent when every value is `value`. */
  readonly at?: number;
  /** null is NaN. */
  readonly value?: number | null;
  /** Of its first and last bytes: a file that was damaged is found out without reading all of it. */
  readonly crc?: number;
}

interface Description {
  readonly columns: readonly Placed[];
  readonly facts: unknown;
}

export interface ColumnFile {
  readonly columns: ReadonlyMap<string, Column>;
  /** What was given to the writer. */
  readonly facts: unknown;
}

const MAGIC = "tk columns 1\n";
const HEAD = 64;
const ALIGN = 64;
const ENDS = 1 << 16;
/** More than any description of ours; what says more is damaged. */
const MOST_DESCRIPTION = 1 << 24;

const encoder = new TextEncoder();

const bytesOf = (column: Column): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, column.length * column.BYTES_PER_ELEMENT);

function crcOfEnds(bytes: Uint8Array): number {
  const first = crc32(bytes.subarray(0, ENDS));
  return bytes.length > ENDS ? crc32(bytes.subarray(-ENDS), first) : first;
}

function constantOf(column: Column): { value: number | null } | undefined {
  const first = column[0];
  if (first === undefined) return { value: 0 };
  for (let i = 1; i < column.length; i++) if (!Object.is(column[i], first)) return undefined;
  return { value: Number.isNaN(first) ? null : first };
}

/** What a column takes at most in the file; for asking whether there is room. */
export const sizeOf = (columns: ReadonlyMap<string, Column>): number =>
  [...columns.values()].reduce((n, c) => n + c.length * c.BYTES_PER_ELEMENT + ALIGN, HEAD);

/**
 * Writes step by step through `put(bytes, at)`; yields between parts of a few megabytes so that a caller can do other
 * things or give up. The file is one only after the last step.
 */
export function* writeColumns(
  columns: ReadonlyMap<string, Column>,
  facts: unknown,
  put: (bytes: Uint8Array, at: number) => void,
): Generator<void, void> {
  const placed: Placed[] = [];
  let at = HEAD;
  for (const [name, column] of columns) {
    const { length } = column;
    const type = column.constructor.name as TypeName;
    const constant = constantOf(column);
    yield;
    if (constant !== undefined) {
      placed.push({ name, type, length, ...constant });
      continue;
    }
    const bytes = bytesOf(column);
    for (let from = 0; from < bytes.length; from += PART) {
      put(bytes.subarray(from, from + PART), at + from);
      yield;
    }
    placed.push({ name, type, length, at, crc: crcOfEnds(bytes) });
    at = Math.ceil((at + bytes.length) / ALIGN) * ALIGN;
  }
  const description: Description = { columns: placed, facts };
  const text = encoder.encode(JSON.stringify(description));
  put(text, at);
  put(headOf(at, text), 0);
}

const PART = 1 << 22;

function headOf(at: number, text: Uint8Array): Uint8Array {
  const head = new Uint8Array(HEAD);
  head.set(encoder.encode(MAGIC));
  const view = new DataView(head.buffer);
  view.setFloat64(16, at, true);
  view.setUint32(24, text.length, true);
  view.setUint32(28, crc32(text), true);
  // Columns are in the machine's own order of bytes.
  view.setUint8(32, isLittleEndian() ? 1 : 0);
  return head;
}

const isLittleEndian = () => new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** What only the description says, without touching the columns; undefined when the file is none of ours or damaged. */
export function describe(fd: number, size: number): { facts: unknown; open: () => ColumnFile | undefined } | undefined {
  const head = new Uint8Array(HEAD);
  if (readFully(fd, head, 0, HEAD, 0) < HEAD) return undefined;
  const view = new DataView(head.buffer);
  const at = view.getFloat64(16, true);
  const length = view.getUint32(24, true);
  const expected = headOf(0, new Uint8Array());
  if (!head.subarray(0, MAGIC.length).every((byte, i) => byte === expected[i]) || head[32] !== expected[32])
    return undefined;
  if (!(at >= HEAD) || length > MOST_DESCRIPTION || at + length !== size) return undefined;
  const text = new Uint8Array(length);
  if (readFully(fd, text, 0, length, at) < length || crc32(text) !== view.getUint32(28, true)) return undefined;
  const description = JSON.parse(new TextDecoder().decode(text)) as Description;
  return { facts: description.facts, open: () => openAll(fd, at, description) };
}

function openAll(fd: number, end: number, { columns, facts }: Description): ColumnFile | undefined {
  const bytes = mapFile(fd, end);
  if (bytes.length < end) return undefined;
  const opened = new Map<string, Column>();
  for (const { name, type, length, at, value, crc } of columns) {
    const Type = TYPES[type];
    if (at === undefined) {
      const column = new Type(length);
      if (value !== 0) column.fill(value ?? NaN);
      opened.set(name, column);
      continue;
    }
    const column = new Type(bytes.buffer as ArrayBuffer, bytes.byteOffset + at, length);
    if (crcOfEnds(bytesOf(column)) !== crc) return undefined;
    opened.set(name, column);
  }
  return { columns: opened, facts };
}
