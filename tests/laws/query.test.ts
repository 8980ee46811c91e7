// Laws of the query language: column scans agree with a naive evaluator on random recordings, stages with plain JavaScript, regexes with the
// runtime's own; no text makes it throw; every declared field has its column, and every field is in the docs.
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileCondition, compileQuery } from "../../lib/query/check_query.ts";
import { completionsAt } from "../../lib/query/complete.ts";
import { FIELDS, findField, FUNCTIONS, TABLES, type TableName } from "../../lib/query/fields.ts";
import { parseExpression, parseQuery, STAGES } from "../../lib/query/parser.ts";
import { errorSentence, explainError } from "../../lib/query/query_error.ts";
import { compileRegex } from "../../lib/query/regex.ts";
import { cellAt, toTable } from "../../lib/query/result.ts";
import { finish, maskOf, rowTest, runNow } from "../../lib/query/run.ts";
import { TYPE_WORDS } from "../../lib/query/value_type.ts";
import { World } from "../../lib/query/world.ts";
import { NaiveWorld, type Value } from "../support/naive_query.ts";
import { timeline } from "../support/timeline.ts";

/** A recording of few pids at few times, so that lives meet, end, begin again and are lost. */
const pid = fc.integer({ min: 10, max: 14 });
const word = fc.constantFrom("make", "cc", "sh", "/bin/sh", "a b", "é", "x\n", "-c", "");
const argv = fc
  .array(word, { minLength: 0, maxLength: 3 })
  .map((words) => words.map((w) => JSON.stringify(w)).join(" "));
const step = fc.oneof(
  fc.tuple(pid, pid).map(([a, b]) => `${a} fork ${b}`),
  fc.tuple(pid, argv).map(([a, words]) => `${a} exec ${words}`),
  fc.tuple(pid, fc.constantFrom(2, 13), argv).map(([a, errno, words]) => `${a} exec:fail ${errno} ${words}`),
  fc.tuple(pid, fc.integer({ min: 0, max: 2 })).map(([a, code]) => `${a} exit ${code}`),
  fc.tuple(pid, fc.constantFrom("9", "15 core")).map(([a, signal]) => `${a} killed ${signal}`),
  fc.constant("lost 3 full"),
);
const recordings = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), step), { maxLength: 30 }).map((steps) => {
  let t = 0;
  return steps.map(([dt, what]) => `${(t += dt)}ms ${what}`).join("\n");
});

// Expressions that are well typed, by what they give.
const life = fc.constantFrom("", "parent.", "parent.parent.");
const duration = (prefix: string) =>
  fc.oneof(
    fc
      .constantFrom("wall", "parent.wall", "end - start")
      .map((x) => (x.includes(" ") ? `(${prefix}end - ${prefix}start)` : prefix + x)),
    fc.integer({ min: 0, max: 9 }).map((n) => `${n}ms`),
    fc.constant(`abs(-${prefix}wall)`),
    fc.constant(`(${prefix}wall * 2 - 1ms)`),
  );
const operator = fc.constantFrom("==", "!=", "<", "<=", ">", ">=");
const regex = fc.constantFrom("/make/", "/^sh$/", "/(a|c)+ ?b?/i", "/\\bsh\\b/", "/[^m]/");
const simple = (prefix: string) =>
  fc.oneof(
    fc
      .tuple(fc.constantFrom("wall", "parent.wall", "wall - 1ms"), operator, duration(prefix))
      .map(([a, op, b]) => `${prefix}${a} ${op} ${b}`),
    fc
      .tuple(
        fc.constantFrom("exit", "children", "depth", "execs", "descendants", "probes", "pid"),
        operator,
        fc.integer({ min: 0, max: 12 }),
      )
      .map(([f, op, n]) => `${prefix}${f} ${op} ${n}`),
    fc
      .tuple(fc.constantFrom("exe", "argv", "file"), operator, fc.constantFrom("make", "sh", '"é"', '"a b"', "cc"))
      .map(([f, op, w]) => `${prefix}${f} ${op} ${w}`),
    fc
      .tuple(fc.constantFrom("exe", "argv"), fc.constantFrom("~", "!~"), regex)
      .map(([f, op, r]) => `${prefix}${f} ${op} ${r}`),
    fc
      .tuple(
        fc.constantFrom("exe", "argv"),
        fc.constantFrom("like", "not like"),
        fc.constantFrom("m*", "?h", "*b*", "*"),
      )
      .map(([f, op, g]) => `${prefix}${f} ${op} "${g}"`),
    fc.constantFrom("exit in (0, 2)", 'exe in ("cc", make)', "exit not in (1)").map((x) => prefix + x),
    fc
      .constantFrom(
        "signal",
        "failed",
        "core",
        "exit is null",
        "end is not null",
        "parent is null",
        "parent == 10",
        "parent == p0",
        "exe == file",
        "lower(exe) == make",
        "known(wall)",
        "exit / 0 == 1",
        "wall / wall == 1",
        "exit % 2 == 1",
        "signal == KILL",
        "ppid != 11",
      )
      .map((x) =>
        prefix === ""
          ? x
          : x.replaceAll(/\b(signal|failed|core|exit|end|parent|exe|file|wall|ppid)\b/g, (name) => prefix + name),
      ),
    fc
      .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 60 }))
      .map(([a, b]) => `${prefix}start between ${a}ms and ${b}ms`),
  );
const quantified = fc.oneof(
  fc
    .tuple(fc.constantFrom("any", "all", "count"), simple("child."))
    .map(([q, c]) => (q === "count" ? `count(${c}) > 1` : `${q}(${c})`)),
  fc.constantFrom(
    "count(child) >= 2",
    "sum(child.wall) > wall",
    "max(child.wall) >= 3ms",
    "min(child.exit) == 0",
    "avg(child.exit) > 0.5",
    "any(child.wall > wall)",
    "any(image.exe == sh)",
    "count(image) == 2",
    "max(image.nth) > 1",
    "all(image.wall > 1ms)",
  ),
);
const ofEvents = fc.constantFrom(
  "kind == exec",
  "kind == exit or kind == fork",
  "kind in (exec_failed, lost)",
  "errno == ENOENT",
  "errno != EACCES",
  "ts > 5ms",
  "ts is null",
  "proc.wall > 4ms",
  "failed and kind == exit",
  "proc == p1",
  "proc == 11",
  "seq % 2 == 0",
);
const under = fc.constantFrom(
  "under(p0)",
  "under(11)",
  "under(p1, 12)",
  "under(p99)",
  "p0.wall > 1ms",
  "p99.wall > 1ms",
);

function conditions(table: TableName): fc.Arbitrary<string> {
  const leaves = [life.chain(simple), quantified, under];
  if (table === "events") leaves.push(ofEvents, ofEvents);
  if (table === "images") leaves.push(fc.constantFrom("nth == 2", "last", "proc.exit == 0"));
  const { whole } = fc.letrec<{ whole: string }>((tie) => ({
    whole: fc.oneof(
      { maxDepth: 3 },
      fc.oneof(...leaves),
      fc.tuple(tie("whole"), fc.constantFrom("and", "or"), tie("whole")).map(([a, op, b]) => `(${a}) ${op} (${b})`),
      tie("whole").map((a) => `not (${a})`),
    ),
  }));
  return whole;
}

for (const table of ["procs", "events", "images"] as const)
  test(`${table}: a scan finds the rows that the naive evaluator finds`, () => {
    fc.assert(
      fc.property(recordings, fc.array(conditions(table), { minLength: 1, maxLength: 4 }), (drawing, texts) => {
        const recording = timeline(drawing);
        const world = new World(recording);
        const naive = new NaiveWorld(recording);
        for (const text of texts) {
          const condition = compileCondition(text, { table });
          if (condition.isErr()) throw new Error(explainError(text, condition.error).join("\n"));
          const expression = parseExpression(text)._unsafeUnwrap();
          const rows = Array.from({ length: naive.lengthOf(table) }, (_, row) => row);
          const expected = rows.map((row) => naive.condition(expression, { table, row }));
          const asked = rowTest(condition.value, world);
          expect([text, ...rows.map(asked)]).toEqual([text, ...expected]);
          expect([text, ...finish(maskOf(condition.value, world))]).toEqual([text, ...expected.map(Number)]);
        }
      }),
      { numRuns: 250 },
    );
  });

function cells(text: string, world: World): Value[][] {
  const plan = compileQuery(text, { table: "procs" });
  if (plan.isErr()) throw new Error(explainError(text, plan.error).join("\n"));
  return toTable(runNow(plan.value, world)).rows.map((row) => row.map((cell) => cell ?? null));
}

test("stages do what the same steps in JavaScript do", () => {
  fc.assert(
    fc.property(recordings, fc.integer({ min: 0, max: 4 }), (drawing, n) => {
      const recording = timeline(drawing);
      const world = new World(recording);
      const naive = new NaiveWorld(recording);
      const lives = Array.from({ length: naive.lengthOf("procs") }, (_, row) => row);
      const get = (row: number, name: string) => naive.field("procs", row, name);
      const last = (a: Value, b: Value, order: number) =>
        a === null || b === null ? Number(a === null) - Number(b === null) : order;
      const sorted = lives.toSorted((a, b) => {
        const [x, y] = [get(a, "wall"), get(b, "wall")];
        const [s, t] = [get(a, "exe"), get(b, "exe")];
        return last(x, y, (y as number) - (x as number)) ||
          last(s, t, s! < t! ? -1 : s! > t! ? 1 : 0) ||
          get(a, "pid")! > get(b, "pid")!
          ? 1
          : 0;
      });
      const byWall = lives.toSorted((a, b) =>
        last(get(a, "wall"), get(b, "wall"), (get(b, "wall") as number) - (get(a, "wall") as number)),
      );
      expect(cells("procs | sort -wall | select id", world)).toEqual(byWall.map((row) => [`p${row}`]));
      expect(cells(`procs | top ${n} by wall | select id`, world)).toEqual(
        byWall.slice(0, n).map((row) => [`p${row}`]),
      );
      expect(cells(`procs | sort -wall | skip ${n} | limit 2 | select id`, world)).toEqual(
        byWall.slice(n, n + 2).map((row) => [`p${row}`]),
      );
      expect(new Set(cells("procs | sort -wall, exe, pid | select id", world).flat())).toEqual(
        new Set(sorted.map((row) => `p${row}`)),
      );
      expect(cells("procs | count", world)).toEqual([[lives.length]]);

      const groups = new Map<Value, number[]>();
      for (const row of lives) groups.set(get(row, "exe"), [...(groups.get(get(row, "exe")) ?? []), row]);
      const walls = (rows: number[]) =>
        rows
          .map((row) => get(row, "wall"))
          .filter((w): w is number => w !== null)
          .sort((a, b) => a - b);
      const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
      const at = (values: number[], share: number) => values[Math.max(0, Math.ceil(values.length * share) - 1)] ?? null;
      const expected = [...groups].map(([exe, rows]) => {
        const w = walls(rows);
        return [
          exe,
          rows.length,
          sum(w),
          at(w, 0.95),
          at(w, 0.5),
          w[0] ?? null,
          w.at(-1) ?? null,
          w.length === 0 ? null : sum(w) / w.length,
          new Set(w).size,
          w.length,
        ];
      });
      const text =
        "procs group exe | agg n=count(), total=sum(wall), a=p95(wall), b=median(wall), c=min(wall), d=max(wall), e=avg(wall), f=distinct(wall), g=count(wall is not null)";
      expect(cells(text, world)).toEqual(expected);
      expect(cells("procs | distinct exe", world)).toEqual([...groups.keys()].map((exe) => [exe]));
      expect(cells("procs group exe, failed | select exe, failed, n", world).length).toBe(
        new Set(lives.map((row) => JSON.stringify([get(row, "exe"), get(row, "failed")]))).size,
      );
      expect(cells("procs | agg n=count(), total=sum(wall) | select n, mean = total / n", world)).toEqual([
        [lives.length, lives.length === 0 ? null : sum(walls(lives)) / lives.length],
      ]);
    }),
    { numRuns: 150 },
  );
});

test("every declared field has its column, and a text column its reader", () => {
  const recording = timeline(
    "recording root=10 make\n0ms 1 fork 10\n1ms 10 exec make\n2ms 10 fork 11\n3ms 11 exec:fail 2 cc\n4ms 11 exit 1 user=1ms rss=5\n5ms 10 exit 0\n6ms end 0",
  );
  for (const table of TABLES)
    for (const field of FIELDS[table]) {
      const world = new World(recording);
      const plan = compileQuery(`${table} | select ${field.name}`, { table })._unsafeUnwrap();
      const result = runNow(plan, world);
      expect([table, field.name, result.heads[0]!.type]).toEqual([table, field.name, field.type]);
      // One by one, and by way of the pool.
      const one = toTable(result).rows;
      if (field.type === "text") world.texts(table, field.name);
      expect([field.name, ...toTable(runNow(plan, world)).rows]).toEqual([field.name, ...one]);
      const [column] = result.page(0, result.length);
      for (let row = 0; row < result.length; row++)
        if (!field.nullable)
          expect([table, field.name, cellAt(column!, row)]).not.toEqual([table, field.name, undefined]);
    }
});

test("docs/query.md lists every field, stage and function", () => {
  const docs = readFileSync(join(import.meta.dir, "../../docs/query.md"), "utf8");
  for (const table of TABLES)
    for (const f of FIELDS[table]) {
      const values = f.values === undefined ? "" : `: ${f.values.join(", ")}`;
      expect(docs).toContain(
        `| \`${f.name}\` | ${TYPE_WORDS[f.type].replace(/^an? /, "")} | ${f.nullable ? "null" : ""} | ${f.summary}${values} |`,
      );
    }
  for (const [name, summary] of STAGES) expect(docs).toContain(`| \`${name}\` | ${summary} |`);
  for (const f of FUNCTIONS) expect(docs).toContain(`| \`${f.usage}\` | ${f.summary} |`);
});

const atom = fc.constantFrom(
  "a",
  "b",
  "é",
  "[a-c]",
  "[^a]",
  "\\w",
  "\\W",
  "\\d",
  "\\s",
  ".",
  "^",
  "$",
  "\\b",
  "\\B",
  "(a|b)",
  "(?:ab|a)",
  "A",
  "\\n",
  "[é-ü]",
  "_",
);
const repeat = fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?");
const sequence = fc
  .array(
    fc.tuple(atom, repeat).map(([a, r]) => (/^(?:\^|\$|\\b|\\B)$/.test(a) ? a : a + r)),
    { maxLength: 5 },
  )
  .map((x) => x.join(""));
const pattern = fc.oneof(
  sequence,
  fc.tuple(sequence, sequence).map(([a, b]) => `(${a})*${b}`),
  fc.tuple(sequence, sequence).map(([a, b]) => `${a}|${b}`),
);
const subject = fc
  .array(fc.constantFrom("a", "b", "c", "A", "é", "ü", " ", "\n", "1", "_", "日", "😀"), { maxLength: 12 })
  .map((x) => x.join(""));

test("a regex matches what the runtime's own matches", () => {
  const encoder = new TextEncoder();
  fc.assert(
    fc.property(pattern, subject, fc.constantFrom("", "i", "m", "s", "ims"), (source, text, flags) => {
      const mine = compileRegex(source, flags)._unsafeUnwrap();
      expect(mine.test(encoder.encode(text))).toBe(new RegExp(source, flags + "u").test(text));
    }),
    { numRuns: 5000 },
  );
});

const piece = fc.oneof(
  fc.constantFrom(...TABLES, ...STAGES.keys(), ...FUNCTIONS.map((f) => f.name), ...FIELDS.procs.map((f) => f.name)),
  fc.constantFrom(
    "(",
    ")",
    ",",
    "|",
    "=",
    "==",
    "~",
    "/a/",
    "-",
    "not",
    "and",
    "in",
    "between",
    "like",
    "is",
    "null",
    ".",
    "10ms",
    "4M",
    "p1",
    "e2",
    '"x',
    "'y'",
    "#",
    "\n",
    "child.",
    "/[/",
    "{",
    "agg",
    "by",
    "\\",
  ),
  fc.string({ maxLength: 4 }),
);

test("no text makes it throw, and every mistake has a place", () => {
  const world = new World(timeline("0ms 10 exec make\n1ms 10 fork 11\n2ms 11 exit 1\n"));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.constantFrom(" ", ""), (pieces, glue) => {
      const text = pieces.join(glue);
      const plan = compileQuery(text, { table: "procs" });
      if (plan.isOk()) toTable(runNow(plan.value, world));
      else {
        const { error } = plan;
        expect(error.at).toBeGreaterThanOrEqual(0);
        expect(error.at).toBeLessThanOrEqual(text.length);
        expect(error.length).toBeGreaterThan(0);
        expect(errorSentence(error)).not.toMatch(/[\p{Cc}]$/u);
        expect(explainError(text, error).join("")).not.toMatch(/\p{Cc}/u);
      }
      for (let cursor = 0; cursor <= text.length; cursor += 3) {
        const { from, to } = completionsAt(text, cursor, world, { table: "procs" });
        expect(from).toBeLessThanOrEqual(cursor);
        expect(to).toBeGreaterThanOrEqual(cursor);
      }
    }),
    { numRuns: 3000 },
  );
});

test("nesting is bounded", () => {
  for (const text of [
    "(".repeat(100_000),
    "not ".repeat(20_000),
    "-".repeat(60_000),
    `wall > ${"(".repeat(5000)}1ms`,
    "abs(".repeat(9000),
  ])
    expect(parseQuery(text).isErr()).toBe(true);
  for (const source of ["(".repeat(5000), "a" + "*".repeat(5000), "(".repeat(90) + "a" + "){500}".repeat(90)])
    expect(compileRegex(source).isErr()).toBe(true);
  expect(findField("events", "wall")?.ofProcess).toBe(true);
});
