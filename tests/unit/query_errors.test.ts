// What the query language says about mistakes: the place, the sentence, the names that were meant. And what it offers while one types.
import { expect, test } from "bun:test";
import { compileCondition, compileQuery } from "../../lib/query/check_query.ts";
import { completionsAt } from "../../lib/query/complete.ts";
import { eventCondition } from "../../lib/query/event_condition.ts";
import type { TableName } from "../../lib/query/fields.ts";
import { errorSentence, explainError, markFitted } from "../../lib/query/query_error.ts";
import { compileRegex } from "../../lib/query/regex.ts";
import { toTable } from "../../lib/query/result.ts";
import { runNow, runQuery } from "../../lib/query/run.ts";
import { World } from "../../lib/query/world.ts";
import { Derived } from "../../lib/derive/derived.ts";
import { parseBreakpoint } from "../../lib/replay/condition.ts";
import { timeline } from "../support/timeline.ts";

/** What is underlined, and what is said. */
function fault(text: string): [string, string] {
  const plan = compileQuery(text, { table: "procs" });
  if (plan.isOk()) throw new Error(`no mistake in ${text}`);
  const { error } = plan;
  return [text.slice(error.at, error.at + error.length), errorSentence(error)];
}

test.each([
  ["procs where wal > 10ms", "wal", "there is no field 'wal' in procs; did you mean wall?"],
  ["prcs where wall > 1s", "prcs", "there is no table 'prcs'; did you mean procs?"],
  ["procs | sotr wall", "sotr", "expected a stage, got 'sotr'; did you mean sort?"],
  ["wall > 10", "wall > 10", "a duration is compared with a number"],
  ["rss > 10ms", "rss > 10ms", "a size is compared with a duration"],
  ["exe > 10", "exe > 10", "a text is compared with a number"],
  ["wall > 10mss", "mss", "'mss' is no unit"],
  ["wall ~ /a/", "wall", "~ is for texts, this is a duration"],
  ["exe ~ /(a/", "(", "a ( without its ); a real one is written \\("],
  ["exe ~ /a\\1/", "\\1", "a reference back is not supported: regexes here run in linear time"],
  ["exe ~ /(?=a)/", "(?=", "looking ahead or behind is not supported: regexes here run in linear time"],
  ["exe ~ /a/x", "x", "'x' is no flag of a regex, expected i (any case), m (^ and $ at lines) or s (. takes newlines)"],
  ["signal == KILLL", "KILLL", "'KILLL' is no signal; did you mean KILL or ILL?"],
  ["parent.exee == a", "exee", "there is no field 'exee' in procs; did you mean exe or exit or execs?"],
  ["wall.x > 1", "x", "wall has no fields"],
  ["anny(child.exit == 0)", "anny", "there is no function 'anny'; did you mean any?"],
  ["sum(wall) > 1s", "sum(wall)", "sum is computed of groups of rows, not of one"],
  ["any(exit == 0)", "any(exit == 0)", "any asks about children or images, none is named"],
  [
    "any(any(child.exit == 0))",
    "any(child.exit == 0)",
    "any(), all() and sums over children do not stand in one another",
  ],
  ["child.exit == 0", "child", "there is no field 'child' in procs"],
  ["wall > 1s > 2s", ">", "comparisons cannot be chained"],
  ["wall >", " ", "the text ends where a value was expected"],
  ['exe == "make', '"make', "a text that begins here has no end"],
  ["(wall > 1s", " ", "expected ) to close the parenthesis, got the end"],
  ["procs group exe | agg n=count(), wall", "wall", "this is a value of one row, not of a group of rows"],
  ["procs | select exe, exe", "exe", "two columns are called 'exe'"],
  ["procs | select exe | where wall > 1s", "wall", "there is no column 'wall' here"],
  ["procs | top many", "many", "expected a whole number after top, got 'many'"],
  ["start + start > 1s", "start + start", "a moment + a moment has no meaning"],
  ["", " ", "the query is empty"],
  ["exe == a b", "b", "expected | and a stage or the end, got 'b'"],
])("%s", (text, place, sentence) => {
  const [underlined, said] = fault(text);
  expect([underlined || " ", said]).toEqual([place, sentence]);
});

test.each([
  ["wall > 1s AND failed", "AND", "words of the language are written in lower case: and"],
  ["exe == NULL", "NULL", "words of the language are written in lower case: null"],
  ["exe LIKE 'cc*'", "LIKE", "words of the language are written in lower case: like"],
  ["exe like 'cc%'", "'cc%'", 'such as like "cc*"; a % itself is compared with =='],
  ["argv contains curl", "contains", 'part of a text is found with ~ /text/ or like "*text*"'],
  ["argv =~ /curl/", "~", "a regex follows ~ alone: argv ~ /curl/"],
  ["argv ~ curl", "curl", "such as ~ /curl/"],
  ["exe === sh", "=", "== is the longest: exe == make"],
  ["wall > 10 ms", "ms", "a unit stands right behind its number: 10ms"],
  ["ts > 12:00:01", ":", "a moment is written as the time since the recording began, such as 1.2s"],
  ["cwd == /tmp", "/", 'a path stands in quotes, such as "/usr/bin/cc"'],
  ["exe in [cc, as]", "[", 'values after in stand in parentheses, such as in ("cc1", "as")'],
  ["under(make)", "make", "such as under(p12) or under(4711)"],
  ["procs order by wall", "order", "it is written '| sort wall', or '| sort -wall' from the largest"],
  ["select * | count", "*", "without select all columns are shown"],
  ["select pid from procs", "from", "the table stands first: procs where wall > 1s | select pid, exe"],
])("a habit from elsewhere: %s", (text, place, hint) => {
  const plan = compileQuery(text, { table: "procs" });
  const { at, length, ...error } = plan._unsafeUnwrapErr();
  expect([text.slice(at, at + length), error.hint]).toEqual([place, hint]);
});

test("control characters of a query never reach the terminal, and the place is still underlined", () => {
  const text = "exe == '\u202e\x1b[31m' and wal > 1s";
  const plan = compileQuery(text, { table: "procs" });
  const lines = plan.isErr() ? explainError(text, plan.error) : [];
  expect(lines[0]).toBe("  exe == '\\u202e\\x1b[31m' and wal > 1s");
  expect(lines[1]!.indexOf("^")).toBe(lines[0]!.indexOf("wal"));
});

const RECORDING = timeline(`
  recording root=10 make
  0ms 1 fork 10
  1ms 10 exec make all
  2ms 10 fork 11
  3ms 11 exec:fail 2 /usr/local/bin/cc
  4ms 11 exec /usr/bin/cc -c a.c
  30ms 11 exit 1 user=20ms rss=2048
  31ms 10 fork 12
  32ms 12 exec curl http://example.com
  40ms 12 killed 9
  50ms 10 exit 2
  50ms end 2`);

const items = (text: string, table: TableName = "procs") => {
  const at = text.indexOf("|>");
  const cursor = at < 0 ? text.length : at;
  const typed = at < 0 ? text : text.slice(0, at) + text.slice(at + 2);
  return completionsAt(typed, cursor, new World(RECORDING), { table }).items.map((i) => i.text);
};

test("what is offered while one types", () => {
  expect(items("pro")).toContain("procs");
  expect(items("procs ")).toContain("where");
  expect(items("procs where w")).toEqual(["wall"]);
  expect(items("procs where wall ")).toContain(">=");
  expect(items("procs where exe == ")).toEqual(expect.arrayContaining(["make", "cc", "curl"]));
  expect(items('procs where exe in ("c')).toEqual(expect.arrayContaining(['"cc"', '"curl"']));
  expect(items("parent.ex")).toEqual(
    expect.arrayContaining(["exe", "execs", "exit"].filter((x) => x.startsWith("ex"))),
  );
  expect(items("events where kind == exec_")).toEqual(["exec_failed", "exec_args", "exec_filename"]);
  expect(items("events where errno == ENOE")).toEqual(["ENOENT", "ENOEXEC"]);
  expect(items("signal == SIGK")).toEqual(["SIGKILL"]);
  expect(items("any(child.fai")).toEqual(["failed"]);
  expect(items("procs group exe | agg ")[0]).toMatch(/\($/);
  expect(items("procs | select a = wall | where ")).toContain("a");
  expect(items("procs | so")).toEqual(["sort"]);
  expect(items("parent == p")).toContain("p0");
  expect(items("procs where wa|> > 3ms")).toEqual(["wall"]);
});

test("pids and handles are offered where a process is named", () => {
  const [pid] = items("procs where pid == ");
  expect(pid).toMatch(/^\d+$/);
  expect(items(`procs where pid == ${pid!.slice(0, 1)}`)).toContain(pid!);
  expect(items("procs where under(p").slice(0, 2)).toEqual(["p0", "p1"]);
  expect(items(`procs where under(${pid!.slice(0, 1)}`)).toContain(pid!);
  expect(items("procs where wall > 10")).toEqual([]);
});

test("the mark stays under the place in a terminal of any width", () => {
  const text = `procs where exe == "日本" and ${"wall > 10ms and ".repeat(4)}wal > 1s and exe == cc`;
  const error = compileQuery(text, { table: "procs" })._unsafeUnwrapErr();
  const [line, mark] = explainError(text, error) as [string, string];
  for (const width of [5, 8, 12, 20, 33, 80, 200, Infinity]) {
    const [cut, under] = markFitted(line, mark, width);
    expect(Bun.stringWidth(cut)).toBeLessThan(width);
    if (width < 8) continue;
    const at = under.indexOf("^");
    let column = 0;
    const place = [...cut].filter((c) => {
      const here = column >= at && column < at + 3;
      column += Bun.stringWidth(c);
      return here;
    });
    expect([width, place.join("")]).toEqual([width, "wal"]);
  }
});

test("a word that is completed is replaced whole", () => {
  const { from, to } = completionsAt("procs where wazz > 3ms", 14, undefined, { table: "procs" });
  expect([from, to]).toEqual([12, 16]);
});

test("a condition as a breakpoint", () => {
  const derived = new Derived(RECORDING);
  const rows = (text: string) => {
    const predicate = parseBreakpoint(text)._unsafeUnwrap().over(derived);
    return Array.from({ length: RECORDING.events.length }, (_, row) => row).filter((row) => predicate.test(row));
  };
  expect(rows("kind == exec and argv ~ /curl/").length).toBe(1);
  expect(rows("failed and errno == ENOENT").length).toBe(1);
  expect(rows("exec curl").length).toBe(1);
  expect(parseBreakpoint("kind == exce")._unsafeUnwrapErr()).toContain("did you mean exec");
  expect(eventCondition("exe == 'a  b'")._unsafeUnwrap().text).toBe("exe == 'a b'");
});

test("a query can be given up at any step, and stops by itself", () => {
  const plan = compileQuery("procs where wall > 1ms | sort -wall | count", { table: "procs" })._unsafeUnwrap();
  const steps = runQuery(plan, new World(RECORDING));
  expect(steps.next().done).toBe(false);
  const rows = toTable(runNow(plan, new World(RECORDING))).rows;
  expect(rows).toEqual([[3]]);
});

test("within: only the rows that pass a filter are asked", () => {
  const world = new World(RECORDING);
  const plan = compileQuery("procs | select exe", { table: "procs" })._unsafeUnwrap();
  expect(toTable(runNow(plan, world, Uint8Array.of(0, 1, 1))).rows).toEqual([["cc"], ["curl"]]);
  expect(toTable(runNow(plan, world, Int32Array.of(1))).rows).toEqual([["cc"]]);
});

test("a pattern that makes others hang is one pass over two mebibytes", () => {
  const text = new Uint8Array(2 << 20).fill(97);
  const began = performance.now();
  for (const source of ["(a*)*b", "(a|a)*b", "(a+)+$b", "a{0,200}a{0,200}b"])
    expect(compileRegex(source)._unsafeUnwrap().test(text)).toBe(false);
  expect(performance.now() - began).toBeLessThan(5000);
});

test("a condition about another table is refused with the table that has it", () => {
  const condition = compileCondition("errno == ENOENT", { table: "procs" });
  expect(condition._unsafeUnwrapErr().hint).toBe("it is a field of events");
});
