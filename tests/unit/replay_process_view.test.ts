// What the process player shows: the tree as of a moment, of long recordings too, on every size of screen; keys, prompts, the way to the
// line behind an event.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { displayWidth } from "../../lib/base/text.ts";
import { enterWord } from "../../lib/lines/block_builder.ts";
import { Problems } from "../../lib/model/problem.ts";
import type { Recording } from "../../lib/model/recording.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { GrowingProcesses } from "../../lib/replay/growing.ts";
import { ProcessView } from "../../lib/replay/process_view.ts";
import { RecordingLines } from "../../lib/traces/recording_lines.ts";
import { generate } from "../support/generate.ts";
import { LineRecording } from "../support/line_recording.ts";
import { timeline } from "../support/timeline.ts";

function viewOf(recording: Recording, lines?: RecordingLines): ProcessView {
  const growing = { recording, isOver: true, note: undefined, refresh: () => false };
  return new ProcessView(new GrowingProcesses(growing, () => 0, lines));
}

const shown = (view: ProcessView, columns = 60, rows = 16, unicode = true) =>
  view
    .paint({ columns, rows, ability: { unicode, color: false } })
    .map((line) =>
      line
        .map(({ text }) => text)
        .join("")
        .trimEnd(),
    )
    .join("\n")
    .trimEnd();

const BUILD = `
recording root=10 make
0ms 10 exec make -j2
1ms 10 fork 11
2ms 11 exec sh -c "cc a.c"
3ms 11 fork 12
4ms 12 exec cc a.c
8ms 12 exit 1
9ms 11 exec true
10ms 10 fork 13
11ms 13 killed 9
12ms 11 exit 0
13ms 10 exit 2
14ms end 2
`;

test("the tree as of a moment: before, during, after; what became of whom", () => {
  const view = viewOf(timeline(BUILD));
  expect(shown(view, 60, 16)).toBe(`time: +0.000000s  [START OF RECORDING]
event: 10 exec  make -j2
1 process alive, 0 ended; event 1 of 12
${"━".repeat(60)}
  PID     WALL  COMMAND
▶* 10      0ns  make -j2`);
  view.enter("j +8ms", "> ");
  expect(shown(view)).toBe(`time: +0.008000s
event: 12 exit  exit 1, after 5.00ms
2 processes alive, 1 ended (1 failed); event 6 of 12
${"━".repeat(60)}
  PID     WALL          COMMAND
   10   8.00ms          make -j2
   11   7.00ms          └─ sh -c 'cc a.c'
▶* 12   5.00ms  exit 1     └─ cc a.c`);
  view.press("up");
  view.press("e");
  view.press("e");
  expect(view.message()).toBe("those that ended are not drawn");
  view.enter("j end", "> ");
  view.press("N");
  // 11 is still looked at; a process that is over is drawn while it is.
  expect(shown(view)).toContain(`   10   12.0ms          make -j2
                        │  … 1 more ended (2 in all, 1 failed)
▶* 11   11.0ms  exit 0  └─ true
                              … 1 ended, 1 failed`);
  view.press("e");
  // 11 is another program by now.
  expect(shown(view)).toContain(`▶* 11   11.0ms  exit 0   ├─ true
   12   5.00ms  exit 1   │  └─ cc a.c
   13   1.00ms  SIGKILL  └─ (make)`);
});

test("of a long recording those that ended long ago are counted, not drawn", () => {
  const lines = ["recording root=1 make", "0ms 1 exec make"];
  for (let i = 0; i < 500; i++)
    lines.push(
      `${i * 3 + 1}ms 1 fork ${i + 2}`,
      `${i * 3 + 2}ms ${i + 2} exec cc`,
      `${i * 3 + 3}ms ${i + 2} exit ${i % 5}`,
    );
  const view = viewOf(timeline(lines.join("\n")));
  view.toEnd();
  view.press("home");
  expect(shown(view, 60, 10)).toContain("… 460 more ended (500 in all, 400 failed)");
  view.press("end");
  expect(shown(view, 60, 10)).toContain("▶*501");
  view.press("pageup");
  expect(shown(view, 60, 10)).toMatch(/^ \*49/m);
  view.press("e");
  view.press("home");
  view.press("down");
  expect(shown(view, 60, 10)).toContain(" *  2");
});

test("deep trees say how deep, hostile words steer nothing, other locales get ASCII", () => {
  const lines = ['0ms 1 exec "a\\u001b[2J\\u202e\\n"'];
  for (let i = 1; i < 100; i++) lines.push(`${i}ms ${i} fork ${i + 1}`);
  const view = viewOf(timeline(lines.join("\n")));
  view.toEnd();
  const text = shown(view, 200, 130, false);
  expect(text).toContain("[99] ");
  expect(text).toMatch(/^[\x20-\x7e\n]*$/);
  expect(text).toContain(String.raw`$'a\x1b[2J\u202e\n'`);
});

test("lost events and cut-off recordings are said on the screen", () => {
  const view = viewOf(timeline("recording root=10 x\n0ms 10 exec x\n1ms lost 7 full\n2ms 10 fork 11"));
  const text = shown(view, 80, 20);
  expect(text).toContain("! 7 events were lost while recording");
  expect(text).toContain("! the recording was cut off");
  view.press("s");
  expect(shown(view, 80, 20)).toContain("event: lost  7 events: full");
  view.toEnd();
  expect(shown(view, 80, 20)).toContain("[END OF WHAT IS RECORDED]");
  expect(shown(view, 80, 20)).toContain("no end");
});

test("of a failed exec the file that was tried is shown; lines that were lost make no process missing", () => {
  const file = "/opt/\\u001b[2Jbin/cc";
  const view = viewOf(
    timeline(
      [
        `{"BadExec":{"seq":0,"timestamp":5,"pid":7,"errno":2,"error":"No such file","filename":"${file}","args":["cc","a.c"]}}`,
        '{"BadExec":{"seq":1,"timestamp":6,"pid":7,"errno":2,"error":"No such file","filename":"/opt/cc","args":["/opt/cc","a.c"]}}',
        '{"Lost":{"seq":2,"timestamp":7,"count":3,"reason":"lines of pid 7: the disk is full"}}',
        '{"Lost":{"seq":3,"timestamp":8,"count":1,"reason":"the buffer was full"}}',
        '{"End":{"seq":4,"timestamp":9}}',
      ].join("\n"),
    ),
  );
  const text = shown(view, 100, 20);
  expect(text).toContain("No such file: /opt/\\x1b[2Jbin/cc (cc a.c)");
  expect(text).toContain("! 3 events of executed lines were lost while recording");
  expect(text).toContain("! 1 event was lost while recording: processes may be missing");
  view.press("s");
  expect(shown(view, 100, 20)).toContain("exec failed  No such file: /opt/cc a.c");
});

test("every size of screen, every key: as many lines as asked for, none wider, nothing thrown", () => {
  const recording = timeline(BUILD);
  const keys = [
    "s",
    "S",
    "n",
    "N",
    "c",
    "C",
    "R",
    "E",
    "up",
    "down",
    "pageup",
    "pagedown",
    "home",
    "end",
    ".",
    "e",
    "h",
  ];
  const all = [...keys, "L", "escape", "enter", "delete", "/", "<", ">", "b", "x", "f5", "space"];
  const command = fc.constantFrom(
    "b fork",
    "b exit != 0",
    "d 1",
    "c 2",
    "n 3",
    "S 9",
    "j +3ms",
    "j x",
    "p 12",
    "/cc",
    "",
  );
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.constantFrom(...all),
          command.map((c) => `:${c}`),
        ),
        { maxLength: 30 },
      ),
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 0, max: 40 }),
      (events, columns, rows) => {
        const view = viewOf(recording);
        for (const event of events) {
          if (event.startsWith(":")) view.enter(event.slice(1), "> ");
          else view.press(event);
          const lines = view.paint({ columns, rows, ability: { unicode: true, color: true } });
          expect(lines.length).toBe(rows);
          expect(view.moment()?.time).toBeGreaterThanOrEqual(0);
        }
      },
    ),
    { numRuns: 200 },
  );
  const help = viewOf(recording);
  help.press("h");
  for (const line of shown(help, 50, 200).split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(50);
});

test("completion: words of conditions, then programs that ran", () => {
  const view = viewOf(timeline(BUILD));
  expect(view.complete("b ex", "> ")).toEqual(["b exec", "b exit"]);
  expect(view.complete("b fork and si", "> ")).toEqual(["b fork and signal"]);
  expect(view.complete("b exec ", "> ")).toEqual(["b exec cc", "b exec make", "b exec sh", "b exec true"]);
  expect(view.complete("b not exec c", "> ")).toEqual(["b not exec cc"]);
  expect(view.complete("x", "/")).toEqual([]);
});

test("enter goes to the line behind a fork or exec; events of no script say so", () => {
  const rec = new LineRecording();
  rec.event("Recording", { version: 1, backend: "ptrace", started_unix_ns: "1700000000000000000", root_pid: 10 });
  rec.event("ExecFull", { timestamp: 0, pid: 10, ppid: 1, pgid: 10, filename: "/bin/sh", args: ["sh", "x.sh"] });
  const source = rec.source("/w/x.sh", "echo one\nls -l\nexit\n");
  const stream = rec.stream({ pid: 10, tid: 10, kind: "bash", name: "x.sh" });
  stream.define(0, { source, firstLine: 1, name: "x.sh" });
  stream.add(enterWord(0), 1_000_000);
  stream.add(1, 1_000_000);
  stream.add(2, 5_000_000);
  stream.add(3, 9_000_000);
  stream.flush(9_500_000);
  rec.event("Fork", { timestamp: 5_100_000, parent_pid: 10, child_pid: 11, parent_pgid: 10 });
  rec.event("ExecFull", { timestamp: 5_500_000, pid: 11, ppid: 10, pgid: 10, filename: "/bin/ls", args: ["ls", "-l"] });
  rec.event("Exit", { timestamp: 8_000_000, pid: 11, ppid: 10, pgid: 10, exit_code: 0 });
  const recording = decodeRecording(rec.bytes());
  const view = viewOf(recording, new RecordingLines(recording, new Problems()));
  expect(view.press("enter")).toEqual({ kind: "done" });
  expect(view.message()).toContain("no executed line is known");
  view.press("s");
  expect(shown(view, 80, 16)).toContain("line: /w/x.sh:2  ls -l");
  expect(view.press("enter")).toEqual({ kind: "show", view: "lines", at: { time: 5_000_000, pid: 10, tid: 10 } });
  view.press("s");
  expect(shown(view, 80, 16)).toContain("line: /w/x.sh:2  ls -l (parent at fork)");
  view.press("s");
  expect(shown(view, 80, 16)).not.toContain("line: ");
  expect(view.goTo({ time: 5_600_000, pid: 10 })).toBe(true);
  expect(view.moment()).toEqual({ time: 5_500_000, pid: 10 });
});

test("a long recording: no key looks at all of it", () => {
  const chunks: Uint8Array[] = [];
  generate(150_000, (bytes) => chunks.push(bytes.slice()));
  const view = viewOf(decodeRecording(Buffer.concat(chunks)));
  const size = { columns: 100, rows: 40, ability: { unicode: true, color: true } };
  view.enter("b failed", "> ");
  view.paint(size);
  const took: number[] = [];
  const keys = ["j +100ms", "j +500ms", "j end", "j -300ms", "c 1000"].map((line) => () => view.enter(line, "> "));
  for (const key of ["s", "n", "N", "S", "c", "C", "R", "E", "up", "down"]) keys.push(() => view.press(key));
  for (let round = 0; round < 10; round++)
    for (const key of keys) {
      const began = performance.now();
      key();
      view.paint(size);
      took.push(performance.now() - began);
    }
  // A pass over all events takes tens of milliseconds; the machine may be busy, so it is the usual key that counts.
  expect(took.toSorted((a, b) => a - b)[took.length >> 1]).toBeLessThan(16);
});
