// Directories of raw streams, as recorders leave them, as tracks: whole, still growing, killed, damaged.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enterWord, WORD } from "../../lib/lines/block_builder.ts";
import { LineCosts } from "../../lib/lines/line_costs.ts";
import { Problems } from "../../lib/model/problem.ts";
import { openSpool } from "../../lib/traces/spool_lines.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-spool-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const START = 5_000_000_000_000n;
const ID = `4711-${START.toString(16)}`;

/** A block file: capacity, then as many words and times as were written, the rest 0. */
function block(capacity: number, events: readonly (readonly [at: number, word: number])[]): Uint8Array {
  const bytes = new Uint8Array(64 + capacity * 12);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("TKL1"));
  view.setUint32(4, 1, true);
  view.setUint32(8, capacity, true);
  events.forEach(([at, word], i) => {
    view.setInt32(64 + 4 * i, word, true);
    view.setBigInt64(64 + 4 * capacity + 8 * i, START + BigInt(at), true);
  });
  return bytes;
}

const META =
  `P\t4711\t1\t${START}\t1700000000000000000\t3.11.2\t/usr/bin/python3\texact\tapp.py\n` +
  "F\t0\t/srv/app.py\tkey1\nC\t0\t0\t1\t<module>\nC\t1\t0\t3\tf\nS\t0\t4711\tMainThread\t0\n";

function write(run: string): void {
  mkdirSync(join(run, "src"), { recursive: true });
  writeFileSync(join(run, "src", "key1"), "a\nb\ndef f():\n    pass\n");
  writeFileSync(join(run, `${ID}.meta`), META);
  writeFileSync(
    join(run, `${ID}.0.0`),
    block(16, [
      [1000, enterWord(0)],
      [2000, 1],
      [3000, 2],
      [4000, enterWord(1)],
      [5000, 4],
    ]),
  );
}

test("a run of which nobody knows whether it goes on: what is there, and more with refresh", () => {
  write(dir);
  const problems = new Problems();
  const before = readdirSync(dir).sort();
  const lines = openSpool(dir, problems)!;
  expect(problems.kept).toEqual([]);
  const [track] = lines.tracks;
  expect([track!.pid, track!.tid, track!.kind, track!.events]).toEqual([4711, 4711, "python", 3]);
  expect(lines.sources.map((s) => [s.path, s.text()])).toEqual([["/srv/app.py", "a\nb\ndef f():\n    pass\n"]]);
  // The axis begins with the interpreter; unix times follow from it.
  const view = track!.load(0);
  expect([...view.time]).toEqual([2000, 3000, 5000]);
  expect([...view.depth]).toEqual([1, 1, 2]);
  expect(view.time[0]! - lines.clock.unixZero).toBe(1_700_000_000_000_002_000);
  expect(lines.refresh()).toBe(false);
  writeFileSync(
    join(dir, `${ID}.0.0`),
    block(16, [
      [1000, enterWord(0)],
      [2000, 1],
      [3000, 2],
      [4000, enterWord(1)],
      [5000, 4],
      [6000, WORD.returned],
      [7000, 2],
    ]),
  );
  expect(lines.refresh()).toBe(true);
  const costs = new LineCosts();
  lines.addCosts(costs);
  expect(costs.find(0, 2)).toMatchObject({ count: 2 });
  // From entering the function at 4000 to leaving it at 6000.
  expect(costs.find(0, 4)).toMatchObject({ count: 1, self: 2000 });
  // Nothing of it was touched.
  expect(readdirSync(dir).sort()).toEqual(before);
});

test("the folder above: what `latest` leads to, or all runs inside", () => {
  const first = join(dir, "231114-221320", "app");
  write(first);
  expect(openSpool(join(dir, "231114-221320"), new Problems())!.tracks).toHaveLength(1);
  symlinkSync("231114-221320", join(dir, "latest"));
  expect(openSpool(dir, new Problems())!.tracks).toHaveLength(1);
  expect(openSpool(join(first, "src"), new Problems())).toBeUndefined();
});

test("damaged files are told, and nothing throws", () => {
  write(dir);
  writeFileSync(join(dir, `${ID}.1.0`), "no block at all");
  writeFileSync(join(dir, "77-ff.meta"), "P\tx\n\u0000\n");
  appendFileSync(join(dir, `${ID}.meta`), "C\tnine\nL\t12\tthe disk was full\nS\t1\t99\tbad%1b]0;name\t0\n");
  const problems = new Problems();
  const lines = openSpool(dir, problems)!;
  expect(lines.tracks[0]!.events).toBe(3);
  expect(problems.total).toBeGreaterThan(0);
  expect(lines.notes.join("\n")).toContain("12 events lost: the disk was full");
  expect(lines.notes.join("\n")).not.toContain("\u001b");
});
