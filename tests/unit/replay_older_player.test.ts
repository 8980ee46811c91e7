// The line player against the older line tracer's own player: its recorded sessions, and its state after every key.
import { beforeAll, expect, test } from "bun:test";
import { shortPlace } from "../../lib/lines/source_text.ts";
import { Problems } from "../../lib/model/problem.ts";
import { TrackexecLines } from "../../lib/trackexec/trackexec_lines.ts";
import { enter, newKeyState, press } from "../../lib/replay/line_keys.ts";
import { LinePlayer } from "../../lib/replay/line_player.ts";
import { localTime } from "../../lib/replay/line_time.ts";
import { expected, fixtureLog, fixtureNames } from "../support/trackexec.ts";

interface Step {
  readonly key: string;
  readonly line?: string;
}

const SESSIONS = fixtureNames().flatMap((name) =>
  [
    { name, nth: 1, rows: 40, columns: 200 },
    { name, nth: 2, rows: 24, columns: 120 },
  ].filter(({ nth }) => expected(name, `player.${nth}.steps.json`) !== undefined),
);

const zone = process.env["TZ"];
beforeAll(() => {
  process.env["TZ"] = "UTC";
  return () => {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  };
});

function load(name: string): LinePlayer {
  const traces = new TrackexecLines(fixtureLog(name), new Problems());
  return new LinePlayer(traces, traces.tracks[0]!);
}

test("there are sessions to compare with", () => expect(SESSIONS.length).toBeGreaterThan(8));

test.each(SESSIONS)("$name, session $nth", ({ name, nth, rows, columns }) => {
  const player = load(name);
  const keys = newKeyState();
  const steps = JSON.parse(expected(name, `player.${nth}.steps.json`)!) as Step[];
  const states = expected(name, `player.${nth}.states.jsonl`)!
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

  const settle = () => {
    const errorRows = player.error === undefined ? 0 : 1;
    player.settle(rows - 5 - errorRows, errorRows);
  };
  const state = () => {
    const { cursor } = player;
    const help = keys.panel === "help";
    const flag = cursor.isFirst ? " [START OF TRACE]" : cursor.isLast ? " [END OF TRACE]" : "";
    const place = shortPlace(
      player.path(player.shownFile),
      player.showsCursor ? cursor.line : "None",
      columns - "location: ".length,
    );
    return {
      help,
      header: help
        ? [""]
        : [`approx. time: ${localTime(cursor.time, player.traces.clock)}${flag}`, `location: ${place}`],
      error: player.error ?? null,
      block: cursor.block,
      index: cursor.index,
      file_id: cursor.file,
      line: cursor.line,
      depth: cursor.depth,
      ts: cursor.time,
      display_file_id: player.shownFile,
      scroll: player.scroll,
      breakpoints: player.breakpoints.all
        .map(({ file, line }) => [file, line])
        .sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!),
    };
  };
  settle();
  for (let i = 0; i < states.length; i++) {
    const { after, ...wanted } = states[i]!;
    expect({ after, ...state() } as Record<string, unknown>).toEqual({ after, ...wanted });
    const step = steps[i];
    if (step === undefined) break;
    const reply = press(player, keys, step.key === " " ? "space" : step.key === "\x1b" ? "escape" : step.key);
    if (reply.kind === "quit") break;
    if (reply.kind === "prompt") enter(player, step.line ?? "");
    settle();
  }
  expect(states.length).toBeGreaterThan(steps.length - 1);
});
