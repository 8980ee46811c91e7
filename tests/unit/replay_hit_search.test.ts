// Continuing over all threads: every hit once, in order of time, from both sides; compared with a search through everything.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { LineCode } from "../../lib/lines/line_track.ts";
import { LinePlayer } from "../../lib/replay/line_player.ts";
import { type BlockOf, memoryTraces } from "../support/line_traces.ts";

const CODES: readonly LineCode[] = [{ file: 0, name: "<module>", firstLine: 1 }];

/** A track from its blocks' [line, time since the event before] pairs. */
function track(start: number, parts: readonly (readonly (readonly [number, number])[])[]): BlockOf[] {
  let time = start;
  return parts.map((part) => {
    const begun = time;
    const events = part.map(([line, wait], i) => {
      if (i > 0) time += wait;
      return { code: 0, line, depth: 1, time };
    });
    return { start: begun, end: time, events };
  });
}

function playerOf(tracks: readonly BlockOf[][]): LinePlayer {
  const traces = memoryTraces([["/a.py", "x\n".repeat(9)]], CODES, [...tracks]);
  return new LinePlayer(traces, traces.tracks[0]!);
}

const place = ({ cursor }: LinePlayer) => `${cursor.track.index}:${cursor.block}.${cursor.index}`;

test("continue stops in whichever thread comes by first, and says so", () => {
  const player = playerOf([
    track(0, [
      [
        [1, 0],
        [2, 100],
      ],
      [[1, 0]],
    ]),
    track(10, [
      [
        [3, 0],
        [5, 10],
        [5, 60],
      ],
    ]),
    track(30, [[[5, 0]]]),
  ]);
  player.toggle(0, 5);
  const seen: string[] = [];
  for (let i = 0; i < 3; i++) {
    player.begin();
    expect(player.move("continue", 1)).toBe(true);
    seen.push(`${place(player)} ${player.note ?? ""}`);
  }
  expect(seen).toEqual([
    "1:0.1 met in another thread: thread 1 (2 of 3)",
    "2:0.0 met in another thread: thread 2 (3 of 3)",
    "1:0.2 met in another thread: thread 1 (2 of 3)",
  ]);
  player.begin();
  expect(player.move("continue", 1)).toBe(false);
  expect(player.error).toBe('"continue" failed: already at the end of exec trace');
  expect(place(player)).toBe("1:0.2");
  player.begin();
  player.continueTo(-1, 2);
  expect(place(player)).toBe("1:0.1");
  player.begin();
  player.move("continue", -1);
  expect(place(player)).toBe("1:0.0");
  expect(player.note).toContain("no breakpoint was met: this is the start");
});

test("over any tracks, hits come in order, each once, and the same backwards", () => {
  const block = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 3 })), { maxLength: 5 });
  const anyTrack = fc.record({ start: fc.integer({ min: 0, max: 12 }), parts: fc.array(block, { maxLength: 4 }) });
  fc.assert(
    fc.property(fc.array(anyTrack, { minLength: 1, maxLength: 4 }), fc.nat(40), (drawn, from) => {
      const tracks = drawn.map(({ start, parts }) => track(start, parts));
      const main = track(0, [
        [
          [1, 0],
          [2, 5],
        ],
        [
          [2, 0],
          [1, 4],
        ],
        [
          [1, 0],
          [1, 1000],
        ],
      ]);
      const player = playerOf([main, ...tracks]);
      player.breakpoints.add(0, 2);
      const all: { time: number; track: number; name: string }[] = [];
      [main, ...tracks].forEach((blocks, t) =>
        blocks.forEach(({ events }, b) =>
          events.forEach(({ line, time }, i) => {
            if (line === 2) all.push({ time, track: t, name: `${t}:${b}.${i}` });
          }),
        ),
      );
      // Stable: events of a track are in its own order.
      all.sort((a, b) => a.time - b.time || a.track - b.track);
      const names = all.map(({ name }) => name);
      const walk = (step: 1 | -1): string[] => {
        const met: string[] = [];
        for (;;) {
          player.begin();
          if (!player.continueTo(step, 1) || player.note?.startsWith("no breakpoint") === true) return met;
          met.push(place(player));
        }
      };
      expect(walk(1)).toEqual(names);
      player.switchTo(player.traces.tracks[0]!);
      player.toEnd();
      expect(walk(-1)).toEqual(names.toReversed());
      // So many at once are as many one after another.
      const n = 1 + (from % Math.max(1, names.length));
      player.switchTo(player.traces.tracks[0]!);
      player.toStart();
      player.begin();
      player.continueTo(1, n);
      expect(place(player)).toBe(names[n - 1]!);
    }),
    { numRuns: 500 },
  );
});
