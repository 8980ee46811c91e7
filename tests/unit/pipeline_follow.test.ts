// Following a recording that is written while it is read: whatever the pieces, the rows are those of the finished file read at once.
import { afterAll, expect, test } from "bun:test";
import { Effect, Exit, Scope } from "effect";
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { eventAt } from "../../lib/model/event_at.ts";
import type { Recording } from "../../lib/model/recording.ts";
import { followRecording } from "../../lib/pipeline/follow_recording.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { GrowingProcesses } from "../../lib/replay/growing.ts";
import { ProcessView } from "../../lib/replay/process_view.ts";
import { timelineText } from "../support/timeline.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-follow-"));
const scopes: Scope.Closeable[] = [];
afterAll(async () => {
  for (const scope of scopes) await Effect.runPromise(Scope.close(scope, Exit.void));
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;
const put = (text: string | Uint8Array) => {
  const path = join(folder, `${count++}.prof`);
  writeFileSync(path, text);
  return path;
};

async function follow(path: string) {
  const scope = await Effect.runPromise(Scope.make());
  scopes.push(scope);
  return Effect.runPromise(Scope.provide(followRecording(path), scope));
}

const all = (recording: Recording) => {
  const out: unknown[] = [];
  for (let row = 0; row < recording.events.length; row++) out.push(eventAt(recording, row));
  return out;
};

const BUILD = timelineText(`
recording root=10 make
0ms 10 exec make
1ms 10 fork 11
2ms 11 exec "c\\u00f6mpiler\\n" -c a.c
3ms 11 exit 1
4ms 10 exit 2
5ms end 2
`);

const PROCTRACE = [
  '{"Exec":{"timestamp":0,"pid":5,"ppid":1,"pgid":5,"cmdline":[]}}',
  '{"ExecArgs":{"timestamp":0,"pid":5,"args":"make all"}}',
  '{"Fork":{"timestamp":10,"parent_pid":5,"child_pid":6,"parent_pgid":1}}',
  '{"Exec":{"timestamp":20,"pid":6,"ppid":5,"pgid":6,"cmdline":null}}',
  '{"ExecArgs":{"timestamp":20,"pid":6,"args":"cc -c a.c"}}',
  '{"Exit":{"timestamp":30,"pid":6,"ppid":5,"pgid":6}}',
  "",
].join("\n");

for (const [name, text] of [
  ["tk's", BUILD],
  ["proctrace's, in parts", PROCTRACE],
] as const)
  test(`every way of cutting ${name} recording in two gives the whole`, async () => {
    const whole = all(decodeRecording(new TextEncoder().encode(text)));
    const bytes = new TextEncoder().encode(text);
    for (let cut = 1; cut < bytes.length; cut += 3) {
      const path = put(bytes.subarray(0, cut));
      const followed = await follow(path);
      const before = followed.recording.events.length;
      expect(followed.refresh()).toBe(false);
      appendFileSync(path, bytes.subarray(cut));
      followed.refresh();
      expect(followed.recording.events.length).toBeGreaterThanOrEqual(before);
      expect(all(followed.recording)).toEqual(whole);
      expect(followed.note).toBeUndefined();
    }
  });

test("byte by byte, the end is known when it came", async () => {
  const path = put("");
  const followed = await follow(path);
  // A whole event counts before its newline.
  for (const byte of new TextEncoder().encode(BUILD.trimEnd())) {
    expect(followed.isOver).toBe(false);
    appendFileSync(path, Uint8Array.of(byte));
    followed.refresh();
  }
  expect(followed.isOver).toBe(true);
  expect(all(followed.recording)).toEqual(all(decodeRecording(new TextEncoder().encode(BUILD))));
});

test("a file that is replaced, shortened or removed is told; what was read stays", async () => {
  const cut = BUILD.indexOf('{"Exit"');
  const path = put(BUILD.slice(0, cut));
  const followed = await follow(path);
  const events = all(followed.recording);
  const other = put(BUILD);
  renameSync(other, path);
  expect(followed.refresh()).toBe(false);
  expect(followed.note).toContain("was replaced by another file");
  expect(followed.isOver).toBe(true);
  expect(all(followed.recording)).toEqual(events);

  const shrinking = put(BUILD);
  const second = await follow(shrinking);
  truncateSync(shrinking, 10);
  expect(second.refresh()).toBe(false);
  expect(second.note).toContain("has become shorter");

  const gone = put(BUILD.slice(0, cut));
  const third = await follow(gone);
  rmSync(gone);
  expect(third.refresh()).toBe(false);
  expect(third.note).toBeUndefined();
});

test("what cannot be followed is read whole: compressed files, raw lines among events", async () => {
  const packed = await follow(put(zstdCompressSync(BUILD)));
  expect(packed.recording.end).toBeDefined();
  expect(packed.isOver).toBe(true);
  expect(packed.refresh()).toBe(false);
  const raw = await follow(put(BUILD + "FORK: seq=9,ts=9000000,parent_pid=10,child_pid=77,parent_pgid=10\n"));
  expect(raw.recording.events.length).toBe(decodeRecording(new TextEncoder().encode(BUILD)).events.length + 1);
});

test("the process view keeps its moment, its process and its breakpoints while the recording grows", async () => {
  const lines = BUILD.split("\n");
  const path = put(lines.slice(0, 4).join("\n") + "\n");
  const followed = await follow(path);
  let now = 0;
  const view = new ProcessView(new GrowingProcesses(followed, () => now));
  const size = { columns: 80, rows: 20, ability: { unicode: true, color: false } };
  view.press("s");
  view.enter("b failed", "> ");
  expect(view.message()).toBe("failed: 0 hits");
  const at = view.moment();
  view.paint(size);
  appendFileSync(path, lines.slice(4).join("\n"));
  now += 1000;
  expect(view.refresh()).toBe(true);
  expect(view.moment()).toEqual(at);
  view.press("c");
  expect(view.moment()).toEqual({ time: 3e6, pid: 11 });
  view.toEnd();
  const shown = view
    .paint(size)
    .map((line) => line.map(({ text }) => text).join(""))
    .join("\n");
  expect(shown).toContain("[END OF RECORDING]");
  expect(shown).toContain("exit 1");
  expect(readFileSync(path, "utf8").endsWith("\n")).toBe(true);
});
