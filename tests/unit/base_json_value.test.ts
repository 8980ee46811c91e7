// JSON text that is safe on a terminal and still the same value.
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { emptyObject, jsonText, type Json } from "../../lib/base/json_value.ts";

test("jsonText gives back the value, and nothing in it steers a terminal", () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ stringUnit: "binary", maxDepth: 4 }),
      fc.integer({ min: 0, max: 4 }),
      (value, indent) => {
        const text = jsonText(value as Json, indent);
        // Lone surrogates and -0 are JSON.stringify's business.
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(indent === 0 ? text : text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      },
    ),
  );
});

test("jsonText leaves letters alone and writes several lines only with an indent", () => {
  expect(jsonText({ a: "é 日本 🎉" })).toBe('{"a":"é 日本 🎉"}');
  expect(jsonText({ a: [1] }, 2)).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(jsonText("\u009b\u{e0041}\u202e\x7f")).toBe('"\\u009b\\udb40\\udc41\\u202e\\u007f"');
});

test("emptyObject takes any name as a plain key", () => {
  const object = emptyObject<string>();
  object["__proto__"] = "x";
  expect(jsonText(object)).toBe('{"__proto__":"x"}');
  expect(object["toString"]).toBeUndefined();
});
