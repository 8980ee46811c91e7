// The line player beyond the older one's keys: backwards, finishing, hits, tracks, searching; and its picture on screens of any size.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { displayWidth, isPrintable } from "../../lib/base/text.ts";
import { LineCosts } from "../../lib/lines/line_costs.ts";
import type { LineCode } from "../../lib/lines/line_track.ts";
import { LineCursor } from "../../lib/replay/line_cursor.ts";
import { LINE_HELP } from "../../lib/replay/line_help.ts";
import { LinePlayer } from "../../lib/replay/line_player.ts";
import { LineView } from "../../lib/replay/line_view.ts";
import { lineWidth, type StyledLine } from "../../lib/terminal/styled.ts";
import { type BlockOf, type EventOf, memoryTraces } from "../support/line_traces.ts";

const SOURCE = Array.from({ length: 60 }, (_, i) => `line_${i + 1}()`).join("\n");
const CODES: readonly LineCode[] = [
  { file: 0, name: "<module>", firstLine: 1 },
  { file: 0, name: "work", firstLine: 10 },
  { file: 1, name: "deep", firstLine: 1 },
];

/** `0:1@1` is line 1 of code 0 at depth 1; a time unit apart. Blocks are separated by `|`. */
function blocks(drawing: string, start = 1000): BlockOf[] {
  let time = start;
  let open: { code: number; line: number }[] = [];
  return drawing.split("|").map((part) => {
    const stack = [...open];
    const begun = time;
    const events = part
      .trim()
      .split(/\s+/)
      .map((word): EventOf => {
        const [code, line, depth] = word.split(/[:@]/).map(Number) as [number, number, number];
        open = [...open.slice(0, depth - 1), { code, line }];
        time += 100;
        return { code, line, depth, time: time - 100 };
      });
    return { start: begun, end: time, stack, events };
  });
}

const PROGRAM = "0:1@1 0:2@1 1:10@2 1:11@2 | 2:1@3 2:2@3 2:3@3 1:12@2 | 1:11@2 2:1@3 2:2@3 | 1:12@2 0:3@1 1:10@2 0:4@1";

function playerOf(...drawings: string[]): LinePlayer {
  const traces = memoryTraces(
    [
      ["/srv/app/main.py", SOURCE],
      ["/srv/lib/deep.py", SOURCE],
    ],
    CODES,
    drawings.map((drawing) => blocks(drawing)),
  );
  return new LinePlayer(traces, traces.tracks[0]!);
}

const at = (player: LinePlayer) => `${player.cursor.file}:${player.cursor.line}@${player.cursor.depth}`;

/** Presses keys, each a chord; `"b 3"` with a blank is a line at the prompt. Where it stands then. */
function after(player: LinePlayer, ...keys: string[]): string {
  const view = new LineView(player);
  for (const key of keys) {
    if (!key.includes(" ")) view.press(key);
    else {
      player.begin();
      view.enter(key, "> ");
    }
  }
  return at(player);
}

describe("backwards", () => {
  test("step, next and finish", () => {
    const player = playerOf(PROGRAM);
    expect(after(player, "j end")).toBe("0:4@1");
    expect(after(player, "S")).toBe("0:10@2");
    expect(after(player, "S", "S")).toBe("0:12@2");
    // Over the calls of `deep` that lie between.
    expect(after(player, "N")).toBe("0:11@2");
    expect(after(player, "S")).toBe("0:12@2");
    expect(after(player, "S")).toBe("1:3@3");
    // To the caller's line that called it.
    expect(after(player, "E")).toBe("0:11@2");
    expect(after(player, "E")).toBe("0:2@1");
    expect(after(player, "E")).toBe("0:2@1");
    expect(player.error).toContain("no caller");
    expect(after(player, "N", "N")).toBe("0:1@1");
    expect(player.error).toContain("reached the start");
  });

  test("every step can be taken back", () => {
    const player = playerOf(PROGRAM);
    const seen = [at(player)];
    while (player.cursor.step(1)) seen.push(at(player));
    expect(seen.length).toBe(15);
    const back = [at(player)];
    while (player.cursor.step(-1)) back.push(at(player));
    expect(back.toReversed()).toEqual(seen);
  });

  test("continue meets the same hits from both sides", () => {
    const player = playerOf(PROGRAM);
    player.toggle(0, 11);
    const forwards: string[] = [];
    for (after(player, "c"); !player.cursor.isLast; after(player, "c"))
      forwards.push(`${player.cursor.block}.${player.cursor.index}`);
    const backwards: string[] = [];
    for (after(player, "C"); !player.cursor.isFirst; after(player, "C"))
      backwards.push(`${player.cursor.block}.${player.cursor.index}`);
    expect(forwards).toEqual(["0.3", "2.0"]);
    expect(backwards.toReversed()).toEqual(forwards);
    expect(player.note).toContain("no breakpoint was met");
  });
});

describe("moving", () => {
  test("finish goes to the caller, or to a breakpoint before", () => {
    const player = playerOf(PROGRAM);
    expect(after(player, "s", "s", "s", "s")).toBe("1:1@3");
    expect(after(player, "R")).toBe("0:12@2");
    expect(after(player, "R")).toBe("0:3@1");
    expect(after(player, "j start", "s", "s", "s", "s", "b main.py:12", "b deep.py:3", "R")).toBe("1:3@3");
  });

  test("the n-th hit, and fewer", () => {
    const player = playerOf(PROGRAM);
    expect(after(player, "b deep.py:2", "c 2")).toBe("1:2@3");
    expect([player.cursor.block, player.cursor.index]).toEqual([2, 2]);
    expect(after(player, "j start", "c 3")).toBe("0:4@1");
    expect(player.note).toBe("the end of the trace came after 2 of 3 hits");
    expect(after(player, "s 3")).toBe("0:4@1");
    expect(player.error).toContain("reached the end");
    expect(after(player, "j start", "s 3")).toBe("0:11@2");
    expect(after(player, "s -2")).toBe("0:2@1");
    expect(after(player, "s 1000")).toBe("0:4@1");
    expect(player.note).toBe("the end of the trace came after 13 of 1000");
  });

  test("only blocks that can hold the place are decoded", () => {
    const one = (i: number): BlockOf => ({
      start: i * 100,
      end: i * 100 + 100,
      stack: [{ code: 0, line: 1 }],
      minDepth: 2,
      events: [{ code: 1, line: i === 4000 ? 50 : 10, depth: 2, time: i * 100 }],
    });
    const first: BlockOf = { start: 0, end: 0, events: [{ code: 0, line: 1, depth: 1, time: 0 }] };
    const traces = memoryTraces([["/a.py", SOURCE]], CODES.slice(0, 2), [
      [first, ...Array.from({ length: 5000 }, (_, i) => one(i + 1))],
    ]);
    const track = traces.tracks[0]!;
    const player = new LinePlayer(traces, track);
    player.toggle(0, 50);
    track.loads = 0;
    player.move("continue", 1);
    expect(player.cursor.line).toBe(50);
    expect(track.loads).toBeLessThan(4);
    track.loads = 0;
    player.jumpTo(250_000, false);
    expect(player.cursor.time).toBe(250_000);
    expect(track.loads).toBe(1);
    player.toggle(0, 50);
    player.toStart();
    track.loads = 0;
    player.move("next", 1);
    expect(player.error).toContain("reached the end");
    expect(track.loads).toBeLessThan(3);
  });

  test("blocks without lines, as damaged ones are, are passed", () => {
    const [a, b] = blocks("0:1@1 0:2@1 | 0:3@1");
    const empty: BlockOf = { start: 1200, end: 1200, events: [] };
    const traces = memoryTraces([["/a.py", SOURCE]], CODES, [[empty, a!, empty, empty, b!, empty]]);
    const player = new LinePlayer(traces, traces.tracks[0]!);
    expect([player.cursor.isFirst, player.cursor.line]).toEqual([true, 1]);
    expect(after(player, "n", "n")).toBe("0:3@1");
    expect(player.cursor.isLast).toBe(true);
    expect(after(player, "N", "S")).toBe("0:1@1");
    player.jumpTo(1e12, false);
    expect(at(player)).toBe("0:3@1");
  });

  test("next, over any trace, stops at the first line that is no deeper", () => {
    const step = fc.record({ up: fc.integer({ min: -3, max: 1 }), line: fc.integer({ min: 1, max: 9 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 60 }), fc.integer({ min: 1, max: 7 }), (steps, size) => {
        let depth = 1;
        const events = steps.map(({ up, line }, i): EventOf => {
          depth = Math.max(1, depth + up);
          return { code: 0, line, depth, time: i };
        });
        const list: BlockOf[] = [];
        for (let i = 0; i < events.length; i += size)
          list.push({ start: i, end: i + size, events: events.slice(i, i + size) });
        const traces = memoryTraces([["/a.py", SOURCE]], CODES, [list]);
        const cursor = new LineCursor(traces, traces.tracks[0]!);
        for (let i = 0; i < events.length; i++) {
          const place = cursor.place;
          const ahead = events.findIndex((e, k) => k > i && e.depth <= events[i]!.depth);
          expect(cursor.seek(1, events[i]!.depth, undefined)).toBe(ahead >= 0);
          expect(cursor.time).toBe(ahead >= 0 ? ahead : i);
          cursor.restore(place);
          const back = events.findLastIndex((e, k) => k < i && e.depth <= events[i]!.depth);
          expect(cursor.seek(-1, events[i]!.depth, undefined)).toBe(back >= 0);
          expect(cursor.time).toBe(back >= 0 ? back : i);
          cursor.restore(place);
          cursor.step(1);
        }
      }),
    );
  });
});

test("the stack is that of the snapshot and what was entered and left since", () => {
  const player = playerOf(PROGRAM);
  const stack = () => player.stack().map(({ code, line }) => `${code}:${line}`);
  expect(stack()).toEqual(["0:1"]);
  after(player, "s 5");
  expect(stack()).toEqual(["0:2", "1:11", "2:2"]);
  after(player, "s 2");
  expect(stack()).toEqual(["0:2", "1:12"]);
  after(player, "j end");
  expect(stack()).toEqual(["0:4"]);
});

describe("tracks", () => {
  test("switching keeps the moment; a number, an id or a name will do", () => {
    const player = playerOf(PROGRAM, PROGRAM.replaceAll("0:", "1:"));
    expect(after(player, "s 4", "t 2")).toBe("1:1@3");
    expect(player.cursor.time).toBe(1400);
    expect([player.cursor.track.index, player.cursor.block, player.cursor.index]).toEqual([1, 1, 0]);
    after(player, "t 100");
    expect(player.cursor.track.index).toBe(0);
    after(player, "t thread 1");
    expect(player.cursor.track.index).toBe(1);
    after(player, "t thread");
    expect(player.error).toContain("2 threads could match");
    after(player, "t 77");
    expect(player.error).toContain("no such thread");
    after(player, "T", "home", "enter");
    expect(player.cursor.track.index).toBe(0);
  });

  test("a moment of another view leads to the lines of its process", () => {
    const view = new LineView(playerOf(PROGRAM, PROGRAM));
    expect(view.goTo({ time: 1450, pid: 101 })).toBe(true);
    expect(view.moment()).toEqual({ time: 1400, pid: 101, tid: 101 });
    view.goTo({ time: 1, pid: 999 });
    expect(view.message()).toContain("no lines of process 999");
  });
});

describe("prompts", () => {
  test("breakpoints by file, refused where nothing runs", () => {
    const player = playerOf(PROGRAM);
    after(player, "b deep.py:3");
    expect(player.breakpoints.all).toEqual([{ file: 1, line: 3 }]);
    after(player, "b deep.py:4");
    expect(player.error).toBe("Invalid breakpoint position: line 4 not found in the exec trace");
    after(player, "b .py:3");
    expect(player.error).toBe("Error: 2 different file paths could match.");
    after(player, "b nowhere.py:3");
    expect(player.error).toContain("could not find a matching file path");
    for (const bad of ["b deep.py:", "b :3", "b deep.py:0", "b -3", "b 1e3", "c 0", "s x", "d 9", "g x", "j", "zz 3"]) {
      after(player, `${bad} `);
      expect(player.error).toBe(`Invalid command: '${bad}' -- press <h> for help`);
    }
    after(player, "d ");
    expect(player.breakpoints.all).toEqual([]);
  });

  test("completion", () => {
    const view = new LineView(playerOf(PROGRAM));
    expect(view.complete("f de", "> ")).toEqual(["f deep.py"]);
    expect(view.complete("b srv", "> ")).toEqual(["b srv/app/main.py:", "b srv/lib/deep.py:"]);
    expect(view.complete("f d", "> ")).toEqual([]);
    expect(view.complete("j +1", "> ")).toEqual([]);
  });

  test("searching, both ways and around", () => {
    const view = new LineView(playerOf(PROGRAM));
    const { player } = view;
    view.paint({ columns: 80, rows: 20, ability: { unicode: true, color: true } });
    view.enter("LINE_5", "/");
    expect(player.error).toBe("not found in this file: LINE_5");
    player.begin();
    view.enter("line_5", "/");
    expect(player.note).toBe("match 1 of 11: line_5");
    view.press(">");
    expect(player.note).toBe("match 2 of 11: line_5");
    view.press("<");
    view.press("<");
    expect(player.note).toBe("match 11 of 11, from the end again: line_5");
    expect(player.scroll).toBeGreaterThan(40);
    view.press(".");
    view.paint({ columns: 80, rows: 20, ability: { unicode: true, color: true } });
    expect(player.scroll).toBe(0);
  });

  test("times, as seen and as typed", () => {
    const player = playerOf(PROGRAM);
    after(player, "j +400ns");
    expect(player.cursor.time).toBe(1400);
    after(player, "j -150ns");
    expect(player.cursor.time).toBe(1200);
    after(player, "j -1d");
    expect(player.cursor.time).toBe(1000);
    after(player, "j +1h");
    expect(player.cursor.isLast).toBe(true);
  });
});

describe("the picture", () => {
  const text = (lines: readonly StyledLine[]) =>
    lines.map((line) =>
      line
        .map((s) => s.text)
        .join("")
        .trimEnd(),
    );

  test("says where, when, in what and how deep", () => {
    const zone = process.env["TZ"];
    process.env["TZ"] = "UTC";
    const player = playerOf(PROGRAM);
    after(player, "s 4", "b ");
    const view = new LineView(player);
    const costs = new LineCosts();
    costs.add(1, 1, 2, 300, 300, 100);
    costs.add(1, 2, 2, 300, 300, 300);
    view.useCosts(costs);
    player.begin();
    const shown = text(view.paint({ columns: 80, rows: 14, ability: { unicode: false, color: false } }));
    expect(shown.slice(0, 10)).toEqual([
      "time: 2023-11-14 22:13:20.000001  +0.000001s",
      "location: /srv/lib/deep.py:1 in deep",
      "in: python process 100, thread 0",
      "stack (3): main.py:2 > work:11 > deep:1",
      "-".repeat(80),
      "* 1> 25.0% |line_1()",
      "  2  75.0% |line_2()",
      "  3        |line_3()",
      "  4        |line_4()",
      "  5        |line_5()",
    ]);
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  });

  test("fits any screen and stays safe, whatever the source, the names and the locale", () => {
    const nasty = "\tx = '\x1b[2J\u202e' # 漢字 e\u0301 ❤️ \u0007\r\n".repeat(30);
    const codes: readonly LineCode[] = [{ file: 0, name: "f\x1b]0;x\x07", firstLine: 1 }];
    const traces = memoryTraces([["/srv/\x1b[31mevil\n/漢字.py", nasty]], codes, [
      blocks("0:3@1 0:9@1 0:40@1 0:12@1"),
      blocks("0:3@1 0:9@1"),
    ]);
    const keys = [
      "s",
      "S",
      "n",
      "h",
      "W",
      "T",
      "L",
      "escape",
      "down",
      "pagedown",
      "end",
      "home",
      "right",
      "H",
      "C",
      "enter",
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...keys), { maxLength: 12 }),
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        (pressed, columns, rows, unicode) => {
          const view = new LineView(new LinePlayer(traces, traces.tracks[0]!));
          for (const key of pressed) {
            view.press(key);
            const lines = view.paint({ columns, rows, ability: { unicode, color: true } });
            expect(lines.length).toBeLessThanOrEqual(Math.max(rows, 1));
            for (const line of lines) {
              const all = line.map((s) => s.text).join("");
              expect(isPrintable(all, unicode)).toBe(true);
              expect(displayWidth(all)).toBe(lineWidth(line));
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test("the current line is on every screen that has a row for it", () => {
    const player = playerOf("0:1@1 0:30@1 0:59@1 0:31@1 0:2@1");
    const view = new LineView(player);
    for (const rows of [2, 3, 4, 6, 9, 12, 20])
      for (const key of ["s", "s", "s", "s", "C"]) {
        view.press(key);
        const shown = text(view.paint({ columns: 60, rows, ability: { unicode: false, color: false } }));
        expect(shown.some((line) => line.includes(`${player.cursor.line}>`))).toBe(true);
      }
  });

  test("ten thousand frames, lines of a megabyte and files of a hundred thousand lines are painted at once", () => {
    const events = Array.from({ length: 10_000 }, (_, i) => ({ code: 0, line: 99_000, depth: i + 1, time: i }));
    const source = `${"x".repeat(1 << 20)}\n`.repeat(3) + "y()\n".repeat(100_000);
    const traces = memoryTraces([["/deep.py", source]], CODES.slice(0, 1), [[{ start: 0, end: 1e4, events }]]);
    const view = new LineView(new LinePlayer(traces, traces.tracks[0]!));
    const size = { columns: 100, rows: 30, ability: { unicode: true, color: true } };
    view.toEnd();
    view.paint(size);
    const began = performance.now();
    expect(text(view.paint(size))[3]).toStartWith("stack (10,000): … > deep.py:99000 > ");
    view.press("W");
    expect(text(view.paint(size)).at(-1)).toStartWith("▶ 10000  <module>");
    view.press("escape");
    view.enter("g 1", "> ");
    expect(text(view.paint(size))[6]).toContain("xxx");
    expect(performance.now() - began).toBeLessThan(500);
  });

  test("keys that come at once, without a picture in between, leave the current line on the screen", () => {
    const player = playerOf("0:50@1 0:51@1 0:2@1 0:3@1");
    const view = new LineView(player);
    const size = { columns: 60, rows: 14, ability: { unicode: false, color: false } };
    view.paint(size);
    for (const key of ["c", "c", "L", "escape"]) view.press(key);
    expect(player.cursor.line).toBe(3);
    expect(text(view.paint(size)).some((line) => line.includes(" 3>"))).toBe(true);
  });

  test("a source that was not kept is taken from the file, or said to be missing", () => {
    const traces = memoryTraces(
      [
        ["/gone.py", undefined],
        ["/there.py", undefined],
      ],
      [
        { file: 0, name: "a", firstLine: 1 },
        { file: 1, name: "b", firstLine: 1 },
      ],
      [blocks("0:3@1 1:2@1 1:9@1")],
    );
    const sourceNow = (path: string) => (path === "/there.py" ? "one\ntwo\n" : undefined);
    const view = new LineView(new LinePlayer(traces, traces.tracks[0]!, { sourceNow }));
    const size = { columns: 80, rows: 20, ability: { unicode: false, color: false } };
    expect(text(view.paint(size)).join("\n")).toContain("(the source was not recorded, and there is no such file now)");
    view.press("s");
    const shown = text(view.paint(size)).join("\n");
    expect(shown).toContain("this is the file as it is now");
    expect(shown).toContain(" 2>|two");
    view.press("s");
    expect(text(view.paint(size)).join("\n")).toContain(" 9>|(not in the source)");
  });
});

test("the help is whole on a narrow screen, too", () => {
  for (const columns of [20, 40, 100]) {
    const view = new LineView(playerOf(PROGRAM));
    view.press("h");
    const size = { columns, rows: 400, ability: { unicode: true, color: false } };
    const text = view.paint(size).map((line) => line.map((s) => s.text).join(""));
    for (const line of text) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    const words = text.join(" ").replace(/\s+/g, " ");
    for (const [, meaning] of LINE_HELP) expect(words).toContain(meaning);
  }
});
