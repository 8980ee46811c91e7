// Laws of the analyses, over senseless and over drawn recordings: the critical path has no holes, times add up, and every
// format of every report is well formed and steers no terminal.
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { displayWidth } from "../../lib/base/text.ts";
import { Analysis } from "../../lib/analyse/analysis.ts";
import { writeCsv, writeJson, writeNdjson } from "../../lib/analyse/machine.ts";
import { sections } from "../../lib/analyse/registry.ts";
import { makeReport } from "../../lib/analyse/report.ts";
import type { Report } from "../../lib/analyse/table.ts";
import { writeText } from "../../lib/analyse/text_table.ts";
import { Covered } from "../../lib/derive/covered.ts";
import { deriveConcurrency } from "../../lib/derive/concurrency.ts";
import { type CriticalPath, deriveCriticalPath } from "../../lib/derive/critical_path.ts";
import { deriveProcesses, drawnEnd, type Processes } from "../../lib/derive/processes.ts";
import { deriveTree } from "../../lib/derive/tree.ts";
import { KIND } from "../../lib/model/event.ts";
import { EventTable } from "../../lib/model/event_table.ts";
import { ABSENT } from "../../lib/model/ids.ts";
import type { Recording } from "../../lib/model/recording.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { DRAWINGS } from "../support/drawings.ts";
import { timeline, timelineText } from "../support/timeline.ts";

const KINDS = [KIND.fork, KIND.fork, KIND.exec, KIND.exit, KIND.exec_failed, KIND.report] as const;

/** Anything at all: few pids, few times, so that they meet. */
const senseless = fc
  .array(
    fc.record({
      ts: fc.integer({ min: 0, max: 40 }).map((x) => x * 700_000),
      seq: fc.integer({ min: -1, max: 20 }),
      kind: fc.constantFrom(...KINDS),
      pid: fc.integer({ min: 1, max: 7 }),
      ppid: fc.integer({ min: -1, max: 7 }),
    }),
    { maxLength: 60 },
  )
  .map((rows) => {
    const t = new EventTable(rows.length);
    for (const r of rows) {
      const row = t.prepare();
      t.ts[row] = r.ts;
      t.seq[row] = r.seq;
      t.kind[row] = r.kind;
      t.pid[row] = r.pid;
      t.ppid[row] = r.ppid;
      t.length++;
    }
    return deriveProcesses(t);
  });

function checkPath(p: Processes, path: CriticalPath): void {
  let at = path.start;
  let sum = 0;
  for (let i = 0; i < path.length; i++) {
    expect(path.from[i]).toBe(at);
    expect(path.to[i]!).toBeGreaterThan(at);
    at = path.to[i]!;
    sum += path.to[i]! - path.from[i]!;
    const life = path.life[i]!;
    if (life === ABSENT) continue;
    expect(path.from[i]!).toBeGreaterThanOrEqual(p.start[life]!);
    expect(path.to[i]!).toBeLessThanOrEqual(drawnEnd(p, life));
  }
  expect(sum).toBe(path.end - path.start);
  if (path.length > 0) expect(at).toBe(path.end);
}

test("critical path: segments touch, do not overlap, lie in their process's life and sum to the wall time", () => {
  fc.assert(
    fc.property(senseless, fc.boolean(), (p, open) => {
      const tree = deriveTree(p);
      checkPath(p, deriveCriticalPath(p, tree, ABSENT, open));
      for (const root of tree.roots) checkPath(p, deriveCriticalPath(p, tree, root, open));
    }),
    { numRuns: 1000 },
  );
});

test("concurrency: times add up to the whole, and leaves are never more than the living", () => {
  fc.assert(
    fc.property(senseless, (p) => {
      const c = deriveConcurrency(p, p.firstTime, p.lastTime, 7);
      const wall = p.lastTime - p.firstTime;
      expect(c.leafTime.reduce((a, b) => a + b, 0)).toBe(wall);
      let lives = 0;
      for (let life = 0; life < p.length; life++)
        lives += Math.min(p.lastTime, drawnEnd(p, life)) - Math.max(p.firstTime, p.start[life]!);
      expect(c.aliveSum).toBe(lives);
      expect(c.leafSum).toBeLessThanOrEqual(c.aliveSum);
      let serial = 0;
      for (let i = 0; i < c.windows.length; i++) serial += c.windows.to[i]! - c.windows.from[i]!;
      expect(serial).toBe((c.leafTime[0] ?? 0) + (c.leafTime[1] ?? 0));
      if (wall > 0) expect(c.bucketLeaves.reduce((a, b) => a + b, 0) * (wall / 7)).toBeCloseTo(c.leafSum, 0);
    }),
    { numRuns: 500 },
  );
});

test("covered: the same as counting moments", () => {
  fc.assert(
    fc.property(senseless, (p) => {
      const tree = deriveTree(p);
      const covered = new Covered(p, tree);
      for (let life = 0; life < p.length; life++) {
        covered.of(life);
        const from = p.start[life]!;
        const to = drawnEnd(p, life);
        let counted = 0;
        for (let t = from; t < to; t += 700_000) {
          const under = tree.child
            .subarray(tree.childAt[life], tree.childAt[life + 1])
            .some((c) => p.start[c]! <= t && drawnEnd(p, c) > t);
          if (under) counted += 700_000;
        }
        expect(covered.within(from, to)).toBe(counted);
      }
    }),
    { numRuns: 300 },
  );
});

function report(recording: Recording, by: "program" | "argv" | "exe", limit: number, unicode = true): Report {
  const analysis = new Analysis(recording, { by, unicode, full: !unicode });
  const steps = makeReport(analysis, { sections: sections.entries, limit, sort: undefined });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function written(write: (text: (s: string) => void) => void): string {
  let out = "";
  write((s) => (out += s));
  return out;
}

const SAFE = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u;

/** Every format of every report: it parses, it is as wide as it may be, and it steers nothing. */
function checkFormats(recording: Recording): void {
  for (const by of ["program", "argv", "exe"] as const) {
    const r = report(recording, by, 5);
    for (const table of r.tables) for (const row of table.rows) expect(row.length).toBe(table.columns.length);
    for (const width of [20, 60, Infinity])
      for (const unicode of [true, false]) {
        const own = unicode ? r : report(recording, by, 5, false);
        const text = written((t) => writeText(own, { width, color: false, unicode }, t));
        for (const line of text.split("\n")) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
          expect(line).toMatch(unicode ? SAFE : /^[\x20-\x7e]*$/);
        }
      }
    const json = written((t) => writeJson(r, t));
    for (const line of json.split("\n")) expect(line).toMatch(SAFE);
    const parsed = JSON.parse(json) as Record<string, unknown>;
    for (const table of r.tables)
      expect((parsed[table.id.replaceAll("-", "_")] as unknown[]).length).toBe(table.rows.length);
    const lines = written((t) => writeNdjson(r, t))
      .trimEnd()
      .split("\n");
    expect(lines.length).toBe(1 + r.notes.length + r.tables.reduce((n, t) => n + t.rows.length, 0));
    for (const line of lines) JSON.parse(line);
    for (const table of r.tables) {
      const csv = written((t) => writeCsv(table, t));
      const rows = csv.split("\r\n");
      expect(rows.length).toBe(table.rows.length + 2);
      for (const row of rows) {
        expect(row).toMatch(SAFE);
        const fields = row === "" ? [] : row.match(/("(?:[^"]|"")*"|[^,]*)(,|$)/g)!;
        for (const field of fields) expect(field).not.toMatch(/^"?[=+@]/);
      }
    }
  }
}

test("every drawing has a report in every format", () => {
  for (const drawing of Object.values(DRAWINGS)) checkFormats(timeline(drawing));
});

test("damaged recordings have reports, too", () => {
  const whole = Object.values(DRAWINGS)
    .map((d) => timelineText(d))
    .filter((t) => t !== "");
  const damaged = fc
    .tuple(fc.constantFrom(...whole), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }))
    .map(([text, damages]) => {
      const bytes = new TextEncoder().encode(text);
      for (const [at, byte] of damages) bytes[at % bytes.length] = byte;
      return bytes;
    });
  fc.assert(
    fc.property(damaged, (bytes) => checkFormats(decodeRecording(bytes, "damaged"))),
    { numRuns: 60 },
  );
});
