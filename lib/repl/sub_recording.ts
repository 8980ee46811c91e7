// Some rows of a recording as a recording of their own, over the same text: what analysis and drawings are given when filters are in force.
import { ABSENT } from "../model/ids.ts";
import { EventTable } from "../model/event_table.ts";
import type { Recording } from "../model/recording.ts";

export function subRecording(recording: Recording, rows: Int32Array): Recording {
  const from = recording.events;
  const to = new EventTable(rows.length);
  const place = new Map<number, number>();
  rows.forEach((row, i) => {
    if (from.mate[row] !== ABSENT) place.set(row, i);
  });
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    to.prepare();
    to.ts[i] = from.ts[row]!;
    to.seq[i] = from.seq[row]!;
    to.kind[i] = from.kind[row]!;
    to.pid[i] = from.pid[row]!;
    to.ppid[i] = from.ppid[row]!;
    to.pgid[i] = from.pgid[row]!;
    to.sid[i] = from.sid[row]!;
    to.code[i] = from.code[row]!;
    to.signal[i] = from.signal[row]!;
    to.mate[i] = from.mate[row] === ABSENT ? ABSENT : (place.get(from.mate[row]!) ?? ABSENT);
    to.at[i] = from.at[row]!;
    to.len[i] = from.len[row]!;
    to.length++;
  }
  return { ...recording, events: to };
}
