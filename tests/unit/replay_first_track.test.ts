// The thread with which the line player begins, and the one to which following goes.
import { expect, test } from "bun:test";
import { processesOf } from "../../lib/derive/processes.ts";
import { enterWord } from "../../lib/lines/block_builder.ts";
import { Problems } from "../../lib/model/problem.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { firstTrack } from "../../lib/replay/first_track.ts";
import { LinePlayer, tracksInOrder } from "../../lib/replay/line_player.ts";
import { LineView } from "../../lib/replay/line_view.ts";
import { RecordingLines } from "../../lib/traces/recording_lines.ts";
import { LineRecording } from "../support/line_recording.ts";

/** A script whose subshell has its line before the script has: `for i in $(seq 9)`. */
function script(): LineRecording {
  const r = new LineRecording();
  r.event("Recording", { version: 1, backend: "ptrace", started_unix_ns: "1700000000000000000", root_pid: 20 });
  r.event("Fork", { timestamp: 100, parent_pid: 1, child_pid: 20, parent_pgid: 1 });
  r.event("Fork", { timestamp: 1000, parent_pid: 20, child_pid: 21, parent_pgid: 1 });
  const source = r.source("/srv/a.sh", "one\ntwo\nthree\n");
  for (const [pid, from, lines] of [
    [21, 2000, 1],
    [20, 3000, 3],
  ] as const) {
    const stream = r.stream({ pid, stream: `${pid}-a.0`, kind: "bash", name: `shell ${pid}` });
    stream.define(0, { source, firstLine: 1, name: "main" });
    stream.add(enterWord(0), from);
    for (let i = 0; i < lines; i++) stream.add(1 + i, from + i * 1000);
    stream.flush();
  }
  return r;
}

function open(r: LineRecording) {
  const recording = decodeRecording(r.bytes(), "x.prof");
  return { recording, lines: new RecordingLines(recording, new Problems()) };
}

test("it begins with the outermost process that has lines, where that is known", () => {
  const { recording, lines } = open(script());
  const tracks = tracksInOrder(lines);
  expect(tracks.map(({ pid }) => pid)).toEqual([21, 20]);
  expect(firstTrack(tracks, processesOf(recording))?.pid).toBe(20);
  expect(firstTrack(tracks, undefined)?.pid).toBe(21);
  expect(firstTrack([], processesOf(recording))).toBeUndefined();
});

test("a pid that was used again is another process", () => {
  const r = script();
  r.event("Exit", { timestamp: 1500, pid: 20, exit_code: 0 });
  r.event("Fork", { timestamp: 2500, parent_pid: 1, child_pid: 20, parent_pgid: 1 });
  const { recording, lines } = open(r);
  expect(firstTrack(tracksInOrder(lines), processesOf(recording))?.pid).toBe(21);
});

test("following goes to the thread that executed a line last; j end stays in its own", () => {
  const { lines } = open(script());
  const player = new LinePlayer(lines, tracksInOrder(lines)[0]!);
  const view = new LineView(player);
  view.enter("j end", "> ");
  expect(player.cursor.track.pid).toBe(21);
  view.toEnd();
  expect([player.cursor.track.pid, player.cursor.line]).toEqual([20, 3]);
  view.toEnd();
  expect([player.cursor.track.pid, player.cursor.isLast]).toEqual([20, true]);
});
