// One block of a trackexec log (8192 bytes, 16-bit words) to rows of executed lines.
// Format: word 0 is the number S of open frames; then S pairs file, line; then code up to a 0:
//   65535 f        a frame of file f is entered     65534   it is left
//   65533 a b c d  ticks since the last stamp       1 ...   this line of the top frame's file starts
// Blocks come from strangers: whatever the words are, this returns, with rows that make sense and a sentence on what did not.
import { keyOf, type LineRows } from "../lines/line_rows.ts";

export const BLOCK_WORDS = 4096;
export const BLOCK_BYTES = 2 * BLOCK_WORDS;

/** More rows than words there cannot be, nor more frames. */
export const MOST_ROWS = 4096;

const ENTER = 65535;
const LEAVE = 65534;
const STAMP = 65533;

/** An operand of a stamp carries 15 bits, plus one. */
const MOST_OPERAND = 32768;

/** A stamp further than this after the last is none: 2^45 ticks are more than a year. */
const MOST_TICKS = 2 ** 45;

export type BlockFault = string;

export interface BlockTimes {
  readonly start: number;
  /** When the next block started. Undefined for the last block, which ends with its last line. */
  readonly end: number | undefined;
  /** The block's last stamp is its end, since when the next one started is not known. */
  readonly endsAtStamp?: boolean;
}

export class BlockDecoder {
  /** File of each open frame, outermost first. */
  private readonly frames = new Uint16Array(2 * BLOCK_WORDS);
  /** The last time stamp of the block that was decoded. */
  lastStamp = 0;

  /**
   * Fills `rows` from `words`, which are fewer than a block's where the file was cut. Returns the first thing that was wrong; what could be
   * understood is in `rows` all the same.
   */
  decode(words: Uint16Array, times: BlockTimes, rows: LineRows): BlockFault | undefined {
    const { key, depth } = rows;
    const { frames } = this;
    const { start } = times;
    rows.clear(start);
    this.lastStamp = start;
    if (words.length < 1) return "it is empty";
    const open = words[0]!;
    if (1 + 2 * open > BLOCK_WORDS) return `a stack of ${open} frames does not fit into it`;
    if (1 + 2 * open > words.length) return "it ends inside its stack";
    let n = 0;
    for (; n < open; n++) {
      frames[n] = words[1 + 2 * n]!;
      key[n] = keyOf(words[1 + 2 * n]!, words[2 + 2 * n]!);
      depth[n] = n + 1;
      rows.time[n] = start;
    }
    rows.snapshot = open;
    let fault: BlockFault | undefined;
    let frame = open;
    let stamp = start;
    /** First row since the last stamp. */
    let from = open;
    let at = 1 + 2 * open;
    let ended = false;
    while (at < words.length) {
      const word = words[at++]!;
      if (word === 0) {
        ended = true;
        break;
      }
      if (word === ENTER) {
        if (at === words.length) break;
        frames[frame++] = words[at++]!;
        continue;
      }
      if (word === LEAVE) {
        if (frame > 0) frame--;
        else fault ??= "it leaves more frames than are open";
        continue;
      }
      if (word === STAMP) {
        const said = stampAfter(words, at, stamp);
        if (said !== undefined) {
          const next = Math.min(said, times.end ?? said);
          if (next < said) fault ??= "it has a time stamp after its end";
          rows.length = n;
          if (n > from) rows.spread(from, stamp, next);
          from = n;
          stamp = next;
          at += 4;
          continue;
        }
        if (at + 4 > words.length) break;
        // Line 65533 of a file that long is written as the same word; what cannot be a stamp is taken for it.
        fault ??= "it has an impossible time stamp (the format cannot tell one from line 65533)";
      }
      if (frame === 0) {
        fault ??= "a line runs while no frame is open";
        continue;
      }
      key[n] = keyOf(frames[frame - 1]!, word);
      depth[n] = frame;
      n++;
    }
    rows.length = n;
    if (!ended) fault ??= words.length < BLOCK_WORDS ? "it is cut off" : "its code has no end";
    else if (fault === undefined && hasWords(words, at))
      fault = "there are words after its end (line 65536 is written as its end)";
    const end = times.end ?? stamp;
    if (n > from) rows.spread(from, stamp, end);
    this.lastStamp = stamp;
    rows.end = times.end ?? (times.endsAtStamp === true || n === open ? stamp : rows.time[n - 1]!);
    return fault;
  }
}

/** The time that a stamp's four operands at `at` say; undefined when they are none. */
function stampAfter(words: Uint16Array, at: number, stamp: number): number | undefined {
  if (at + 4 > words.length) return undefined;
  let ticks = 0;
  for (let i = 3; i >= 0; i--) {
    const operand = words[at + i]!;
    if (operand === 0 || operand > MOST_OPERAND) return undefined;
    ticks = ticks * MOST_OPERAND + (operand - 1);
  }
  return ticks < MOST_TICKS ? stamp + ticks : undefined;
}

function hasWords(words: Uint16Array, from: number): boolean {
  for (let i = from; i < words.length; i++) if (words[i] !== 0) return true;
  return false;
}
