// The line editor: keys in, text and cursor out; and its rows on terminals of any width.
import { expect, test } from "bun:test";
import { displayWidth } from "../../lib/base/text.ts";
import { colour } from "../../lib/repl/colours.ts";
import { type Candidate, LineEditor } from "../../lib/repl/editor.ts";
import { InlinePainter, layOutEditor } from "../../lib/repl/editor_layout.ts";
import { History, historyLine, parseHistory } from "../../lib/repl/history.ts";
import { KeyDecoder } from "../../lib/terminal/keys.ts";
import { lineWidth, span } from "../../lib/terminal/styled.ts";
import { Terminal } from "@xterm/headless";

const encoder = new TextEncoder();

function make(lines: readonly string[] = [], candidates: readonly Candidate[] = []): LineEditor {
  return new LineEditor(new History(lines), {
    complete: (text, cursor) => {
      const from = text.lastIndexOf(" ", cursor - 1) + 1;
      return { from, candidates: candidates.filter((c) => c.text.startsWith(text.slice(from, cursor))) };
    },
    isWhole: (text) => !text.endsWith("|"),
  });
}

/** Types bytes as a terminal sends them; the last event. */
function type(editor: LineEditor, bytes: string): string {
  const decoder = new KeyDecoder();
  const keys = [...decoder.feed(encoder.encode(bytes)), ...decoder.flush()];
  return keys.map((key) => editor.press(key).kind).at(-1) ?? "";
}

const shown = (editor: LineEditor) => `${editor.text.slice(0, editor.cursor)}|${editor.text.slice(editor.cursor)}`;

test("typing, moving and removing over characters with marks and wide ones", () => {
  const e = make();
  type(e, "ab e\u0301 日本");
  expect(shown(e)).toBe("ab e\u0301 日本|");
  type(e, "\x1b[D\x1b[D\x1b[D");
  expect(shown(e)).toBe("ab e\u0301| 日本");
  type(e, "\x7f");
  expect(shown(e)).toBe("ab | 日本");
  type(e, "\x01\x04");
  expect(shown(e)).toBe("|b  日本");
  type(e, "\x05X");
  expect(shown(e)).toBe("b  日本X|");
});

test("words: Alt-B, Alt-F, Ctrl-W, Alt-D; kills together, yank and the one before", () => {
  const e = make();
  type(e, "procs where wall > 10ms");
  type(e, "\x1bb\x1bb");
  expect(shown(e)).toBe("procs where |wall > 10ms");
  type(e, "\x0b");
  expect(shown(e)).toBe("procs where |");
  type(e, "\x17\x17");
  expect(shown(e)).toBe("|");
  type(e, "\x19");
  // Three kills in a row were one.
  expect(e.text).toBe("procs where wall > 10ms");
  type(e, "\x1b<\x1bd");
  expect(e.text).toBe(" where wall > 10ms");
  type(e, "\x05\x19");
  expect(e.text).toBe(" where wall > 10msprocs");
  type(e, "\x1by");
  expect(e.text).toBe(" where wall > 10msprocs where wall > 10ms");
});

test("undo goes back a word at a time", () => {
  const e = make();
  type(e, "one two");
  type(e, "\x1f");
  expect(e.text).toBe("one");
  type(e, "\x1f");
  expect(e.text).toBe("");
  expect(type(e, "\x1f")).toBe("bell");
});

test("up walks through the lines that begin with what was typed, down returns to it", () => {
  const e = make(["procs", "tree", "procs | count", "events"]);
  type(e, "pr\x1b[A");
  expect(e.text).toBe("procs | count");
  type(e, "\x1b[A");
  expect(e.text).toBe("procs");
  expect(type(e, "\x1b[A")).toBe("bell");
  type(e, "\x1b[B\x1b[B");
  expect(e.text).toBe("pr");
});

test("Ctrl-R finds older lines, Ctrl-G gives back what was there, Enter runs what was found", () => {
  const e = make(["procs where failed", "tree", "procs | count"]);
  type(e, "xy\x12procs");
  expect([e.text, e.search?.part]).toEqual(["procs | count", "procs"]);
  type(e, "\x12");
  expect(e.text).toBe("procs where failed");
  type(e, "\x12");
  expect(e.search?.failed).toBe(true);
  type(e, "\x07");
  expect(e.text).toBe("xy");
  expect(type(e, "\x12tr\r")).toBe("accept");
});

test("the history's suggestion is taken by right, a word of it by Alt-F", () => {
  const e = make(["procs where failed | count"]);
  type(e, "procs");
  expect(e.suggestion()).toBe(" where failed | count");
  type(e, "\x1bf");
  expect(e.text).toBe("procs where");
  type(e, "\x1b[C");
  expect(e.text).toBe("procs where failed | count");
});

test("Tab inserts the only one, then what is common, then chooses; escape closes the menu", () => {
  const e = make([], [{ text: "where" }, { text: "wall" }, { text: "tree" }]);
  type(e, "t\t");
  expect(e.text).toBe("tree ");
  type(e, "w\t");
  expect([e.text, e.menu?.candidates.length]).toEqual(["tree w", 2]);
  type(e, "\t");
  expect(e.text).toBe("tree where");
  type(e, "\t");
  expect(e.text).toBe("tree wall");
  type(e, "\x1b[Z");
  expect(e.text).toBe("tree where");
  type(e, "\x1b");
  expect(e.menu).toBeUndefined();
  expect(type(make(), "zzz\t")).toBe("bell");
});

test("Enter on a line that is not whole begins another row; a paste is never run", () => {
  const e = make();
  expect(type(e, "procs |\r")).toBe("changed");
  expect(e.text).toBe("procs |\n");
  type(e, "count");
  expect(type(e, "\x1b[A")).toBe("changed");
  expect(e.cursor).toBeLessThan(8);
  const pasted = make();
  expect(type(pasted, "\x1b[200~a\r\nb\x1b[31mc\t\n\x1b[201~")).toBe("changed");
  expect(pasted.text).toBe("a\nb[31mc ");
});

test("Ctrl-D leaves on an empty line only, Ctrl-C always interrupts", () => {
  const e = make();
  expect(type(e, "\x04")).toBe("end");
  type(e, "ab\x01");
  expect(type(e, "\x04")).toBe("changed");
  expect(type(e, "\x03")).toBe("interrupt");
});

test("a history line may hold rows and backslashes; what begins with a blank and what repeats is not kept", () => {
  const lines = ["procs |\ncount", "events where argv ~ /a\\.b/"];
  expect(parseHistory(lines.map((l) => historyLine(l) + "\n").join(""))).toEqual(lines);
  const history = new History();
  expect([" secret", "a", "a", "", "b"].map((l) => history.add(l))).toEqual([false, true, false, false, true]);
});

for (const columns of [20, 33, 80])
  test(`rows never exceed ${columns} columns, and the cursor is where the next character goes`, () => {
    const e = make(
      [],
      [{ text: "where", summary: "keep the rows of which a condition is true, and more words" }, { text: "wall" }],
    );
    type(e, 'procs where argv ~ /日本語/ and wall > 10ms and exe == "a\u202eb\\u0007" | sort -wall, pid | top 10 w\t');
    const options = {
      columns,
      rows: 24,
      unicode: true,
      prompt: [span("tk> ")],
      hint: "",
      colour,
      live: true,
    };
    const picture = layOutEditor(e, options);
    for (const line of picture.lines) expect(lineWidth(line)).toBeLessThanOrEqual(columns);
    expect(picture.column).toBeLessThan(columns);
    expect(picture.lines.flatMap((l) => l.map((s) => s.text)).join("")).not.toMatch(/[\u202e]/);
    expect(displayWidth(picture.lines[0]!.map((s) => s.text).join(""))).toBeGreaterThan(columns - 3);
  });

test("what the painter writes is what a terminal shows, whatever changed", async () => {
  const columns = 24;
  const terminal = new Terminal({ cols: columns, rows: 10, allowProposedApi: true });
  const painter = new InlinePainter({ unicode: true, color: false });
  const e = make([], [{ text: "alpha" }, { text: "alto" }]);
  const show = async (bytes: string) => {
    type(e, bytes);
    const picture = layOutEditor(e, {
      columns,
      rows: 10,
      unicode: true,
      prompt: [span("tk> ")],
      hint: "",
      colour,
      live: true,
    });
    await new Promise<void>((resume) => terminal.write(painter.paint(picture, columns), resume));
    const { active } = terminal.buffer;
    const rows = Array.from({ length: 10 }, (_, y) =>
      active
        .getLine(active.baseY + y)!
        .translateToString(true)
        .trimEnd(),
    );
    const wanted = picture.lines.map((l) =>
      l
        .map((s) => s.text)
        .join("")
        .trimEnd(),
    );
    const first = active.cursorY - picture.row;
    expect(rows.slice(first, first + wanted.length)).toEqual(wanted);
    expect(rows.slice(first + wanted.length).join("")).toBe("");
    expect(active.cursorX).toBe(picture.column);
  };
  await show("procs where wall > 10ms and exe == make");
  await show("\x17\x17\x17\x17\x17");
  await show(" al\t");
  await show("\t");
  await show("\x1b");
  await show("\x1b\r\x1b\rx\x1b\ry");
  await show("\x15\x7f\x7f\x7f");
  await show("\x01");
});
