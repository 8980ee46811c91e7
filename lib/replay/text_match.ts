// Whether a text stands in the program or the arguments of an exec, for a search over hundreds of thousands of them: most lines are ruled
// out by their bytes, and only the others are decoded. Small letters find capitals too.
import type { Derived } from "../derive/derived.ts";
import { KIND } from "../model/event.ts";
import { argvOf, filenameOf } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";

const encoder = new TextEncoder();

export function textMatcher(recording: Derived["recording"], wanted: string): (row: number) => boolean {
  const { events, text } = recording;
  const { kind, mate, at, len } = events;
  const fold = wanted === wanted.toLowerCase();
  const inText = (s: string) => (fold ? s.toLowerCase() : s).includes(wanted);
  // What JSON writes in the same way everywhere can be looked for in the bytes.
  const bytes = /^[\x20-\x7e]+$/.test(wanted) && !/["\\]/.test(wanted) ? encoder.encode(wanted) : undefined;
  return (row) => {
    const k = kind[row]!;
    if (k !== KIND.exec && k !== KIND.exec_failed) return false;
    // A blank may be where two words meet.
    if (bytes !== undefined && mate[row] === ABSENT && !wanted.includes(" "))
      if (!mayHold(text.read(at[row]!, len[row]!), bytes, fold)) return false;
    const argv = argvOf(recording, row);
    if (argv !== undefined && inText(argv.words.join(" "))) return true;
    const file = filenameOf(recording, row);
    return file !== undefined && inText(file.text);
  };
}

const BACKSLASH = 92;

/** False when the bytes cannot hold it; a line with escapes is not looked at closely. */
function mayHold(line: Uint8Array, wanted: Uint8Array, fold: boolean): boolean {
  const size = wanted.length;
  const first = wanted[0]!;
  const capital = fold && first >= 97 && first <= 122 ? first - 32 : first;
  const last = line.length - size;
  // Letters outside ASCII may have a small form inside it (the Kelvin sign): then all bytes of a line count, by this bit.
  let seen = 0;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    seen |= c;
    if (c === BACKSLASH) return true;
    if ((c !== first && c !== capital) || i > last) continue;
    let k = 1;
    while (k < size && lower(line[i + k]!, fold) === wanted[k]) k++;
    if (k === size) return true;
  }
  return fold && (seen & 128) !== 0;
}

function lower(c: number, fold: boolean): number {
  return fold && c >= 65 && c <= 90 ? c + 32 : c;
}
