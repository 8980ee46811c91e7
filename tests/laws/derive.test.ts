// Laws of the derived model, over random recordings: sane ones, whose truth is known, and senseless ones.
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { deriveProcesses, drawnEnd, imageEnd, type Processes } from "../../lib/derive/processes.ts";
import { timeOrder } from "../../lib/derive/time_order.ts";
import { deriveTree } from "../../lib/derive/tree.ts";
import { KIND } from "../../lib/model/event.ts";
import { EventTable } from "../../lib/model/event_table.ts";

interface Row {
  ts: number;
  seq: number;
  kind: number;
  pid: number;
  ppid: number;
}

function table(rows: readonly Row[]): EventTable {
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
  return t;
}

const KINDS = [KIND.fork, KIND.exec, KIND.exit, KIND.exec_failed, KIND.setpgid, KIND.report, KIND.lost, KIND.exec_part];

/** Anything at all: few pids, few times, so that they meet. */
const senseless = fc.array(
  fc.record({
    ts: fc.oneof(
      fc.integer({ min: 0, max: 50 }).map((x) => x * 100_000),
      fc.constant(NaN),
    ),
    seq: fc.integer({ min: -1, max: 20 }),
    kind: fc.constantFrom(...KINDS),
    pid: fc.integer({ min: -1, max: 6 }),
    ppid: fc.integer({ min: -1, max: 6 }),
  }),
  { maxLength: 60 },
);

/** What any derived model must be, whatever it was derived from. */
function checkShape(p: Processes): void {
  const { events, length } = p;
  for (let row = 0; row < events.length; row++) {
    const life = p.owner[row]!;
    expect(life).toBeGreaterThanOrEqual(-1);
    expect(life).toBeLessThan(length);
    if (life >= 0) expect(p.pid[life]).toBe(events.pid[row]);
  }
  let last = -Infinity;
  const seen = new Map<number, number>();
  for (let life = 0; life < length; life++) {
    expect(p.start[life]).not.toBeNaN();
    expect(drawnEnd(p, life)).toBeGreaterThanOrEqual(p.start[life]!);
    // In order of first events.
    expect(p.start[life]).toBeGreaterThanOrEqual(last);
    last = p.start[life]!;
    // Images lie within the life, one after the other.
    let at = p.start[life]!;
    for (let i = p.imageAt[life]!; i < p.imageAt[life + 1]!; i++) {
      expect(p.imageStart[i]).toBeGreaterThanOrEqual(at);
      at = imageEnd(p, life, i);
      expect(at).toBeGreaterThanOrEqual(p.imageStart[i]!);
      expect(at).toBeLessThanOrEqual(drawnEnd(p, life));
      expect(p.owner[p.imageRow[i]!]).toBe(life);
    }
    for (const row of [p.forkRow[life]!, p.exitRow[life]!]) if (row >= 0) expect(p.owner[row]).toBe(life);
    seen.set(p.pid[life]!, life);
  }
  const tree = deriveTree(p);
  expect([...tree.preorder].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
  for (let life = 0; life < length; life++) {
    const above = p.parent[life]!;
    expect(tree.preorder[tree.position[life]!]).toBe(life);
    if (above < 0) expect(tree.depth[life]).toBe(0);
    else {
      expect(tree.depth[life]).toBe(tree.depth[above]! + 1);
      expect(tree.position[life]).toBeGreaterThan(tree.position[above]!);
      expect(tree.position[life]).toBeLessThan(tree.position[above]! + tree.size[above]!);
    }
  }
}

test("senseless events still make a forest of lives, each event with at most one owner", () => {
  fc.assert(
    fc.property(senseless, (rows) => checkShape(deriveProcesses(table(rows)))),
    { numRuns: 500 },
  );
});

test("timeOrder is the stable sort by timestamp and seq", () => {
  fc.assert(
    fc.property(senseless, (rows) => {
      const expected = rows
        .map((r, i) => ({ ...r, i }))
        .filter((r) => !Number.isNaN(r.ts))
        .sort((a, b) => a.ts - b.ts || a.seq - b.seq || a.i - b.i)
        .map((r) => r.i);
      expect([...timeOrder(table(rows))]).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

interface Truth {
  readonly rows: Row[];
  /** By life, in order of birth: pid, life of the parent, number of execs, whether it exited. */
  readonly lives: { pid: number; parent: number; execs: number; exited: boolean }[];
}

/** A run of a machine that makes sense: few pids, reused as soon as they are free. Steps of 1 to 3 microseconds. */
const sane = fc
  .array(fc.record({ act: fc.nat(9), who: fc.nat(100), gap: fc.integer({ min: 1, max: 3 }) }), { maxLength: 80 })
  .map((steps): Truth => {
    const rows: Row[] = [];
    const lives: Truth["lives"] = [{ pid: 1, parent: -1, execs: 1, exited: false }];
    const running = [0];
    const free = [2, 3, 4, 5, 6];
    let now = 0;
    const put = (kind: number, pid: number, ppid: number) => rows.push({ ts: now, seq: rows.length, kind, pid, ppid });
    put(KIND.exec, 1, -1);
    for (const { act, who, gap } of steps) {
      now += gap * 1000;
      const life = running[who % running.length]!;
      const me = lives[life]!;
      if (act < 4 && free.length > 0) {
        const pid = free.shift()!;
        lives.push({ pid, parent: life, execs: 0, exited: false });
        running.push(lives.length - 1);
        put(KIND.fork, pid, me.pid);
      } else if (act < 7) {
        me.execs++;
        put(KIND.exec, me.pid, -1);
      } else if (life !== 0) {
        me.exited = true;
        running.splice(running.indexOf(life), 1);
        free.unshift(me.pid);
        put(KIND.exit, me.pid, -1);
      }
    }
    return { rows, lives };
  });

function told(p: Processes): Truth["lives"] {
  return Array.from({ length: p.length }, (_, life) => ({
    pid: p.pid[life]!,
    parent: p.parent[life]!,
    execs: p.imageAt[life + 1]! - p.imageAt[life]!,
    exited: p.exitRow[life]! >= 0,
  }));
}

test("a recording tells exactly the lives there were, in whatever order its lines come", () => {
  fc.assert(
    fc.property(
      sane.chain((truth) =>
        fc.tuple(
          fc.constant(truth),
          fc.shuffledSubarray(truth.rows, { minLength: truth.rows.length, maxLength: truth.rows.length }),
        ),
      ),
      ([truth, shuffled]) => {
        const p = deriveProcesses(table(shuffled));
        checkShape(p);
        expect(told(p)).toEqual(truth.lives);
      },
    ),
    { numRuns: 300 },
  );
});

test("clocks that are off by less than a step of the machine change no life", () => {
  fc.assert(
    fc.property(sane, fc.infiniteStream(fc.integer({ min: -400, max: 400 })), (truth, noise) => {
      const rows = truth.rows.map((r) => ({ ...r, ts: Math.max(0, r.ts * 100 + noise.next().value) }));
      expect(told(deriveProcesses(table(rows)))).toEqual(truth.lives);
    }),
    { numRuns: 200 },
  );
});

test("clocks that run backwards by up to half a millisecond make no phantom lives: seq says the order", () => {
  fc.assert(
    fc.property(sane, fc.infiniteStream(fc.integer({ min: -200_000, max: 200_000 })), (truth, noise) => {
      const rows = truth.rows.map((r) => ({ ...r, ts: 1e6 + r.ts + noise.next().value }));
      const p = deriveProcesses(table(rows));
      checkShape(p);
      const key = (l: Truth["lives"][number]) => `${l.pid} ${l.execs} ${l.exited}`;
      expect(told(p).map(key).sort()).toEqual(truth.lives.map(key).sort());
    }),
    { numRuns: 200 },
  );
});
