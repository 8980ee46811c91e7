// One block of words to rows: stamps, frames, and every way in which the words can make no sense.
import { expect, test } from "bun:test";
import { LineRows, fileOf, lineOf } from "../../lib/lines/line_rows.ts";
import { BlockDecoder, type BlockTimes, MOST_ROWS } from "../../lib/trackexec/block.ts";
import { type BlockOf, blockWords } from "../support/trackexec.ts";

const rows = new LineRows(MOST_ROWS);

/** The rows as `file:line@depth time`, and what was wrong. */
function decode(words: Uint16Array, times: Partial<BlockTimes> = {}) {
  const fault = new BlockDecoder().decode(words, { start: 1000, end: 2000, ...times }, rows);
  const all = Array.from(
    { length: rows.length },
    (_, i) => `${fileOf(rows.key[i]!)}:${lineOf(rows.key[i]!)}@${rows.depth[i]!} ${rows.time[i]!}`,
  );
  return { fault, open: all.slice(0, rows.snapshot), lines: all.slice(rows.snapshot), end: rows.end };
}

const block = (steps: BlockOf["steps"], stack?: BlockOf["stack"]) =>
  blockWords({ start: 1000, steps, ...(stack === undefined ? {} : { stack }) });

test("lines get the top frame's file, their depth and a time between the stamps around them", () => {
  const words = block(
    [{ line: 11 }, { call: 2 }, { line: 5 }, { stamp: 500 }, { line: 6 }, { ret: true }, { line: 12 }],
    [
      [1, 3],
      [1, 10],
    ],
  );
  expect(decode(words)).toEqual({
    fault: undefined,
    open: ["1:3@1 1000", "1:10@2 1000"],
    lines: ["1:11@2 1000", "2:5@3 1250", "2:6@3 1500", "1:12@2 1750"],
    end: 2000,
  });
});

test("the last block ends with its last line, as the older reader has it, and with its last stamp when it has no line", () => {
  const last = { end: undefined };
  const some = decode(block([{ line: 1 }, { line: 2 }, { stamp: 600 }], [[0, 9]]), last);
  expect(some).toMatchObject({ lines: ["0:1@1 1000", "0:2@1 1300"], end: 1300 });
  const none = decode(block([{ ret: true }, { stamp: 600 }], [[0, 9]]), last);
  expect(none).toMatchObject({ fault: undefined, lines: [], end: 1600 });
  const unknown = decode(block([{ line: 1 }, { line: 2 }, { stamp: 600 }], [[0, 9]]), { ...last, endsAtStamp: true });
  expect(unknown.end).toBe(1600);
});

test("stamps carry 60 bits in four words", () => {
  const year = 365 * 86400 * 2 ** 20;
  const words = block([{ stamp: year }, { line: 1 }], [[0, 9]]);
  expect([...words.subarray(3, 8)]).toEqual([65533, 1, 28673, 30797, 1]);
  expect(decode(words, { end: 2000 + year }).lines).toEqual([`0:1@1 ${1000 + year}`]);
});

test("line 65533 is told from a stamp where the words cannot be one", () => {
  const fault = "it has an impossible time stamp (the format cannot tell one from line 65533)";
  for (const next of [
    [7, 8, 9, 10], // More than a year.
    [40000, 1, 1, 1], // No operand has 16 bits.
    [9, 0, 0, 0], // Nor is one 0.
  ]) {
    const words = block([{ line: 65533 }, ...next.map((line) => ({ line }))], [[0, 1]]);
    const got = decode(words);
    expect(got.fault).toBe(fault);
    expect(got.lines.map((line) => line.split("@")[0])).toEqual(
      [65533, ...next].filter((line) => line !== 0).map((line) => `0:${line}`),
    );
  }
});

test("a stamp after the block's end is the end: then the index is wrong, or a line 65533 was followed by a line 1", () => {
  const words = block([{ line: 1 }, { stamp: 5000 }, { line: 2 }], [[0, 1]]);
  const got = decode(words);
  expect([got.fault, got.lines]).toEqual(["it has a time stamp after its end", ["0:1@1 1000", "0:2@1 2000"]]);
});

test("what makes no sense is told once, and the rest is kept", () => {
  const cases: readonly [Uint16Array, string | undefined, number][] = [
    [new Uint16Array(0), "it is empty", 0],
    [Uint16Array.of(2048, ...new Uint16Array(4095)), "a stack of 2048 frames does not fit into it", 0],
    [Uint16Array.of(3, 1, 1), "it ends inside its stack", 0],
    [block([{ line: 1 }, { line: 2 }], [[0, 5]]).subarray(0, 5), "it is cut off", 2],
    [block([{ line: 1 }, { call: 7 }], [[0, 5]]).subarray(0, 5), "it is cut off", 1],
    [block([{ line: 1 }, { stamp: 9 }], [[0, 5]]).subarray(0, 7), "it is cut off", 1],
    [
      block([{ ret: true }, { ret: true }, { call: 4 }, { line: 1 }], [[0, 5]]),
      "it leaves more frames than are open",
      1,
    ],
    [block([{ line: 1 }]), "a line runs while no frame is open", 0],
    [new Uint16Array(4096).fill(9).with(0, 1), "its code has no end", 4093],
    [
      block([{ line: 1 }], [[0, 5]]).with(100, 6),
      "there are words after its end (line 65536 is written as its end)",
      1,
    ],
    [new Uint16Array(4096), undefined, 0],
  ];
  for (const [words, fault, lines] of cases) {
    const got = decode(words);
    expect(got.fault).toBe(fault);
    expect(got.lines).toHaveLength(lines);
  }
});

test("the deepest stacks: 2047 open frames, and 4000 calls in one block", () => {
  const stack = Array.from({ length: 2046 }, (_, i) => [i % 7, i + 1] as const);
  const deep = decode(block([{ line: 3 }], stack));
  expect([deep.fault, deep.lines, deep.open.length]).toEqual([undefined, ["1:3@2046 1000"], 2046]);
  const calls = decode(block([...Array.from({ length: 2046 }, (_, i) => ({ call: i })), { line: 5 }]));
  expect(calls).toMatchObject({ fault: undefined, lines: ["2045:5@2046 1000"] });
});
