// Several recordings on one time axis: each header says at which moment of the wall clock its timestamps begin.
// Finds those moments, says how far to move what, and tells the user where the axes differ. Moves nothing itself.
import { TimeShift } from "../format/shift_time.ts";
import type { Chunks } from "./_bytes.ts";
import type { Source } from "./source.ts";

/** Longest header that is looked for. */
const HEADER_LIMIT = 1 << 24;

/** A source whose first line has been looked at. */
export interface Opening {
  readonly source: Source;
  /** `started_unix_ns` of its header; undefined when it has none. */
  readonly start: bigint | undefined;
  /** All of it, the first line included; to be called once. */
  readonly chunks: () => Chunks;
}

export interface Aligned extends Opening {
  /** Undefined when nothing has to move. */
  readonly shift: TimeShift | undefined;
}

/** `started_unix_ns` of a header line; undefined when it is no header or does not say. */
export function startOfHeader(line: Uint8Array): bigint | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(line));
  } catch {
    return undefined;
  }
  const header = field(value, "Recording");
  const start = field(header, "started_unix_ns");
  if (typeof start === "number" && Number.isSafeInteger(start)) return BigInt(start);
  return typeof start === "string" && /^\d{1,30}$/.test(start) ? BigInt(start) : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Reads up to the end of the first line and keeps what was read. */
export async function openStart(source: Source): Promise<Opening> {
  const chunks = source.chunks();
  const parts: Uint8Array[] = [];
  let size = 0;
  let found = false;
  while (!found && size < HEADER_LIMIT) {
    const next = await chunks.next();
    if (next.done === true) break;
    const part = next.value.slice();
    parts.push(part);
    size += part.length;
    found = part.includes(10);
  }
  const head = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    head.set(part, at);
    at += part.length;
  }
  const newline = head.indexOf(10);
  return {
    source,
    start: startOfHeader(head.subarray(0, newline < 0 ? size : newline)),
    chunks: () => both(head, chunks),
  };
}

async function* both(head: Uint8Array, rest: Chunks): Chunks {
  if (head.length > 0) yield head;
  yield* rest;
}

/** Everything onto the axis of the earliest header, which comes first. What has no header keeps its numbers. */
export function alignStarts(openings: readonly Opening[], notes: string[]): Aligned[] {
  const earliest = openings.reduce<bigint | undefined>(
    (least, { start }) => (start !== undefined && (least === undefined || start < least) ? start : least),
    undefined,
  );
  const late = (o: Opening) => (o.start === undefined || earliest === undefined ? undefined : o.start - earliest);
  return openings
    .map((o) => {
      const delta = late(o);
      if (delta === undefined && openings.length > 1)
        notes.push(`${quoted(o)} does not say when it began; its timestamps are kept as they are`);
      return { ...o, shift: delta === undefined || delta === 0n ? undefined : new TimeShift(Number(delta)) };
    })
    .sort((a, b) => rank(late(a)) - rank(late(b)));
}

/** Earliest first; whoever has no start keeps its place behind those that have one. */
function rank(late: bigint | undefined): number {
  return late === undefined ? Number.MAX_VALUE : Number(late);
}

function quoted(o: Opening): string {
  return JSON.stringify(o.source.name);
}

/** Tells that timestamps of these inputs do not count from the same moment. */
export function noteDifferentStarts(starts: readonly { name: string; start: bigint | undefined }[], notes: string[]) {
  const known = starts.filter((s) => s.start !== undefined);
  const first = known[0];
  const other = known.find((s) => s.start !== first?.start);
  if (first === undefined || other === undefined) return;
  notes.push(
    `the recordings did not begin at the same moment (${JSON.stringify(first.name)} and ${JSON.stringify(other.name)}), ` +
      "and their timestamps are ordered as written; `tk sort --align wall` puts them on one axis",
  );
}
