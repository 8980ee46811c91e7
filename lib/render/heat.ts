// The sources with what each line cost beside it: the files in which most time was spent first. From the heads of blocks alone.
import { count, displayWidth, padStart, printable } from "../base/text.ts";
import { linesOfFile } from "../lines/hot_points.ts";
import { codeOfPlace, LineCosts } from "../lines/line_costs.ts";
import type { CostedTraces } from "../lines/line_track.ts";
import { formatDuration } from "../model/time.ts";
import { SourceTexts } from "./lines.ts";
import { paint } from "./paint.ts";
import type { RenderOptions, TextSink, TraceRenderer } from "./renderer.ts";

const BAR = 8;
const BLOCKS = " ▏▎▍▌▋▊▉█";

export function* renderHeat(traces: CostedTraces, options: RenderOptions, out: TextSink): Generator<void> {
  const on = paint(options.color);
  const costs = new LineCosts();
  traces.addCosts(costs);
  yield;
  const files = new Map<number, { self: number; count: number }>();
  for (let i = 0; i < costs.length; i++) {
    const { file, self, count: n } = costs.at(i);
    const sum = files.get(file) ?? { self: 0, count: 0 };
    files.set(file, { self: sum.self + self, count: sum.count + n });
  }
  const perSecond = traces.clock.ticksPerSecond;
  const time = (ticks: number) => formatDuration((ticks * 1e9) / perSecond);
  const order = [...files].sort(([, a], [, b]) => b.self - a.self);
  const texts = new SourceTexts(traces);
  const shown = order.slice(0, options.limit ?? Infinity);
  let first = true;
  for (const [file, sum] of shown) {
    if (!first) out.text("\n");
    first = false;
    if (file < 0) {
      const name = printable(traces.codes[codeOfPlace(file)]?.name ?? "(no file)", options.unicode);
      out.text(on.strong(name) + `  ${time(sum.self)}\n`);
      continue;
    }
    const path = printable(traces.sources[file]?.path ?? "(unknown file)", options.unicode);
    out.text(on.strong(path) + `  ${time(sum.self)} in its lines, ${count(sum.count, "line")} executed\n`);
    out.text(on.dim("    COUNT     SELF  CUMULATED             LINE\n"));
    const known = linesOfFile(costs, file);
    const text = texts.lines(file);
    let hottest = 0;
    for (const cost of known.values()) hottest = Math.max(hottest, cost.self);
    const last = text.length > 0 ? text.map((_, i) => i + 1) : [];
    // Lines that the kept text has not: all of them when there is no text.
    const beyond = [...known.keys()].filter((line) => line > text.length).sort((a, b) => a - b);
    let rows = 0;
    for (const line of [...last, ...beyond]) {
      const cost = known.get(line);
      const source = printable((text[line - 1] ?? "").replaceAll("\t", "    "), options.unicode);
      const cells =
        cost === undefined
          ? " ".repeat(28)
          : `${padStart(cost.count > 0 ? String(cost.count) : "", 9)}  ${padStart(time(cost.self), 7)}  ${padStart(time(cost.cumulated), 8)}`;
      const bar = heatBar(cost?.self ?? 0, hottest, options.unicode);
      const row = `${cells}  ${bar}  ${padStart(String(line), 6)}  ${source}`.trimEnd();
      out.text(fit(row, options) + "\n");
      if (++rows % 1024 === 0) yield;
    }
  }
  if (shown.length < order.length)
    out.text(on.odd(`\n... and ${count(order.length - shown.length, "more file")} (--limit N shows more)\n`));
}

function heatBar(self: number, hottest: number, unicode: boolean): string {
  const part = hottest > 0 ? self / hottest : 0;
  if (!unicode) return "#".repeat(Math.round(part * BAR)).padEnd(BAR);
  const eighths = Math.round(part * BAR * 8);
  const bar = "█".repeat(eighths >> 3) + (eighths % 8 > 0 ? BLOCKS[eighths % 8]! : "");
  return bar + " ".repeat(BAR - displayWidth(bar));
}

function fit(row: string, { width, full }: RenderOptions): string {
  if (full || displayWidth(row) <= width) return row;
  let text = row.slice(0, width);
  while (displayWidth(text) > width) text = text.slice(0, -1);
  return text;
}

export const heat: TraceRenderer = {
  id: "heat",
  summary: "The sources with what each line cost",
  shape: "traces",
  render: renderHeat,
};
