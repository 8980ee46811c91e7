// A Gantt chart in characters: a bar a process over the width of the terminal, and over them how many ran at once.
//
//          0s                    2.3s                  4.5s
//          ▁▂▇▇▇▇▇▅▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
//   p0     ██████████████████████████████████████████████  make -j2
//   p1     ▕████▌                                          cc -c a.c
import { cutEnd, padEnd } from "../base/text.ts";
import { drawnEnd } from "../derive/processes.ts";
import { ABSENT } from "../model/ids.ts";
import { formatDuration } from "../model/time.ts";
import type { Book } from "./book.ts";
import { endOf } from "./describe.ts";
import type { View } from "./output.ts";

export interface TimelineOptions {
  readonly lives: readonly number[];
  /** All that remain, with a row of their own or not: they are counted over the bars. */
  readonly all: readonly number[];
  readonly from: number;
  readonly to: number;
  /** The moment at hand, drawn under the scale. */
  readonly now: number;
}

const LEVELS = "▁▂▃▄▅▆▇█";
const LEVELS_ASCII = ".:-=+*#@";
const WIDEST = 400;

export function* timelineLines(book: Book, options: TimelineOptions, view: View): Iterable<string> {
  const { processes: p } = book;
  const { from, to, lives } = options;
  const width = Math.min(view.width, WIDEST);
  const handle = Math.max(2, ...lives.map((life) => `p${life}`.length)) + 1;
  const names = lives.map((life) => book.programOf(life));
  const name = Math.min(Math.max(0, ...names.map((n) => n.length)), Math.floor(width / 4));
  const columns = Math.max(8, Math.min(width, 200) - handle - (width < 30 ? 0 : name + 2) - 1);
  const span = Math.max(1, to - from);
  const column = (t: number) => ((t - from) / span) * columns;
  const { paint } = view;
  yield paint.dim(`${" ".repeat(handle)}${scale(from, to, columns)}`) + "\n";
  const rows = book.processes.length;
  yield (
    `${padEnd("", handle)}${paint.odd(parallelism(book, options, columns, view.unicode))}` +
      (rows > 0 && width >= 60 ? paint.dim("  running") : "") +
      "\n"
  );
  if (options.now > from && options.now <= to) {
    const at = Math.min(columns - 1, Math.floor(column(options.now)));
    yield `${" ".repeat(handle + at)}${paint.strong(view.unicode ? "▼" : "v")}\n`;
  }
  const dots = view.unicode ? "…" : "...";
  for (const [i, life] of lives.entries()) {
    const bar = barOf(column(p.start[life]!), column(drawnEnd(p, life)), columns, view.unicode);
    const end = endOf(book, life);
    const failed = end !== "" && p.exitRow[life] !== ABSENT;
    const label = width < 30 ? "" : `  ${cutEnd(names[i]!, Math.max(4, name), dots)}`;
    yield `${paint.dim(padEnd(`p${life}`, handle))}${failed ? paint.bad(bar) : bar}${failed ? paint.bad(label) : label}\n`;
  }
  const left = options.all.length - lives.length;
  if (left > 0) yield paint.dim(cutEnd(`${dots} and ${left} shorter: timeline N draws N`, width, dots)) + "\n";
}

/** A bar from one fraction of a column to another, with eighths where the locale has them. */
function barOf(from: number, to: number, columns: number, unicode: boolean): string {
  const first = Math.min(columns - 1, Math.max(0, Math.floor(from)));
  const end = Math.min(columns, Math.max(to, from));
  const whole = Math.floor(end);
  const rest = Math.floor((end - whole) * 8);
  if (!unicode) {
    const length = Math.max(1, Math.round(end) - first);
    return padEnd(" ".repeat(first) + (length === 1 ? "|" : "#".repeat(length)), columns).slice(0, columns);
  }
  let bar: string;
  if (whole <= first) bar = rest < 3 && end - from < 0.5 ? "▏" : "▎▎▍▌▋▊▉█"[Math.max(0, rest)]!;
  else bar = "█".repeat(whole - first) + (rest > 0 && whole < columns ? " ▏▎▍▌▋▊▉"[rest]! : "");
  return padEnd(" ".repeat(first) + bar, columns);
}

/** How many of all processes that remain ran in each column, on average. */
function parallelism(book: Book, { all, from, to }: TimelineOptions, columns: number, unicode: boolean): string {
  const { processes: p, tree } = book;
  const sums = new Float64Array(columns);
  const each = Math.max(1, to - from) / columns;
  for (const life of all) {
    // Who waits for children is not running: leaves alone are counted.
    if (tree.childAt[life + 1]! > tree.childAt[life]!) continue;
    const a = Math.max(0, (p.start[life]! - from) / each);
    const b = Math.min(columns, (drawnEnd(p, life) - from) / each);
    for (let c = Math.floor(a); c < b; c++) sums[c]! += Math.min(b, c + 1) - Math.max(a, c);
  }
  const most = Math.max(1, ...sums);
  const levels = unicode ? LEVELS : LEVELS_ASCII;
  return [...sums].map((s) => (s === 0 ? " " : levels[Math.min(7, Math.floor((s / most) * 7.99))]!)).join("");
}

function scale(from: number, to: number, columns: number): string {
  const left = formatDuration(from);
  const right = formatDuration(to);
  const middle = formatDuration((from + to) / 2);
  if (columns < left.length + middle.length + right.length + 4) return padEnd(left, columns);
  const half = Math.floor(columns / 2) - Math.floor(middle.length / 2);
  return padEnd(padEnd(left, half) + middle, columns - right.length) + right;
}
