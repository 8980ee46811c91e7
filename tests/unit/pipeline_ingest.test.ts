// Which life of a pid `ingest` takes, and what it says when there is none; the rest is in tests/cli/ingest.test.ts.
import { afterAll, expect, test } from "bun:test";
import { Effect, Result } from "effect";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ingest, type LifeChoice } from "../../lib/pipeline/ingest.ts";
import { timelineText } from "../support/timeline.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-ingest-unit-"));
afterAll(() => rmSync(folder, { recursive: true }));

const input = join(folder, "in.prof");
writeFileSync(
  input,
  timelineText(`
    recording root=10 make
    0ms 10 exec make
    10ms 10 fork 11
    20ms 11 exit 1
    30ms 10 fork 11
    31ms 11 fork 12
    40ms 12 exit 0
    50ms 11 exit 2
    60ms 10 exit 0
    60ms end 0
  `),
);

async function taken(life: LifeChoice | undefined, pid = 11): Promise<string> {
  const output = join(folder, "out.prof");
  const result = await Effect.runPromise(Effect.result(ingest({ inputs: [input], output, pid, life })));
  if (Result.isFailure(result)) {
    const { message, hint } = result.failure;
    return `${message} (${hint})`.replace(`'${input}'`, "it");
  }
  const lines = readFileSync(output, "utf8").trimEnd().split("\n");
  const times = lines.slice(1, -1).map((line) => /"timestamp":(\d+)/.exec(line)?.[1] ?? "");
  return times.map((t) => Number(t) / 1e6).join(" ");
}

test("the first life, the n-th, the one at a time", async () => {
  expect(await taken(undefined)).toBe("10 20");
  expect(await taken({ nth: 1 })).toBe("10 20");
  expect(await taken({ nth: 2 })).toBe("30 31 40 50");
  expect(await taken({ at: 15e6 })).toBe("10 20");
  expect(await taken({ at: 50e6 })).toBe("30 31 40 50");
});

test("a life that is not there", async () => {
  expect(await taken({ nth: 3 })).toBe(
    "There is no process 11 number 3 in it (the pid was used 2 times: from 10.0ms, from 30.0ms)",
  );
  expect(await taken({ at: 25e6 })).toBe(
    "There is no process 11 at 25.0ms in it (the pid was used 2 times: from 10.0ms, from 30.0ms)",
  );
  expect(await taken({ nth: 2 }, 12)).toBe(
    "There is no process 12 number 2 in it (the pid was used once: from 31.0ms)",
  );
});
