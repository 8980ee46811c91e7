// The kept columns of large recordings: the same recording as when it was read, and never one of a file that has changed.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { Effect } from "effect";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { processesOf } from "../../lib/derive/processes.ts";
import { eventAt } from "../../lib/model/event_at.ts";
import type { Recording } from "../../lib/model/recording.ts";
import { INDEX_FROM } from "../../lib/pipeline/index_cache.ts";
import { indexStepsOf, readRecording } from "../../lib/pipeline/read.ts";
import { generate } from "../support/generate.ts";
import { temporaryFolder } from "../support/programs.ts";

const folder = temporaryFolder();
const big = join(folder, "big.prof");
const cache = join(folder, "cache");
const indexes = join(cache, "tk", "index");
const before = process.env["XDG_CACHE_HOME"];

beforeAll(() => {
  const fd = openSync(big, "w");
  generate(300_000, (bytes) => writeSync(fd, bytes));
  // Something wrong in it, which has to be told each time.
  writeSync(fd, '{"Fork":{"timestamp":"soon"}}\nnot json\n');
  closeSync(fd);
  expect(statSync(big).size).toBeGreaterThan(INDEX_FROM);
});

beforeEach(() => {
  process.env["XDG_CACHE_HOME"] = cache;
  rmSync(cache, { recursive: true, force: true });
});

afterAll(() => {
  if (before === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = before;
});

/** What is seen of a recording, and whether its columns came from an index (then there is nothing to keep). */
function look(path: string, keep = true) {
  return Effect.runPromise(
    Effect.scoped(
      Effect.map(readRecording(path, { keepIndex: true }), (recording) => {
        const facts = factsOf(recording);
        const steps = indexStepsOf(recording);
        if (keep && steps !== undefined) Array.from(steps);
        return { facts, indexed: steps === undefined };
      }),
    ),
  );
}

function factsOf(recording: Recording) {
  const { events, problems } = recording;
  const processes = processesOf(recording);
  const columns = [events.ts, events.pid, events.kind, events.at, processes.parent, processes.end];
  return {
    name: recording.name,
    rows: events.length,
    lives: processes.length,
    header: recording.header,
    end: recording.end,
    lost: recording.lost,
    problems: [problems.total, problems.kept, [...problems.counts]],
    sums: columns.map((column) =>
      Bun.hash(
        column.subarray(0, column === processes.parent || column === processes.end ? processes.length : events.length),
      ),
    ),
    events: [0, 1, 1000, events.length - 1].map((row) => eventAt(recording, row)),
  };
}

test("the second reader maps what the first one kept, and sees the same", async () => {
  const first = await look(big);
  expect(first.indexed).toBe(false);
  expect(first.facts.problems[0]).toBe(2);
  expect(readdirSync(indexes)).toHaveLength(1);
  expect(statSync(indexes).mode & 0o777).toBe(0o700);
  expect(statSync(join(indexes, readdirSync(indexes)[0]!)).mode & 0o777).toBe(0o600);
  const second = await look(big);
  expect(second.indexed).toBe(true);
  expect(second.facts).toEqual(first.facts);
});

test("a recording that has changed is read again, and its index made anew", async () => {
  const changing = join(folder, "changing.prof");
  copyFileSync(big, changing);
  const first = await look(changing);
  appendFileSync(changing, '{"Exit":{"timestamp":999999999999,"pid":1,"exit_code":0}}\n');
  const grown = await look(changing);
  expect([grown.indexed, grown.facts.rows]).toEqual([false, first.facts.rows + 1]);
  expect((await look(changing)).indexed).toBe(true);

  // The same size, another moment.
  utimesSync(changing, new Date(), new Date(1_600_000_000_000));
  expect((await look(changing)).indexed).toBe(false);

  // The same size and moment, other bytes.
  const { atime, mtime } = statSync(changing);
  const fd = openSync(changing, "r+");
  writeSync(fd, '{"Recording":{"version":1,"generator":"tk GENERATE"', 0);
  closeSync(fd);
  utimesSync(changing, atime, mtime);
  expect((await look(changing)).indexed).toBe(false);
  expect(readdirSync(indexes)).toHaveLength(1);
});

test("a damaged, cut or foreign index is passed over", async () => {
  const first = await look(big);
  const index = join(indexes, readdirSync(indexes)[0]!);
  const good = join(folder, "good");
  copyFileSync(index, good);
  const { size } = statSync(index);
  const spoil = (at: number) => {
    const fd = openSync(index, "r+");
    writeSync(fd, "\xff\xff\xff\xff", at, "latin1");
    closeSync(fd);
  };
  const faults: Record<string, () => void> = {
    cut: () => {
      const fd = openSync(index, "r+");
      ftruncateSync(fd, size - 1);
      closeSync(fd);
    },
    empty: () => writeFileSync(index, ""),
    head: () => spoil(0),
    place: () => spoil(20),
    description: () => spoil(size - 10),
    column: () => spoil(80),
    "another's": () => chmodSync(index, 0o622),
    link: () => {
      rmSync(index);
      symlinkSync(good, index);
    },
  };
  for (const [name, fault] of Object.entries(faults)) {
    rmSync(index, { force: true });
    copyFileSync(good, index);
    chmodSync(index, 0o600);
    expect([name, (await look(big, false)).indexed]).toEqual([name, true]);
    fault();
    const seen = await look(big, false);
    expect([name, seen.indexed]).toEqual([name, false]);
    expect(seen.facts).toEqual(first.facts);
  }
});

test("where nothing can be kept, nothing is said", async () => {
  const file = join(folder, "a-file");
  writeFileSync(file, "");
  process.env["XDG_CACHE_HOME"] = file;
  const first = await look(big);
  expect(first.facts.problems[0]).toBe(2);
  expect((await look(big)).indexed).toBe(false);
  process.env["XDG_CACHE_HOME"] = "relative";
  expect((await look(big, false)).facts).toEqual(first.facts);
});

test("small recordings are not kept, and stopping half-way keeps nothing", async () => {
  const small = join(folder, "small.prof");
  writeFileSync(small, '{"Fork":{"timestamp":1,"parent_pid":2,"child_pid":3}}\n');
  mkdirSync(indexes, { recursive: true });
  await look(small);
  expect(readdirSync(indexes)).toEqual([]);
  await Effect.runPromise(
    Effect.scoped(
      Effect.map(readRecording(big, { keepIndex: true }), (recording) => {
        const steps = indexStepsOf(recording)!;
        for (let i = 0; i < 8; i++) steps.next();
        steps.return();
      }),
    ),
  );
  expect(readdirSync(indexes)).toEqual([]);
});
