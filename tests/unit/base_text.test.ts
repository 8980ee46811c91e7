// Text of strangers: what reaches a terminal, and how wide it is there.
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { count, cutEnd, cutMiddle, displayWidth, padEnd, padStart, printable, wrap } from "../../lib/base/text.ts";

test("printable shows controls, escapes, bidi and invisible characters, and leaves letters alone", () => {
  expect(printable("plain ASCII ~")).toBe("plain ASCII ~");
  expect(printable("a\nb\tc\r\x1b[31m\x00\x7f")).toBe("a\\nb\\tc\\r\\x1b[31m\\x00\\x7f");
  expect(printable("\x9b31m")).toBe("\\u009b31m"); // C1: a terminal's own CSI
  expect(printable("\u202etxt.exe\u2066\u200b\ufeff\u2028")).toBe("\\u202etxt.exe\\u2066\\u200b\\ufeff\\u2028");
  expect(printable("\u{e0041}")).toBe("\\U000e0041");
  expect(printable("\ud800x")).toBe("\\ud800x");
  expect(printable("\u00a0\u3000\u3164")).toBe("\\u00a0\\u3000\\u3164");
  expect(printable("é 日本 🎉 ñ")).toBe("é 日本 🎉 ñ");
  expect(printable("é 日", false)).toBe("\\u00e9 \\u65e5");
});

test("printable leaves nothing that steers a terminal, whatever comes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (s) => {
      expect(printable(s)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      expect(printable(s, false)).toMatch(/^[\x20-\x7e]*$/);
    }),
  );
});

test("displayWidth counts columns", () => {
  expect(displayWidth("abc")).toBe(3);
  expect(displayWidth("日本")).toBe(4);
  expect(displayWidth("e\u0301x")).toBe(2);
  expect(displayWidth("🎉")).toBe(2);
  expect(displayWidth("한글")).toBe(4);
  expect(displayWidth("ｆ")).toBe(2);
  expect(displayWidth("ё─→")).toBe(3);
});

test("cutEnd and cutMiddle keep the width and say that they cut", () => {
  expect(cutEnd("abcdef", 6, "…")).toBe("abcdef");
  expect(cutEnd("abcdef", 5, "…")).toBe("abcd…");
  expect(cutEnd("日本語", 5, "…")).toBe("日本…");
  expect(cutEnd("日本語", 4, "…")).toBe("日…");
  expect(cutEnd("abcdef", 2, "...")).toBe("ab");
  expect(cutMiddle("0123456789abcdef", 9, "…")).toBe("012345…ef");
  expect(cutMiddle("short", 9, "…")).toBe("short");
  expect(cutEnd("abc", Infinity, "…")).toBe("abc");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), fc.integer({ min: 0, max: 30 }), (s, width) => {
      const text = printable(s);
      for (const mark of ["…", "..."]) {
        expect(displayWidth(cutEnd(text, width, mark))).toBeLessThanOrEqual(width);
        expect(displayWidth(cutMiddle(text, width, mark))).toBeLessThanOrEqual(width);
      }
      if (displayWidth(text) <= width) expect(cutMiddle(text, width, "…")).toBe(text);
    }),
  );
});

test("wrap keeps every word, and the width when words allow it", () => {
  expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrap("! one two three", 9, "  ")).toEqual(["! one two", "  three"]);
  expect(wrap("one two", Infinity)).toEqual(["one two"]);
  expect(wrap("abcdefgh", 3)).toEqual(["abc", "def", "gh"]);
  expect(wrap("", 3)).toEqual([""]);
  expect(wrap("日本", 1)).toEqual(["日本"]);
});

test("padStart, padEnd and count", () => {
  expect(padStart("日", 4)).toBe("  日");
  expect(padEnd("日", 4)).toBe("日  ");
  expect(padEnd("long", 2)).toBe("long");
  expect(count(1, "process", "processes")).toBe("1 process");
  expect(count(1234567, "task")).toBe("1,234,567 tasks");
});
