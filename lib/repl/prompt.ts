// What stands before the line: where one is, what is in force, and how much remains. Never takes more than half of the terminal.
//
//   tk> a recording, everything                     tk p12 make> in a process
//   tk [wall > 10ms] 31 of 412> with a filter       tk e40 +1.234s> at an event
import { cutEnd, displayWidth, thousands } from "../base/text.ts";
import { ABSENT } from "../model/ids.ts";
import { type Span, span, STYLE, type StyledLine } from "../terminal/styled.ts";
import type { Book } from "./book.ts";
import { moment } from "./describe.ts";
import type { Session } from "./session.ts";

export interface PromptState {
  readonly book: Book | undefined;
  readonly session: Session;
  /** While the recording is being read: how much of it, from 0 to 1; NaN when that cannot be known. */
  readonly loading: number | undefined;
  /** Events keep coming. */
  readonly growing: boolean;
}

export function makePrompt(state: PromptState, columns: number, unicode: boolean): StyledLine {
  const { book, session, loading } = state;
  const most = Math.max(4, Math.floor(columns / 2) - 2);
  const dots = unicode ? "…" : "...";
  const parts: Span[] = [];
  if (loading !== undefined)
    parts.push(span(Number.isNaN(loading) ? "loading" : `loading ${Math.floor(loading * 100)}%`, STYLE.dim));
  else if (book !== undefined) {
    const { life, row, time } = session.position;
    if (life !== ABSENT && life < book.processes.length)
      parts.push(span(`p${life} ${cutEnd(book.programOf(life), 16, dots)}`, STYLE.cyan));
    if (row >= 0) parts.push(span(`e${row} ${shortMoment(time)}`, STYLE.dim));
    const { filters } = session;
    if (filters.length > 0 || life !== ABSENT) {
      const last = filters.at(-1);
      const more = filters.length > 1 ? ` +${filters.length - 1}` : "";
      if (last !== undefined) parts.push(span(`[${cutEnd(last.name ?? last.text, 24, dots)}${more}]`, STYLE.yellow));
      const { liveCount } = book.scope(session);
      parts.push(span(`${thousands(liveCount)} of ${thousands(book.processes.length)}`, STYLE.dim));
    }
  }
  if (state.growing) parts.push(span("live", STYLE.green));
  // What matters least goes first where there is no room: the time, then how many remain.
  let shown = parts;
  const width = () => 4 + shown.reduce((sum, s) => sum + displayWidth(s.text) + 1, 0);
  for (const drop of [STYLE.dim, STYLE.green, STYLE.cyan]) {
    if (width() <= most) break;
    shown = shown.filter((s) => s.style !== drop);
  }
  if (width() > most) shown = shown.map((s) => span(cutEnd(s.text, Math.max(1, most - 5), dots), s.style));
  if (width() > Math.max(most, 6)) shown = [];
  const out: Span[] = [span("tk", STYLE.bold)];
  for (const part of shown) out.push(span(" "), part);
  return [...out, span("> ", STYLE.bold)];
}

function shortMoment(ns: number): string {
  return moment(ns).replace(/(\.\d{3})\d+s$/, "$1s");
}
