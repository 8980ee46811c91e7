// Stacks of executed lines: exact over any stream, also where frames have no line of their own; and the player at blocks that are damaged.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { BlockBuilder, type BuiltBlock, enterWord, WORD } from "../../lib/lines/block_builder.ts";
import { decodeHead } from "../../lib/lines/block_head.ts";
import { stackAtLine } from "../../lib/lines/block_stack.ts";
import { Problems } from "../../lib/model/problem.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { LinePlayer, tracksInOrder } from "../../lib/replay/line_player.ts";
import { LineView } from "../../lib/replay/line_view.ts";
import { RecordingLines } from "../../lib/traces/recording_lines.ts";
import { LineRecording } from "../support/line_recording.ts";

test("the functions on the stack of every line are those that were entered and not left", () => {
  const steps = fc.array(fc.tuple(fc.nat(9), fc.nat(3)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.nat(200), (drawn, flushAt) => {
      const blocks: BuiltBlock[] = [];
      const builder = new BlockBuilder((block) => blocks.push(block));
      for (let code = 0; code < 4; code++)
        builder.define(code, { source: `s${code}`, firstLine: 10, name: `c${code}` });
      const open: string[] = [];
      const expected: string[] = [];
      drawn.forEach(([what, n], i) => {
        if (i === flushAt) builder.flush();
        if (what < 5 && open.length > 0) {
          builder.add(1 + n, i);
          expected.push([...open, `:${1 + n}`].join(" "));
        } else if (what < 8 || open.length === 0) {
          builder.add(enterWord(n), i);
          open.push(`c${n}`);
        } else {
          builder.add(WORD.returned, i);
          open.pop();
        }
      });
      builder.flush();
      const seen: string[] = [];
      for (const block of blocks) {
        const head = decodeHead(block.head);
        if (typeof head === "string") throw new Error(head);
        for (let i = 0; i < block.events; i++) {
          const stack = stackAtLine(block.data, head, i)!;
          seen.push([...stack.map(({ code }) => head.codes[code]!.name), `:${stack.at(-1)!.line}`].join(" "));
        }
        expect(stackAtLine(block.data, head, block.events)).toBeUndefined();
        for (let cut = 0; cut < block.data.length; cut += 7) stackAtLine(block.data.subarray(0, cut), head, 5);
      }
      expect(seen).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

function playerOf(text: string): { player: LinePlayer; problems: Problems } {
  const problems = new Problems();
  const recording = decodeRecording(new TextEncoder().encode(text), "x.prof");
  const lines = new RecordingLines(recording, problems);
  return { player: new LinePlayer(lines, tracksInOrder(lines)[0]!), problems };
}

function picture(player: LinePlayer): string {
  const size = { columns: 80, rows: 16, ability: { unicode: false, color: false } };
  return new LineView(player)
    .paint(size)
    .map((line) => line.map(({ text }) => text).join(""))
    .join("\n");
}

/** A forked child: frames that were open at the fork have no line of their own. Then a thread with a damaged block. */
function sample(): string {
  const r = new LineRecording();
  const source = r.source("/srv/app.py", "a\nb\nc\n");
  const child = r.stream({ pid: 9, stream: "9-a.0" });
  child.define(0, { source, firstLine: 1, name: "<module>" });
  child.define(1, { source, firstLine: 2, name: "work" });
  child.add(enterWord(0), 1000);
  child.add(enterWord(1), 1000);
  child.add(3, 2000);
  child.flush();
  const other = r.stream({ pid: 9, tid: 10, stream: "9-a.1", name: "worker" });
  other.define(0, { source, firstLine: 1, name: "<module>" });
  other.add(enterWord(0), 5000);
  other.add(1, 5000);
  other.flush();
  return r.text();
}

test("a frame that was open before the recording is named on the stack", () => {
  const { player } = playerOf(sample());
  expect(picture(player)).toContain("stack (2): app.py > work:3");
  expect(player.stack().map(({ line }) => line)).toEqual([0, 3]);
  const view = new LineView(player);
  view.press("W");
  const size = { columns: 80, rows: 16, ability: { unicode: false, color: false } };
  const rows = view.paint(size).map((line) =>
    line
      .map(({ text }) => text)
      .join("")
      .trimEnd(),
  );
  expect(rows).toContain("  1  <module>              /srv/app.py");
});

test("a thread whose only block is damaged can be gone to, and left", () => {
  const lines = sample().trimEnd().split("\n");
  const damaged = JSON.parse(lines.at(-1)!);
  damaged.LineBlock.data_crc = (damaged.LineBlock.data_crc ^ 1) >>> 0;
  lines[lines.length - 1] = JSON.stringify(damaged);
  const { player, problems } = playerOf(lines.join("\n") + "\n");
  player.switchTo(player.tracks()[1]!);
  expect(picture(player)).toContain("worker (2 of 2)");
  expect(problems.kept.map((p) => p.message).join()).toContain("checksum");
  expect([player.cursor.isFirst, player.cursor.isLast, player.cursor.depth]).toEqual([true, true, 0]);
  for (const key of ["s", "S", "n", "N", "c", "C", "R", "E", "W", "escape", "T", "escape", "L", "escape", "H", "."]) {
    const view = new LineView(player);
    view.press(key);
    view.paint({ columns: 80, rows: 16, ability: { unicode: true, color: true } });
    view.paint({ columns: 20, rows: 4, ability: { unicode: true, color: true } });
  }
  for (const line of ["b", "j +1s", "j start", "j 2024-01-01", "c 5", "s -3"]) new LineView(player).enter(line, "> ");
  player.switchTo(player.tracks()[0]!);
  expect(picture(player)).toContain("app.py:3 in work");
  player.toggle(0, 1);
  player.begin();
  player.move("continue", 1);
  expect(player.cursor.track.index).toBe(0);
  expect(player.error).toContain("already at the end");
});
