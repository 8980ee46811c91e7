// Some rows of a recording as a recording of their own, over the same text: what is drawn, analysed and written when a filter is in force.
// Header, end, lost events and sources stay whatever was asked for, so that the result is still a recording and hides no loss.
import { KIND } from "../model/event.ts";
import { EventTable } from "../model/event_table.ts";
import { ABSENT } from "../model/ids.ts";
import type { Recording } from "../model/recording.ts";

const ALWAYS: readonly number[] = [KIND.recording, KIND.end, KIND.lost, KIND.source];

/** `mask`, by row of the recording, says which rows stay; it is completed by what always stays, and parts of an exec stay together. */
export function keepRows(recording: Recording, mask: Uint8Array): Recording {
  const from = recording.events;
  const { length, kind, mate } = from;
  const stays = new Uint8Array(256);
  for (const code of ALWAYS) stays[code] = 1;
  let kept = 0;
  let parts = false;
  for (let row = 0; row < length; row++) {
    if (stays[kind[row]!] === 1) mask[row] = 1;
    if (mate[row] !== ABSENT) parts = true;
  }
  if (parts) keepRings(from, mask);
  for (let row = 0; row < length; row++) kept += mask[row]!;
  const to = new EventTable(kept);
  const place = parts ? new Int32Array(length).fill(ABSENT) : undefined;
  for (let row = 0; row < length; row++) {
    if (mask[row] === 0) continue;
    const i = to.prepare();
    if (place !== undefined) place[row] = i;
    to.ts[i] = from.ts[row]!;
    to.seq[i] = from.seq[row]!;
    to.kind[i] = kind[row]!;
    to.pid[i] = from.pid[row]!;
    to.ppid[i] = from.ppid[row]!;
    to.pgid[i] = from.pgid[row]!;
    to.sid[i] = from.sid[row]!;
    to.code[i] = from.code[row]!;
    to.signal[i] = from.signal[row]!;
    to.mate[i] = mate[row]!;
    to.at[i] = from.at[row]!;
    to.len[i] = from.len[row]!;
    to.length = i + 1;
  }
  if (place !== undefined)
    for (let i = 0; i < to.length; i++) if (to.mate[i] !== ABSENT) to.mate[i] = place[to.mate[i]!]!;
  return { ...recording, events: to };
}

/** An exec that was recorded in parts stays whole when any of them does; a ring is short, a damaged one must not hold us. */
function keepRings({ mate, length }: EventTable, mask: Uint8Array): void {
  for (let row = 0; row < length; row++)
    if (mask[row] === 1)
      for (let next = mate[row]!, i = 0; next !== ABSENT && next !== row && i < 8; i++) {
        mask[next] = 1;
        next = mate[next]!;
      }
}
