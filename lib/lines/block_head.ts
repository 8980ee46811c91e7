// The head of a block of executed lines: everything that analysis, breakpoints and heat ask of it, without its events. It is
// complete in itself, refers to sources by their content's name, and holds no absolute time, so a block may be moved to any
// recording and along the time axis.
//
//   version, flags, words, events, depth least, sources, codes (source, first line, name), frames open at the start (code, line),
//   totals by code and line: executions, and of those with time: self, outermost, every level
//
// Blocks come from strangers: decoding returns a sentence where it cannot go on, allocates no more than the bytes can hold, and never throws.
import { VarReader, VarWriter } from "./varint.ts";

const VERSION = 1;
const APPROXIMATE = 1;

/** Limits of what is believed; the recorder stays far below each. */
const MOST_WORDS = 1 << 20;
const MOST_NAME = 1 << 16;
const MOST_LINE = 0x7fffffff;
const MOST_ENTRIES = 1 << 22;

export interface HeadCode {
  /** Index in `sources`; -1 for none, such as the wait of an event loop. */
  readonly source: number;
  readonly firstLine: number;
  readonly name: string;
}

/** What each line of the block cost: one entry a code and line, executed or only open. Nanoseconds, exact. */
export interface HeadTotals {
  readonly length: number;
  readonly code: Int32Array;
  readonly line: Int32Array;
  /** Executions; 0 for a line that was only open. */
  readonly count: Float64Array;
  readonly self: Float64Array;
  /** Callees included, recursion counted once: while the line (of that file) was open on any frame. */
  readonly cumulated: Float64Array;
  /** The same for each frame that it was open on. */
  readonly everyLevel: Float64Array;
}

export interface BlockHead {
  /** Lines, enters and leaves. */
  readonly words: number;
  /** Executed lines. */
  readonly events: number;
  /** The smallest number of open frames at any moment. */
  readonly minDepth: number;
  /** Times between stamps are interpolated. */
  readonly approximate: boolean;
  /** `Source.id` of each file that codes refer to. */
  readonly sources: readonly string[];
  readonly codes: readonly HeadCode[];
  /** Frames open at the start, outermost first: code and line (0: it has not come to its first). */
  readonly stackCode: Int32Array;
  readonly stackLine: Int32Array;
  readonly totals: HeadTotals;
}

export function encodeHead(head: BlockHead): Uint8Array {
  const out = new VarWriter(4096);
  const { codes, stackCode, stackLine, totals } = head;
  out.put(VERSION);
  out.put(head.approximate ? APPROXIMATE : 0);
  out.put(head.words);
  out.put(head.events);
  out.put(head.minDepth);
  out.put(head.sources.length);
  for (const id of head.sources) out.putText(id);
  out.put(codes.length);
  for (const { source, firstLine, name } of codes) {
    out.put(source + 1);
    out.put(firstLine);
    out.putText(name);
  }
  out.put(stackCode.length);
  let before = 0;
  for (let i = 0; i < stackCode.length; i++) {
    out.putSigned(stackCode[i]! - before);
    before = stackCode[i]!;
  }
  before = 0;
  for (let i = 0; i < stackLine.length; i++) {
    out.putSigned(stackLine[i]! - before);
    before = stackLine[i]!;
  }
  out.put(totals.length);
  let code = 0;
  let line = 0;
  for (let i = 0; i < totals.length; i++) {
    const next = totals.code[i]!;
    out.put(next - code);
    out.putSigned(totals.line[i]! - (next === code ? line : 0));
    code = next;
    line = totals.line[i]!;
  }
  for (let i = 0; i < totals.length; i++) out.put(totals.count[i]!);
  for (let i = 0; i < totals.length; i++) out.put(totals.self[i]!);
  // Mostly the two are the same, and no less than the line's own time.
  for (let i = 0; i < totals.length; i++) out.putSigned(totals.cumulated[i]! - totals.self[i]!);
  for (let i = 0; i < totals.length; i++) out.putSigned(totals.everyLevel[i]! - totals.cumulated[i]!);
  return out.view().slice();
}

/** A sentence when the bytes are no head. */
export function decodeHead(bytes: Uint8Array): BlockHead | string {
  const r = new VarReader(bytes);
  const version = r.take();
  if (!r.failed && version !== VERSION) return `its head has version ${version}, this tk knows ${VERSION}`;
  const flags = r.take();
  const words = r.take();
  const events = r.take();
  const minDepth = r.take();
  if (words > MOST_WORDS || events > words) return `its head claims ${events} lines in ${words} events`;
  const sources: string[] = [];
  for (let n = r.takeCount(MOST_ENTRIES); n > 0 && !r.failed; n--) sources.push(r.takeText(MOST_NAME));
  const codes: HeadCode[] = [];
  for (let n = r.takeCount(MOST_ENTRIES); n > 0 && !r.failed; n--) {
    const source = r.take() - 1;
    const firstLine = r.take();
    const name = r.takeText(MOST_NAME);
    if (source >= sources.length || firstLine > MOST_LINE) return "its table of functions is damaged";
    codes.push({ source, firstLine, name });
  }
  const depth = r.takeCount(MOST_ENTRIES);
  const stackCode = new Int32Array(depth);
  const stackLine = new Int32Array(depth);
  let wrong = false;
  let value = 0;
  for (let i = 0; i < depth; i++) {
    value += r.takeSigned();
    wrong ||= value < 0 || value >= codes.length;
    stackCode[i] = value;
  }
  value = 0;
  for (let i = 0; i < depth; i++) {
    value += r.takeSigned();
    wrong ||= value < 0 || value > MOST_LINE;
    stackLine[i] = value;
  }
  if (wrong) return "its stack is damaged";
  const totals = decodeTotals(r, codes.length);
  if (r.failed || totals === undefined) return "its head is cut off or damaged";
  return {
    words,
    events,
    minDepth,
    approximate: (flags & APPROXIMATE) !== 0,
    sources,
    codes,
    stackCode,
    stackLine,
    totals,
  };
}

function decodeTotals(r: VarReader, codes: number): HeadTotals | undefined {
  const n = r.takeCount(MOST_ENTRIES);
  const code = new Int32Array(n);
  const line = new Int32Array(n);
  const count = new Float64Array(n);
  const self = new Float64Array(n);
  const cumulated = new Float64Array(n);
  const everyLevel = new Float64Array(n);
  let lastCode = 0;
  let lastLine = 0;
  for (let i = 0; i < n; i++) {
    const step = r.take();
    lastLine = r.takeSigned() + (step === 0 ? lastLine : 0);
    lastCode += step;
    if (lastCode >= codes || lastLine < 0 || lastLine > MOST_LINE) return undefined;
    code[i] = lastCode;
    line[i] = lastLine;
  }
  for (let i = 0; i < n; i++) count[i] = r.take();
  for (let i = 0; i < n; i++) self[i] = r.take();
  for (let i = 0; i < n; i++) {
    cumulated[i] = self[i]! + r.takeSigned();
    if (!(cumulated[i]! >= 0)) return undefined;
  }
  for (let i = 0; i < n; i++) {
    everyLevel[i] = cumulated[i]! + r.takeSigned();
    if (!(everyLevel[i]! >= 0)) return undefined;
  }
  return { length: n, code, line, count, self, cumulated, everyLevel };
}
