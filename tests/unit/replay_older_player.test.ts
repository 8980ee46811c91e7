// The line player against the older line tracer's own player: its recorded sessions, and its state after every key.
import { beforeAll, expect, test } from "bun:test";
import { Effect } from "effect";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { shortPlace } from "../../lib/lines/source_text.ts";
import { Problems } from "../../lib/model/problem.ts";
import { readSources } from "../../lib/trackexec/sources.ts";
import { openTrackexec } from "../../lib/trackexec/log_directory.ts";
import { enter, newKeyState, press } from "../../lib/replay/line_keys.ts";
import { LinePlayer } from "../../lib/replay/line_player.ts";
import { localTime } from "../../lib/replay/line_time.ts";
import { type BlockOf, blockOfRows, memoryTraces } from "../support/line_traces.ts";
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

async function load(name: string): Promise<LinePlayer> {
  const dir = fixtureLog(name);
  const index = readFileSync(join(dir, "log_index"));
  const blocks: BlockOf[] = [];
  const problems = new Problems();
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* openTrackexec(dir, problems);
        yield* Effect.promise(() =>
          log.eachBlock(
            (rows, block) => blocks.push(blockOfRows(rows, index.readUInt16LE(block * 10 + 8))),
            async () => {},
          ),
        );
      }),
    ),
  );
  const wanted = new Map(Array.from({ length: 64 }, (_, file) => [file, "all" as const]));
  const sources = await readSources(dir, wanted, problems, async () => {});
  const files = [...sources].sort(([a], [b]) => a - b).map(([, file]) => file);
  const traces = memoryTraces(
    files.map(({ path, lines, length }) => [path, Array.from({ length }, (_, i) => lines.get(i + 1) ?? "").join("\n")]),
    files.map((_, file) => ({ file, name: undefined, firstLine: 0 })),
    [blocks],
    { ticksPerSecond: 1048576, unixZero: 0 },
  );
  return new LinePlayer(traces, traces.tracks[0]!);
}

test("there are sessions to compare with", () => expect(SESSIONS.length).toBeGreaterThan(8));

test.each(SESSIONS)("$name, session $nth", async ({ name, nth, rows, columns }) => {
  const player = await load(name);
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
