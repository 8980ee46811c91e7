// The ids of marks against a mark that chalk wrote, and against a second implementation.
import { expect, test } from "bun:test";
import { chalkIdOf, formatId, isId, metadataHash, validateMark } from "../../lib/mark/identity.ts";
import { plainJson, readJson, type MarkObject } from "../../lib/mark/mark_json.ts";
import { makeMark, REAL_MARK } from "../support/marks.ts";

const parse = (text: string) => readJson(text, 0)._unsafeUnwrap().value as MarkObject;

test("the ids of a mark that chalk itself wrote recompute", () => {
  const mark = parse(REAL_MARK);
  expect(chalkIdOf(mark.get("HASH") as string)).toBe("6WR6AR-SN6H-J6CD-K66GSK");
  expect(validateMark(mark)).toEqual({ valid: true, problems: [] });
});

test("a mark of today's generation recomputes, whatever it holds", () => {
  const text = makeMark({
    ключ: "é\u{1f600}",
    Z: [1, "two", true, [false, { b: 1, a: -5 }]],
    A: { z: "", "\uffff": 1, "\u{10000}": 2 },
    NEGATIVE: -1,
  });
  expect(validateMark(parse(text))).toEqual({ valid: true, problems: [] });
});

test("a changed mark does not validate", () => {
  const changed = parse(REAL_MARK.replace('"ARTIFACT_TYPE" : "bash"', '"ARTIFACT_TYPE" : "zsh"'));
  expect(validateMark(changed)).toEqual({
    valid: false,
    problems: ["METADATA_ID of the chalk mark does not follow from its content"],
  });
  const moved = parse(REAL_MARK.replace('"HASH" : "70', '"HASH" : "71'));
  expect(validateMark(moved).problems).toEqual(["CHALK_ID of the chalk mark does not follow from its HASH"]);
  const hash = parse(makeMark().replace(/("METADATA_HASH": ")./, "$1g"));
  expect(validateMark(hash).problems).toEqual(["METADATA_HASH of the chalk mark does not follow from its content"]);
});

test("missing ids and ids of the wrong type or form are told", () => {
  expect(validateMark(new Map()).problems).toEqual([
    "The chalk mark has no CHALK_ID",
    "The chalk mark has no METADATA_ID",
  ]);
  const wrong = new Map(parse(REAL_MARK)).set("CHALK_ID", 5n).set("METADATA_ID", "ILOU00-0000-0000-000000");
  expect(validateMark(wrong).problems.length).toBe(2);
  expect(isId("X6VRPZ-C828-KDNS-QDXRT0")).toBe(true);
  for (const bad of [
    "x6vrpz-c828-kdns-qdxrt0",
    "X6VRPZ-C828-KDNS-QDXRT",
    "X6VRPZ-C828-KDNS-QDXRT0\n",
    "",
    undefined,
    1,
  ])
    expect(isId(bad)).toBe(false);
});

test("values without an encoding leave the question open", () => {
  const float = new Map(parse(REAL_MARK)).set("X", parse('{"f":1.0}').get("f")!);
  expect(metadataHash(float)).toBeUndefined();
  expect(validateMark(float).valid).toBeUndefined();
  expect(metadataHash(new Map([["X", null]]))).toBeUndefined();
  expect(metadataHash(new Map([["X", 1n << 70n]]))).toBeUndefined();
});

test("formatId takes the first hundred bits", () => {
  expect(formatId(new Uint8Array(32))).toBe("000000-0000-0000-000000");
  expect(formatId(new Uint8Array(32).fill(255))).toBe("ZZZZZZ-ZZZZ-ZZZZ-ZZZZZZ");
  expect(formatId(Uint8Array.of(0b00001_000, 0b10_00011_0, 0b0100_0010))).toStartWith("12344");
});

test("readJson is strict, bounded and exact", () => {
  const value = (text: string) => {
    const read = readJson(text, 0);
    return read.isOk() ? plainJson(read.value.value) : read.error.what;
  };
  expect(value(' { "a" : [ 1 , -2 , true , null , "x\\u00e9\\n" ] } trailing')).toEqual({
    a: [1, -2, true, null, "xé\n"],
  });
  expect(value("9007199254740993")).toBe("9007199254740993");
  expect(value("1.5e3")).toBe(1500);
  expect(value('{"__proto__":{"x":1},"constructor":2}')).toEqual(JSON.parse('{"__proto__":{"x":1},"constructor":2}'));
  expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  for (const bad of [
    "",
    "{",
    "[1,",
    '{"a"}',
    '{"a":}',
    "{'a':1}",
    "tru",
    '"\\x"',
    '"open',
    '"tab\t"',
    "[1,]",
    "{,}",
    "+1",
    "-",
    "1e999",
  ])
    expect(readJson(bad, 0).isErr()).toBe(true);
  expect(value("[".repeat(100_000))).toBe("more than 64 levels");
  expect(value("1".repeat(1_000_000))).toBe("an integer of more than 40 digits");
});
