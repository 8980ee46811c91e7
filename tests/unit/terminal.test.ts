// lib/terminal: bytes to keys, columns, and what a painter writes, checked on a terminal emulator.
import { Terminal } from "@xterm/headless";
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { displayWidth, isPrintable } from "../../lib/base/text.ts";
import { KeyDecoder } from "../../lib/terminal/keys.ts";
import { Painter } from "../../lib/terminal/painter.ts";
import {
  cutColumns,
  cutLine,
  fitLine,
  lineWidth,
  nextCharacter,
  previousCharacter,
  safe,
  span,
  STYLE,
  type StyledLine,
} from "../../lib/terminal/styled.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Chords of what is typed; `!` before a paste's text. */
function chords(text: string): string[] {
  const decoder = new KeyDecoder();
  const keys = [...decoder.feed(bytes(text)), ...decoder.flush()];
  return keys.map(({ chord, text }) => (chord === "paste" ? `paste!${text}` : chord));
}

describe("KeyDecoder", () => {
  test.each([
    ["abc é漢", ["a", "b", "c", "space", "é", "漢"]],
    ["\r\n\t\x7f\x08\x00", ["enter", "C-j", "tab", "backspace", "C-h", "C-space"]],
    ["\x01\x1a\x1c\x1f", ["C-a", "C-z", "C-\\", "C-_"]],
    ["\x1b[A\x1b[B\x1bOC\x1bOD", ["up", "down", "right", "left"]],
    ["\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~", ["home", "end", "home", "end", "home", "end"]],
    ["\x1b[5~\x1b[6~\x1b[2~\x1b[3~", ["pageup", "pagedown", "insert", "delete"]],
    ["\x1bOP\x1b[11~\x1b[15~\x1b[24~\x1b[[A\x1b[[E", ["f1", "f1", "f5", "f12", "f1", "f5"]],
    ["\x1b[1;5C\x1b[1;3D\x1b[3;2~\x1b[1;6A", ["C-right", "M-left", "S-delete", "C-S-up"]],
    ["\x1b[5^\x1b[5$\x1b[a\x1b[Z", ["C-pageup", "S-pageup", "S-up", "S-tab"]],
    ["\x1bb\x1bé\x1b\x7f\x1b\x06", ["M-b", "M-é", "M-backspace", "C-M-f"]],
    ["\x1b", ["escape"]],
    ["\x1b\x1b", ["escape", "escape"]],
    ["\x1b[", ["M-["]],
    ["\x1bO", ["M-O"]],
    ["\x1b[200~a\nb\x1b[31mc\x1b[201~d", ["paste!a\nb\x1b[31mc", "d"]],
    ["\x1b[97;5u\x1b[13;2u\x1b[27;5;105~\x1b[233u", ["C-a", "S-enter", "C-i", "é"]],
    // Reports and mice are no keys.
    ["\x1b[?62;c\x1b]11;rgb:0/0/0\x07\x1bP1$r0m\x1b\\x\x1b[<0;3;4My\x1b[I", ["x", "y"]],
  ])("%j", (typed, expected) => expect(chords(typed)).toEqual(expected));

  test("bytes cut anywhere give the same keys", () => {
    const typed = "é\x1b[A\x1b[1;5Cx漢😀\x1b[200~p\x1b[1é\x1b[201~\x1bb\x1bOP.";
    const whole = chords(typed);
    const b = bytes(typed);
    for (let cut = 1; cut < b.length; cut++) {
      const decoder = new KeyDecoder();
      const keys = [...decoder.feed(b.subarray(0, cut)), ...decoder.feed(b.subarray(cut)), ...decoder.flush()];
      expect(keys.map(({ chord, text }) => (chord === "paste" ? `paste!${text}` : chord))).toEqual(whole);
    }
    const decoder = new KeyDecoder();
    const single = Array.from(b).flatMap((byte) => decoder.feed(Uint8Array.of(byte)));
    expect(single.length).toBe(whole.length);
  });

  test("an escape waits, and says so", () => {
    const decoder = new KeyDecoder();
    expect(decoder.feed(bytes("a\x1b"))).toEqual([{ chord: "a", text: "a" }]);
    expect(decoder.pending).toBe(true);
    expect(decoder.flush()).toEqual([{ chord: "escape", text: "" }]);
    expect(decoder.pending).toBe(false);
  });

  test("any bytes end, and leave nothing that stays", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (b) => {
        const decoder = new KeyDecoder();
        decoder.feed(b);
        for (let i = 0; i < 100 && decoder.pending; i++) decoder.flush();
        expect(decoder.pending).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("columns", () => {
  test("wide characters and marks are cut whole", () => {
    expect(cutColumns("漢字ab", 0, 3)).toBe("漢 ");
    expect(cutColumns("漢字ab", 1, 4)).toBe(" 字a");
    expect(cutColumns("e\u0301x", 0, 1)).toBe("e\u0301");
    expect(cutColumns("❤\ufe0fa", 0, 2)).toBe("❤\ufe0f");
    expect(cutColumns("abc", 1, 1)).toBe("b");
    expect(cutColumns("abc", 5, 9)).toBe("");
  });

  test("of a line of spans", () => {
    const line: StyledLine = [span("ab漢"), span("cd", STYLE.bold), span("ef")];
    expect(cutLine(line, 1, 4)).toEqual([span("b漢"), span("c", STYLE.bold)]);
    expect(lineWidth(fitLine(line, 12))).toBe(12);
    expect(lineWidth(fitLine(line, 3))).toBe(3);
  });

  test("a cut is as wide as asked for, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(20), fc.nat(20), (text, from, width) => {
        const shown = safe(text, true);
        const room = Math.max(0, Math.min(width, displayWidth(shown) - from));
        expect(displayWidth(cutColumns(shown, from, width))).toBe(room);
      }),
    );
  });

  test("tabs go to stops, and nothing steers the terminal", () => {
    expect(safe("\tx\ty", true)).toBe("        x       y");
    expect(safe("ab\tx", true, 3)).toBe("ab   x");
    expect(safe("\x1b[2J\u202e", true)).toBe("\\x1b[2J\\u202e");
    expect(safe("é\t→", false)).toBe("\\u00e9  \\u2192");
  });

  test("marks belong to their character", () => {
    const text = "ae\u0301b";
    expect(nextCharacter(text, 1)).toBe(3);
    expect(previousCharacter(text, 3)).toBe(1);
    expect(previousCharacter(text, 0)).toBe(0);
    expect(nextCharacter(text, 4)).toBe(4);
  });
});

describe("Painter", () => {
  const ability = { unicode: true, color: true };

  async function show(terminal: Terminal, text: string): Promise<string[]> {
    await new Promise<void>((resolve) => terminal.write(text, resolve));
    return Array.from(
      { length: terminal.rows },
      (_, y) => terminal.buffer.active.getLine(y)?.translateToString().trimEnd() ?? "",
    );
  }

  test("writes only what changed", () => {
    const painter = new Painter(ability);
    const first = painter.paint({ lines: [[span("one")], [span("two")]] }, 10, 3);
    expect(first).toContain("\x1b[2J");
    expect(painter.paint({ lines: [[span("one")], [span("two")]] }, 10, 3)).toBe("");
    const second = painter.paint({ lines: [[span("one")], [span("2", STYLE.bold)]] }, 10, 3);
    expect(second).toBe("\x1b[?25l\x1b[2;1H\x1b[0;1m2\x1b[0m\x1b[K\x1b[?25l");
    painter.forget();
    expect(painter.paint({ lines: [] }, 10, 3)).toContain("\x1b[2J");
  });

  test("the terminal shows the frames, whatever comes after what", async () => {
    const line = fc.array(
      fc.record({ text: fc.string({ unit: "grapheme-ascii" }), style: fc.constantFrom(STYLE.plain, STYLE.current) }),
      { maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(line, { maxLength: 6 }), { maxLength: 5 }), async (frames) => {
        const terminal = new Terminal({ cols: 12, rows: 5, allowProposedApi: true });
        const painter = new Painter(ability);
        for (const lines of frames) {
          const shown = await show(terminal, painter.paint({ lines }, 12, 5));
          const wanted = Array.from({ length: 5 }, (_, i) =>
            (lines[i] ?? [])
              .map(({ text }) => text)
              .join("")
              .slice(0, 12)
              .trimEnd(),
          );
          expect(shown).toEqual(wanted);
        }
        terminal.dispose();
      }),
      { numRuns: 60 },
    );
  });

  test("hostile text comes out as text; without colour and Unicode there is neither", async () => {
    const terminal = new Terminal({ cols: 30, rows: 2, allowProposedApi: true });
    const plain = new Painter({ unicode: false, color: false });
    const out = plain.paint({ lines: [[span("\x1b]0;evil\x07é\u202e", STYLE.error)]] }, 30, 2);
    expect(isPrintable(out.replaceAll("\x1b", ""), false)).toBe(true);
    expect(out).not.toContain("\x1b[0;");
    expect((await show(terminal, out))[0]).toBe("\\x1b]0;evil\\x07\\u00e9\\u202e");
    terminal.dispose();
  });

  test("the cursor stands where the prompt is, and is hidden elsewhere", () => {
    const painter = new Painter(ability);
    expect(painter.paint({ lines: [], cursor: { row: 1, column: 3 } }, 10, 3)).toEndWith("\x1b[2;4H\x1b[?25h");
    expect(painter.paint({ lines: [], cursor: { row: 1, column: 4 } }, 10, 3)).toBe("\x1b[2;5H\x1b[?25h");
    expect(painter.paint({ lines: [] }, 10, 3)).toBe("\x1b[?25l");
  });
});
