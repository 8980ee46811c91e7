// Logs of the older tracer as tracks: any block in any order, the same costs as its analysis, and logs that grow.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LineCosts } from "../../lib/lines/line_costs.ts";
import { Problems } from "../../lib/model/problem.ts";
import { TrackexecLines } from "../../lib/trackexec/trackexec_lines.ts";
import { fixtureLog, fixtureNames } from "../support/trackexec.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-trackexec-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const open = (log: string) => {
  const problems = new Problems();
  const lines = new TrackexecLines(log, problems);
  return { lines, track: lines.tracks[0]!, problems };
};

for (const name of fixtureNames())
  test(`${name}: blocks backwards are the blocks forwards, and what \`has\` says is in them`, () => {
    const { lines, track } = open(fixtureLog(name));
    const forwards = Array.from({ length: track.blocks }, (_, block) => track.load(block));
    const other = open(fixtureLog(name)).track;
    for (let block = track.blocks - 1; block >= 0; block--) {
      const view = other.load(block);
      const { count, code, line, depth, time, start, end } = forwards[block]!;
      expect([view.count, view.start, view.end]).toEqual([count, start, end]);
      expect([view.code, view.line, view.depth]).toEqual([code, line, depth]);
      expect(view.time).toEqual(time);
      if (block > 0) expect(start).toBeGreaterThanOrEqual(forwards[block - 1]!.start);
      const least = Math.min(...depth);
      expect(other.minDepthOf(block)).toBeLessThanOrEqual(least);
      for (let i = 0; i < count; i += 97) {
        expect(other.has(block, code[i]!, line[i]!)).toBe(true);
        expect(lines.sources[code[i]!]).toBeDefined();
      }
      expect(other.has(block, 0, 60_000)).toBe(false);
    }
    const costs = new LineCosts();
    lines.addCosts(costs);
    expect(costs.events).toBe(track.events);
  });

test("a log that grows: new blocks with refresh, and the block that was the last has another end", () => {
  cpSync(fixtureLog("ledger"), dir, { recursive: true });
  const index = readFileSync(join(dir, "log_index"));
  truncateSync(join(dir, "log_index"), 10 * 10 + 4);
  const { lines, track, problems } = open(dir);
  expect(track.blocks).toBe(10);
  const last = track.load(9);
  expect(lines.refresh()).toBe(false);
  writeFileSync(join(dir, "log_index"), index);
  expect(lines.refresh()).toBe(true);
  expect(track.blocks).toBe(39);
  expect(track.load(9).end).toBeGreaterThan(last.end);
  expect(track.load(9).count).toBe(last.count);
  expect(track.events).toBe(112_487);
  expect(problems.kept).toEqual([]);
});

test("maps and sources that are missing or damaged leave empty blocks and nameless files, each told", () => {
  cpSync(fixtureLog("ledger"), dir, { recursive: true });
  rmSync(join(dir, "log_map", "1.gz"));
  writeFileSync(join(dir, "log_sources.tar.gz"), "rubbish");
  const { lines, track, problems } = open(dir);
  expect(track.load(35).count).toBe(0);
  expect(track.load(3).count).toBeGreaterThan(0);
  expect(lines.sources[0]!.text()).toBeUndefined();
  const told = problems.kept.map((p) => p.message).join("\n");
  expect(told).toContain("files have no names and no text");
  expect(told).toContain("block 35: it is missing");
});
