// The shell around the players: prompt and history, completion, switching at the same moment, following, any screen size.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Prompt, PromptHistory } from "../../lib/replay/prompt.ts";
import { Shell } from "../../lib/replay/shell.ts";
import { DONE, type Moment, type Reply, UNKNOWN, type View } from "../../lib/replay/view.ts";
import { span } from "../../lib/terminal/styled.ts";

class FakeView implements View {
  readonly id: string;
  readonly log: string[] = [];
  at: Moment = { time: 5, pid: 1 };
  more = false;
  said: string | undefined;
  reply: Reply = DONE;

  constructor(id: string) {
    this.id = id;
  }

  hints = () => ["one", "two", "three"];
  paint = () => [[span(`${this.id} at ${this.at.time}`)], [span("second")], [span("third")]];
  complete = (line: string) => ["f alpha.py", "f alps.py", "f beta.py"].filter((whole) => whole.startsWith(line));
  message = () => this.said;
  moment = () => this.at;
  press(chord: string): Reply {
    this.log.push(chord);
    if (chord === "s") this.at = { ...this.at, time: this.at.time + 1 };
    if (chord === "b") return { kind: "prompt", mark: "> ", text: "b " };
    if (chord === "/") return { kind: "prompt", mark: "/", text: "" };
    if (chord === "q") return { kind: "quit" };
    if (chord === "x") return { kind: "show", view: "other", at: { time: 77, pid: 2 } };
    return chord === "Z" ? UNKNOWN : DONE;
  }
  enter(line: string, mark: string): Reply {
    this.log.push(`${mark}${line}`);
    return DONE;
  }
  goTo(at: Moment): boolean {
    this.log.push(`to ${at.time}`);
    // As near as it has something.
    this.at = { ...at, time: Math.floor(at.time / 10) * 10 };
    return true;
  }
  refresh(): boolean {
    const { more } = this;
    this.more = false;
    return more;
  }
  toEnd(): void {
    this.at = { ...this.at, time: 1000 };
  }
}

function type(shell: Shell, ...keys: string[]): void {
  for (const key of keys)
    if (key.length > 1 && !["tab", "enter", "escape", "up", "down", "backspace"].includes(key))
      for (const c of key) shell.press(c === " " ? "space" : c, c);
    else shell.press(key, key.length === 1 ? key : "");
}

const screen = (shell: Shell, columns = 40, rows = 10) => {
  const frame = shell.paint({ columns, rows, ability: { unicode: false, color: false } });
  return { lines: frame.lines.map((line) => line.map(({ text }) => text).join("")), cursor: frame.cursor };
};

describe("Shell", () => {
  test("a prompt takes keys until it is entered or left; history is kept by prompt", () => {
    const view = new FakeView("lines");
    const shell = new Shell([view]);
    type(shell, "b", "12");
    expect(screen(shell).lines.at(-1)).toBe("> b 12");
    expect(screen(shell).cursor).toEqual({ row: 9, column: 6 });
    type(shell, "enter", "/", "q", "enter", "b", "escape", "s");
    expect(view.log).toEqual(["b", "> b 12", "/", "/q", "b", "s"]);
    type(shell, "b", "up");
    expect(screen(shell).lines.at(-1)).toBe("> b 12");
    type(shell, "down");
    expect(screen(shell).lines.at(-1)).toBe("> b ");
    expect(shell.press("C-c", "")).toBe("paint");
    expect(shell.press("C-c", "")).toBe("quit");
    expect(shell.press("q", "q")).toBe("quit");
    expect(shell.press("C-z", "")).toBe("suspend");
    expect(shell.press("C-l", "")).toBe("repaint");
  });

  test("Tab switches at the same moment, and back to where one was", () => {
    const lines = new FakeView("lines");
    const other = new FakeView("other");
    const shell = new Shell([lines, other]);
    lines.at = { time: 57, pid: 1 };
    type(shell, "tab");
    expect(shell.view.id).toBe("other");
    expect(other.at.time).toBe(50);
    type(shell, "tab");
    expect(lines.at.time).toBe(57);
    expect(lines.log).toEqual([]);
    type(shell, "tab", "s", "tab");
    expect(lines.log).toEqual(["to 51"]);
    type(shell, "x");
    expect([shell.view.id, other.at.time]).toEqual(["other", 70]);
    type(shell, "tab");
    expect(shell.view.id).toBe("lines");
  });

  test("with one view there is nothing to switch to", () => {
    const shell = new Shell([new FakeView("lines")]);
    type(shell, "tab");
    expect(screen(shell).lines).toContain("[ there are only lines in this recording");
    type(shell, "Z");
    expect(screen(shell).lines.join("\n")).toContain("does nothing here");
    type(shell, "s");
    expect(screen(shell).lines.join("\n")).not.toContain("[");
  });

  test("following goes to the end whenever there is more, until somebody moves", () => {
    const view = new FakeView("lines");
    const shell = new Shell([view]);
    type(shell, "F");
    expect(shell.following).toBe(true);
    expect(view.at.time).toBe(1000);
    view.at = { time: 3, pid: 1 };
    expect(shell.tick()).toBe(false);
    expect(view.at.time).toBe(3);
    view.more = true;
    expect(shell.tick()).toBe(true);
    expect(view.at.time).toBe(1000);
    type(shell, "s");
    expect(shell.following).toBe(false);
    view.more = true;
    shell.tick();
    expect(view.at.time).toBe(1001);
  });

  test("completion offers what there is", () => {
    const shell = new Shell([new FakeView("lines")]);
    type(shell, "b", "backspace", "backspace", "f al", "tab");
    expect(screen(shell).lines.slice(-3)).toEqual(["alpha.py  alps.py", "-".repeat(40), "> f alp"]);
    type(shell, "h", "tab");
    expect(screen(shell).lines.at(-1)).toBe("> f alpha.py");
  });

  test("any size has exactly its rows, and the prompt last", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 30 }), (columns, rows) => {
        const view = new FakeView("lines");
        view.said = "something went wrong, and it is told at length";
        const shell = new Shell([view]);
        expect(screen(shell, columns, rows).lines.length).toBe(rows);
        type(shell, "b");
        const { lines, cursor } = screen(shell, columns, rows);
        expect(lines.length).toBe(rows);
        expect(cursor!.row).toBe(rows - 1);
        expect(cursor!.column).toBeLessThan(columns);
      }),
    );
  });
});

describe("Prompt", () => {
  const typed = (...keys: string[]) => {
    const prompt = new Prompt("> ", "", new PromptHistory());
    for (const key of keys) {
      if (key.startsWith("'")) for (const c of key.slice(1)) prompt.press(c, c);
      else prompt.press(key, "");
    }
    return `${prompt.text.slice(0, prompt.at)}|${prompt.text.slice(prompt.at)}`;
  };

  test.each([
    [["'abc", "left", "'X"], "abX|c"],
    [["'abc", "home", "delete", "end", "backspace"], "b|"],
    [["'one two three", "C-w"], "one two |"],
    [["'one two", "C-left", "C-k"], "one |"],
    [["'one two", "C-a", "M-f", "C-u"], "| two"],
    [["'ae\u0301", "backspace"], "a|"],
    [["'漢字", "left", "backspace"], "|字"],
  ])("%j gives %s", (keys, wanted) => expect(typed(...keys)).toBe(wanted));

  test("a paste gives its first line, and enters nothing", () => {
    const prompt = new Prompt("> ", "", new PromptHistory());
    expect(prompt.press("paste", "b 12\nq\n")).toBeUndefined();
    expect(prompt.text).toBe("b 12");
  });

  test("a long line moves so that the cursor is seen", () => {
    const prompt = new Prompt("> ", "x".repeat(50), new PromptHistory());
    expect(prompt.paint(20, true).column).toBe(19);
    prompt.press("home", "");
    expect(prompt.paint(20, true).column).toBe(2);
  });
});
