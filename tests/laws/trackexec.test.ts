// Log directories are written by strangers, cut by crashes and rotted by disks: whatever bytes stand in whichever file, the analysis comes
// to an end with numbers that make sense, or with an error of its own kind, and it never holds more than it says.
import { afterAll, expect, test } from "bun:test";
import { Cause, Effect, Exit } from "effect";
import fc from "fast-check";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { LineRows } from "../../lib/lines/line_rows.ts";
import { LineTotals } from "../../lib/lines/line_totals.ts";
import { Problems } from "../../lib/model/problem.ts";
import { analyseLines } from "../../lib/trackexec/analyse_lines.ts";
import { BlockDecoder, MOST_ROWS } from "../../lib/trackexec/block.ts";
import { writeLineText } from "../../lib/trackexec/line_text.ts";
import { TarReader } from "../../lib/trackexec/tar.ts";
import { TrackexecError } from "../../lib/trackexec/trackexec_error.ts";
import { fixtureLog, tarOf } from "../support/trackexec.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-trackexec-law-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Analyses the directory and looks whether the numbers make sense; undefined when it is no log. */
async function check(dir: string): Promise<{ events: number; problems: number } | undefined> {
  const problems = new Problems();
  const options = {
    sortColumn: "self-runtime",
    items: 0,
    fileId: undefined,
    compatible: false,
    withSelf: true,
  } as const;
  const exit = await Effect.runPromiseExit(analyseLines(dir, options, problems));
  if (Exit.isFailure(exit)) {
    const error = Cause.squash(exit.cause);
    if (!(error instanceof TrackexecError)) throw error;
    expect(error.message).not.toContain("undefined");
    return undefined;
  }
  let events = 0;
  for (const { cost } of exit.value.rows) {
    const { count, cumulated, everyLevel, self } = cost!;
    for (const n of [count, cumulated, everyLevel, self]) expect(Number.isInteger(n) && n >= 0).toBe(true);
    // Beyond 2^53 ticks (270 years) sums are rounded.
    if (Number.isSafeInteger(everyLevel)) expect(everyLevel).toBeGreaterThanOrEqual(Math.max(cumulated, self));
    events += count;
  }
  let text = "";
  writeLineText(exit.value, { color: false, unicode: true }, (s) => (text += s));
  expect(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(text)).toBe(false); // oxlint-disable-line no-control-regex
  return { events, problems: problems.total };
}

const FILES = ["log_index", "log_map/0.gz", "log_map/0", "log_sources.tar.gz", "pid"];

test("law: any bytes in any file", async () => {
  const dir = join(folder, "any");
  const bytes = fc.uint8Array({ maxLength: 3000 });
  const words = fc
    .array(fc.oneof(fc.constantFrom(65535, 65534, 65533, 0, 1, 2), fc.nat(65535)), { maxLength: 5000 })
    .map((w) => new Uint8Array(Uint16Array.from(w).buffer));
  const content = fc.oneof(
    bytes,
    words,
    fc.oneof(bytes, words).map((b) => new Uint8Array(gzipSync(b))),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("text", "inner", "killed"),
      fc.constantFrom(...FILES),
      content,
      async (name, file, b) => {
        rmSync(dir, { recursive: true, force: true });
        cpSync(fixtureLog(name), dir, { recursive: true });
        mkdirSync(dirname(join(dir, file)), { recursive: true });
        writeFileSync(join(dir, file), b);
        expect(await check(dir)).toBeDefined();
      },
    ),
    { numRuns: 150 },
  );
});

test("law: a byte that changed", async () => {
  const dir = join(folder, "flip");
  const whole = { ledger: 112_487, relay: 2194, precise: 30_067 } as const;
  for (const name of ["ledger", "relay", "precise"] as const) {
    cpSync(fixtureLog(name), dir, { recursive: true });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("log_index", "log_map/0.gz", "log_sources.tar.gz"),
        fc.nat(),
        fc.nat(254),
        async (file, at, bits) => {
          const path = join(dir, file);
          const good = readFileSync(path);
          const bad = Buffer.from(good);
          bad[at % bad.length]! ^= bits + 1;
          writeFileSync(path, bad);
          const found = await check(dir);
          writeFileSync(path, good);
          // The gzip header's time and the index's stack sizes may change unseen; lines may not.
          if (found!.events !== whole[name]) expect(found!.problems).toBeGreaterThan(0);
        },
      ),
      { numRuns: 60 },
    );
    rmSync(dir, { recursive: true });
  }
});

test("every file cut at every byte (the long ones at every seventeenth)", async () => {
  const dir = join(folder, "cut");
  for (const name of ["relay", "text"]) {
    cpSync(fixtureLog(name), dir, { recursive: true });
    const all = (await check(dir))!;
    for (const file of ["log_index", "log_map/0.gz", "log_sources.tar.gz", "pid"]) {
      const path = join(dir, file);
      const whole = readFileSync(path);
      const step = whole.length > 100 ? 17 : 1;
      for (let length = 0; length < whole.length; length += step) {
        writeFileSync(path, whole.subarray(0, length));
        const found = (await check(dir))!;
        expect(found.events).toBeLessThanOrEqual(all.events);
        if (found.events < all.events) expect(found.problems).toBeGreaterThan(0);
      }
      writeFileSync(path, whole);
    }
    rmSync(dir, { recursive: true });
  }
});

test("law: any words are a block", () => {
  const decoder = new BlockDecoder();
  const rows = new LineRows(MOST_ROWS);
  const word = fc.oneof(fc.constantFrom(65535, 65534, 65533, 0, 1, 32768, 32769), fc.nat(65535), fc.nat(20));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4096 }), fc.option(fc.nat(2 ** 30)), (words, length) => {
      const times = { start: 5000, end: length === null ? undefined : 5000 + length };
      decoder.decode(Uint16Array.from(words), times, rows);
      expect(rows.length).toBeLessThanOrEqual(MOST_ROWS);
      for (let i = 1; i < rows.length; i++) {
        expect(rows.time[i]!).toBeGreaterThanOrEqual(rows.time[i - 1]!);
        expect(rows.depth[i]!).toBeGreaterThan(0);
      }
      if (rows.length > 0) expect(rows.end).toBeGreaterThanOrEqual(rows.time[rows.length - 1]!);
      new LineTotals().add(rows);
    }),
    { numRuns: 200 },
  );
});

test("law: an archive is the same however its bytes are cut, and any bytes are read without throwing", () => {
  const read = (parts: readonly Uint8Array[]) => {
    const seen: string[] = [];
    const tar = new TarReader({
      member: (m) => {
        seen.push(`${m.index} ${m.name} ${m.size} ${m.link?.target ?? ""}:`);
        return true;
      },
      bytes: (chunk) => (seen[seen.length - 1] += Buffer.from(chunk).toString("latin1")),
      end: () => (seen[seen.length - 1] += "."),
    });
    for (const part of parts) tar.push(part);
    tar.end();
    return { seen, fault: tar.fault };
  };
  const tar = tarOf([
    { name: "a.py", text: "x".repeat(700) },
    { name: "short", pax: "srv/" + "p".repeat(200), text: "" },
    { name: "l", link: "a.py" },
    { name: "b.py", text: "y".repeat(512) },
  ]);
  const whole = read([tar]);
  expect(whole.fault).toBeUndefined();
  expect(whole.seen.map((s) => s.slice(0, 12))).toEqual(
    ["0 a.py 700 :", "1 srv/pppppp", "2 l 0 a.py:.", "3 b.py 512 :"].map((s) => s.slice(0, 12)),
  );
  fc.assert(
    fc.property(fc.array(fc.nat(tar.length), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), tar.length];
      expect(read(at.slice(1).map((end, i) => tar.subarray(at[i]!, end)))).toEqual(whole);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(tar.length - 1), (noise, at) => {
      read([noise]);
      const bad = Uint8Array.from(tar);
      bad.set(noise.subarray(0, Math.min(noise.length, tar.length - at)), at);
      read([bad]);
    }),
  );
});
