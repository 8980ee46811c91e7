// What the sorter asks of one line.
import { expect, test } from "bun:test";
import { LINE, makeLineKeys, scanKeys } from "../../lib/format/line_keys.ts";
import { KIND } from "../../lib/model/event.ts";

function keys(line: string): [number, number, number, number, number] {
  // Between other bytes: nothing outside the line may count.
  const bytes = new TextEncoder().encode(`{"Fork":{"timestamp":99,${line}}}"pid":9`);
  const out = makeLineKeys();
  const from = 24;
  const found = scanKeys(bytes, from, bytes.length - 9, out);
  return [found, out.kind, out.ts, out.seq, out.pid];
}

test("the shapes that tk and proctrace write", () => {
  expect(keys('{"Fork":{"seq":3,"timestamp":12,"parent_pid":7,"child_pid":8,"parent_pgid":7}}')).toEqual([
    LINE.event,
    KIND.fork,
    12,
    3,
    8,
  ]);
  expect(keys('{"Fork":{"timestamp":12,"parent_pid":7,"child_pid":8,"parent_pgid":7}}')).toEqual([
    LINE.event,
    KIND.fork,
    12,
    -1,
    8,
  ]);
  expect(keys('{"Exit":{"seq":4,"timestamp":13,"pid":8,"ppid":7,"pgid":7,"exit_code":0}}')).toEqual([
    LINE.event,
    KIND.exit,
    13,
    4,
    8,
  ]);
  expect(keys('{"End":{"seq":9,"timestamp":900719925474099,"events":1}}')).toEqual([
    LINE.event,
    KIND.end,
    900719925474099,
    9,
    -1,
  ]);
  expect(keys('{"Lost":{"seq":9,"timestamp":1,"count":5,"reason":"x"}}')).toEqual([LINE.event, KIND.lost, 1, 9, -1]);
  expect(keys('{"Recording":{"version":1,"root_pid":4}}')).toEqual([LINE.event, KIND.recording, NaN, -1, -1]);
});

test("any other order, spacing, escape and size", () => {
  expect(keys(' { "Exit" : { "pid" : 8 , "timestamp" : 13 } } ')).toEqual([LINE.event, KIND.exit, 13, -1, 8]);
  expect(keys('{"\\u0045xit":{"p\\u0069d":8,"timestamp":1.3e1}}')).toEqual([LINE.event, KIND.exit, 13, -1, 8]);
  expect(keys('{"Report":{"timestamp":5,"pid":1,"report":{"timestamp":6,"seq":7}}}')).toEqual([
    LINE.event,
    KIND.report,
    5,
    -1,
    1,
  ]);
  expect(keys('{"Exit":{"timestamp":1234567890123456,"pid":8}}')).toEqual([
    LINE.event,
    KIND.exit,
    1234567890123456,
    -1,
    8,
  ]);
  expect(keys('{"New":{"timestamp":5}}')).toEqual([LINE.event, KIND.unknown, 5, -1, -1]);
});

test("a time that is none leaves the line without one", () => {
  for (const time of ["-1", "1.5", '"7"', "null", "9007199254740993", "1e400", "[7]"])
    expect(keys(`{"Exit":{"timestamp":${time},"pid":8}}`)).toEqual([LINE.event, KIND.exit, NaN, -1, 8]);
});

test("raw lines have the same keys", () => {
  expect(keys("FORK: seq=3,ts=12,parent_pid=7,child_pid=8,parent_pgid=7")).toEqual([LINE.raw, KIND.fork, 12, 3, 8]);
  expect(keys("EXEC_ARGS: ts=12,pid=8,a,b=c")).toEqual([LINE.raw, KIND.exec_args, 12, -1, 8]);
});

test("what is no event", () => {
  for (const line of ["", "  ", "\t\r"]) expect(keys(line)[0]).toBe(LINE.blank);
  for (const line of [
    "x",
    "[1]",
    '{"Fork":{"timestamp":1',
    '{"Fork":{"timestamp":01,"pid":1}}',
    "FORK: x",
    '{"a":1}}',
    "\0",
  ])
    expect([line, keys(line)[0]]).toEqual([line, LINE.broken]);
});

test("several tags on one line belong to none of them", () => {
  expect(keys('{"Exit":{"timestamp":1,"pid":2},"x":1}')).toEqual([LINE.event, KIND.unknown, NaN, -1, -1]);
  expect(keys('{"Exit":{"timestamp":1,"pid":2},"Exit":{"timestamp":3,"pid":4} }')).toEqual([
    LINE.event,
    KIND.exit,
    3,
    -1,
    4,
  ]);
  expect(keys('{"Exit":{"timestamp":1,"pid":2},"Fork":{"timestamp":3}}')).toEqual([
    LINE.event,
    KIND.unknown,
    NaN,
    -1,
    -1,
  ]);
});
