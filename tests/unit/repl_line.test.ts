// What was typed, cut into command, pipe, file and format; where `|` and `>` are the language's.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { beginsCondition } from "../../lib/repl/bare_condition.ts";
import { formatOfFile, isWhole, parseLine, splitWords } from "../../lib/repl/line.ts";
import { beginsQuery } from "../../lib/repl/registry.ts";
import { splitCommands } from "../../lib/repl/interpret.ts";

const parse = (text: string) => parseLine(text, beginsQuery)._unsafeUnwrap();

test("a stage after | belongs to the query, anything else to the shell", () => {
  expect(parse("procs where a | sort -wall | top 3").pipe).toBeUndefined();
  expect(parse("procs | sort -wall | grep cc | wc -l")).toMatchObject({
    body: "procs | sort -wall",
    pipe: "grep cc | wc -l",
  });
  expect(parse("procs |! sort -n | head")).toMatchObject({ body: "procs", pipe: "sort -n | head" });
  expect(parse("tree | sort")).toMatchObject({ body: "tree", pipe: "sort" });
  expect(parse('procs where argv ~ /a|b/ and exe == "x|y" || failed').pipe).toBeUndefined();
  expect(parseLine("tree |", beginsQuery).isErr()).toBe(true);
});

test("> is a file where a file is named, and a comparison everywhere else", () => {
  expect(parse("procs where wall > 10ms")).toMatchObject({ body: "procs where wall > 10ms", file: undefined });
  expect(parse("procs where wall > parent.wall").file).toBeUndefined();
  expect(parse("procs where wall > 10ms > out.csv")).toMatchObject({
    body: "procs where wall > 10ms",
    file: "out.csv",
  });
  expect(parse("events > /tmp/x")).toMatchObject({ body: "events", file: "/tmp/x" });
  expect(parse("tree > picture")).toMatchObject({ body: "tree", file: "picture" });
  expect(parse('tree > "a b.txt"').file).toBe("a b.txt");
  expect(parse("procs > x.csv --format json")).toMatchObject({ body: "procs", file: "x.csv", format: "json" });
  expect(parse("procs where wall >= 1s").file).toBeUndefined();
});

test("a condition by itself is the language's: > compares in it and | is a stage", () => {
  for (const text of [
    "kind == exec and argv ~ /curl/ and wall > 10ms",
    "exit != 0 or signal",
    "exit > 0",
    "cpu/wall < 0.1",
    "parent.exe > 1",
    "any(child.exit != 0)",
    "under(186539)",
    "not failed",
    "(wall > 1s)",
    "wal > 10ms",
    "failed",
    "failed | count",
    "wall > 10ms | top 3",
    "p3.wall < 2s",
  ])
    expect([text, parse(text)]).toMatchObject([text, { body: text, file: undefined, pipe: undefined }]);
  expect(isWhole("wall > 10ms and", beginsQuery)).toBe(false);
  expect(isWhole("any(child.exit != 0", beginsQuery)).toBe(false);
});

test("no condition: commands with a file, names that are nothing", () => {
  for (const text of ["tree > x", "show > y", "tre > x", "exit > x", "quit > x", "info > x"])
    expect([text, parse(text).file]).toEqual([text, text.at(-1)!]);
  expect(parse("exit | wc").pipe).toBe("wc");
  for (const text of ["exit", "wall", "nonsense", "tree p1", "goto +2s"])
    expect(beginsCondition(text, text === "exit")).toBe(false);
});

test("--format anywhere, checked; the name of a file says it too", () => {
  expect(parse("procs --format=json where failed")).toMatchObject({ format: "json" });
  expect(parseLine("procs --format yaml", beginsQuery)._unsafeUnwrapErr()).toContain("table, json, ndjson, csv");
  expect(["a.json", "a.csv.gz", "a.prof", "a.txt", "a"].map(formatOfFile)).toEqual([
    "json",
    "csv",
    "ndjson",
    undefined,
    undefined,
  ]);
});

test("comments, questions, quotes", () => {
  expect(parse("procs # all of them").body).toBe("procs");
  expect(parse('procs where exe == "#x"').body).toBe('procs where exe == "#x"');
  expect(parse("goto ?")).toMatchObject({ asks: true, body: "goto " });
  expect(parseLine('procs where exe == "x', beginsQuery)._unsafeUnwrapErr()).toContain("has no end");
  expect(splitWords(`show 'a b' "c\\"d" e\\ f`).map((w) => w.text)).toEqual(["show", "a b", 'c"d', "e f"]);
});

test("what is not whole goes on in the next row", () => {
  for (const text of [
    "procs |",
    "procs where (a",
    'procs where exe == "x',
    "procs where wall >",
    "procs where a and",
    "procs \\",
  ])
    expect([text, isWhole(text, beginsQuery)]).toEqual([text, false]);
  for (const text of ["procs", "tree", "cd p1", "procs where a", "shell echo (", "goto -", ""])
    expect([text, isWhole(text, beginsQuery)]).toEqual([text, true]);
  expect(splitCommands("procs |\ncount\n\ntree", (t) => isWhole(t, beginsQuery))).toEqual([
    "procs |\ncount",
    "",
    "tree",
  ]);
});

test("no text throws", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.constantFrom("procs ", "tree ", "filter ", "", "where "),
      (text, head) => {
        parseLine(head + text, beginsQuery);
        isWhole(head + text, beginsQuery);
        splitWords(text);
      },
    ),
    { numRuns: 500 },
  );
});
