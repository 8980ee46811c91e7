// Which line caused a process: over recordings with process events and lines, as they come from Python and Bash.
import { expect, test } from "bun:test";
import { processesOf } from "../../lib/derive/processes.ts";
import { enterWord, WORD } from "../../lib/lines/block_builder.ts";
import { type Causes, causesOf } from "../../lib/lines/causes.ts";
import { Problems } from "../../lib/model/problem.ts";
import { KIND } from "../../lib/model/event.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { RecordingLines } from "../../lib/traces/recording_lines.ts";
import { LineRecording } from "../support/line_recording.ts";

/** Times in microseconds. */
class Story {
  readonly r = new LineRecording();
  constructor() {
    this.r.event("Recording", { version: 1, backend: "ptrace", root_pid: 10 });
    this.fork(0, 1, 10);
  }
  fork(at: number, parent: number, child: number): this {
    this.r.event("Fork", { timestamp: at * 1000, parent_pid: parent, child_pid: child, parent_pgid: 10 });
    return this;
  }
  exec(at: number, pid: number, ...args: string[]): this {
    this.r.event("ExecFull", { timestamp: at * 1000, pid, ppid: 1, pgid: 10, filename: `/bin/${args[0]}`, args });
    return this;
  }
  exit(at: number, pid: number): this {
    this.r.event("Exit", { timestamp: at * 1000, pid, ppid: 1, pgid: 10, exit_code: 0 });
    return this;
  }
  /** One thread: pairs of moment and word, in the functions named here (all of one file of that name). */
  lines(
    kind: "python" | "bash",
    pid: number,
    file: string,
    events: readonly (readonly [at: number, word: number])[],
    tid = pid,
  ): this {
    const id = this.r.source(`/src/${file}`, "x\n");
    const s = this.r.stream({ pid, tid, kind, stream: `${pid}-${file}.${tid}`, name: file });
    for (let code = 0; code < 3; code++) s.define(code, { source: id, firstLine: code * 100 + 1, name: `f${code}` });
    s.define(3, { source: undefined, firstLine: 0, name: "<idle>" });
    for (const [at, word] of events) s.add(word, at * 1000);
    s.flush();
    return this;
  }
  told(): { causes: Causes; say: (kind: number, pid: number, nth?: number) => string } {
    const recording = decodeRecording(this.r.bytes(), "story");
    const problems = new Problems();
    const traces = new RecordingLines(recording, problems);
    expect([...recording.problems.kept, ...problems.kept]).toEqual([]);
    const causes = causesOf(processesOf(recording), traces);
    const { events } = recording;
    const say = (kind: number, pid: number, nth = 0) => {
      let n = 0;
      for (let row = 0; row < events.length; row++) {
        if (events.kind[row] !== kind || events.pid[row] !== pid || n++ < nth) continue;
        const cause = causes.causeOf(row);
        if (cause === undefined) return "unknown";
        const view = traces.tracks[cause.track]!.load(cause.block);
        const led = view.line[cause.event];
        return `${traces.sources[cause.file]!.path.slice(5)}:${cause.line} ${cause.certainty}${led === cause.line ? "" : ` (event at ${led})`}`;
      }
      return "no such event";
    };
    return { causes, say };
  }
}

test("a command that a script runs was started by the line the script stood at", () => {
  const { say } = new Story()
    .exec(10, 10, "python3", "app.py")
    .lines("python", 10, "app.py", [
      [100, enterWord(0)],
      [101, 5],
      [200, 6],
      [900, 7],
    ])
    .fork(210, 10, 11)
    .exec(220, 11, "make")
    .fork(300, 11, 12)
    .exec(310, 12, "cc")
    .exit(400, 12)
    .exit(800, 11)
    .told();
  expect(say(KIND.fork, 11)).toBe("app.py:6 own line");
  expect(say(KIND.exec, 11)).toBe("app.py:6 parent at fork");
  expect(say(KIND.exit, 11)).toBe("app.py:6 parent at fork");
  // What make starts is make's doing, of whose lines nothing is known; nor is who started the script.
  expect(say(KIND.fork, 12)).toBe("unknown");
  expect(say(KIND.exec, 10)).toBe("unknown");
});

test("after a call has come back the caller's line starts the process, not the last line of the callee", () => {
  const { say } = new Story()
    .exec(10, 10, "python3", "app.py")
    .lines("python", 10, "app.py", [
      [100, enterWord(0)],
      [101, 5],
      [110, enterWord(1)],
      [111, 102],
      [120, WORD.returned],
      [300, 6],
    ])
    .fork(115, 10, 11)
    .exec(116, 11, "inner")
    .fork(130, 10, 12)
    .exec(131, 12, "outer")
    .told();
  expect(say(KIND.exec, 11)).toBe("app.py:102 parent at fork");
  expect(say(KIND.exec, 12)).toBe("app.py:5 parent at fork");
});

test("a script that becomes a program: its own line; the lines of the program it became are not mixed in", () => {
  const { say } = new Story()
    .exec(10, 10, "bash", "run.sh")
    .lines("bash", 10, "run.sh", [
      [100, enterWord(0)],
      [101, 3],
    ])
    .exec(200, 10, "python3", "app.py")
    .lines("python", 10, "app.py", [
      [2000, enterWord(0)],
      [2001, 42],
    ])
    .fork(2100, 10, 11)
    .exec(2110, 11, "ls")
    .exec(3000, 10, "sleep")
    .told();
  expect(say(KIND.exec, 10, 1)).toBe("run.sh:3 own line");
  expect(say(KIND.exec, 11)).toBe("app.py:42 parent at fork");
  expect(say(KIND.exec, 10, 2)).toBe("app.py:42 own line");
});

test("Bash: a command, a pipeline, a command substitution in a substitution", () => {
  const { say } = new Story()
    .exec(10, 10, "bash", "b.sh")
    .lines("bash", 10, "b.sh", [
      [100, enterWord(0)],
      [101, 1],
      [500, 2],
      [900, 9],
    ])
    // The command of line 1.
    .fork(110, 10, 11)
    .exec(120, 11, "cc")
    .exit(400, 11)
    // A pipeline on line 3: Bash notes it in the children alone.
    .fork(600, 10, 12)
    .lines("bash", 12, "b.sh", [
      [610, enterWord(0)],
      [611, 3],
    ])
    .exec(620, 12, "grep")
    // A substitution that forks before it notes anything, in one that does not either.
    .fork(700, 10, 13)
    .fork(710, 13, 14)
    .exec(720, 14, "date")
    // A substitution with a pipeline inside: only what runs in it notes the line.
    .fork(800, 10, 15)
    .fork(810, 15, 16)
    .lines("bash", 16, "b.sh", [
      [820, enterWord(0)],
      [821, 5],
    ])
    .exec(830, 16, "ls")
    .told();
  expect(say(KIND.exec, 11)).toBe("b.sh:1 parent at fork");
  expect(say(KIND.fork, 12)).toBe("b.sh:3 own line");
  expect(say(KIND.exec, 12)).toBe("b.sh:3 own line");
  expect(say(KIND.exec, 14)).toBe("b.sh:2 parent at fork");
  expect(say(KIND.fork, 15)).toBe("b.sh:5 own line");
});

test("several threads: the one that ran last is named, and that it is a guess; one that waits in its loop is none", () => {
  const busy = [
    [100, enterWord(0)],
    [101, 5],
    [300, 6],
  ] as const;
  const two = new Story()
    .exec(10, 10, "python3")
    .lines("python", 10, "app.py", busy)
    .lines(
      "python",
      10,
      "worker.py",
      [
        [150, enterWord(1)],
        [290, 150],
        [900, 151],
      ],
      77,
    )
    .fork(310, 10, 11)
    .told();
  expect(two.say(KIND.fork, 11)).toBe("app.py:6 one of several threads");
  const idle = new Story()
    .exec(10, 10, "python3")
    .lines("python", 10, "app.py", busy)
    .lines(
      "python",
      10,
      "loop.py",
      [
        [150, enterWord(1)],
        [290, 150],
        [305, enterWord(3)],
      ],
      77,
    )
    .fork(310, 10, 11)
    .told();
  expect(idle.say(KIND.fork, 11)).toBe("app.py:6 own line");
});

test("a pid that is used again has the lines of its own life", () => {
  const { say, causes } = new Story()
    .exec(10, 10, "python3", "a.py")
    .lines("python", 10, "a.py", [
      [100, enterWord(0)],
      [101, 5],
      [90_000, 6],
    ])
    .fork(110, 10, 11)
    .exec(120, 11, "bash", "x.sh")
    .lines("bash", 11, "x.sh", [
      [130, enterWord(0)],
      [131, 1],
    ])
    .exit(1000, 11)
    .fork(20_000, 10, 11)
    .exec(20_100, 11, "bash", "y.sh")
    .lines("bash", 11, "y.sh", [
      [20_200, enterWord(0)],
      [20_201, 7],
    ])
    .fork(20_300, 11, 12)
    .exec(20_310, 12, "ls")
    .told();
  expect(say(KIND.exec, 12)).toBe("y.sh:7 parent at fork");
  expect(causes.causeOfLife(0)).toBeUndefined();
  expect(causes.causeOfLife(1)).toMatchObject({ line: 5, certainty: "parent at fork" });
});

test("the line ran in an earlier block: the place to look at is there", () => {
  const story = new Story().exec(10, 10, "python3");
  const id = story.r.source("/src/long.py", "x\n");
  const s = story.r.stream({ pid: 10, stream: "10-long.0" });
  s.define(0, { source: id, firstLine: 1, name: "main" });
  s.add(enterWord(0), 20_000);
  s.add(33, 21_000);
  s.flush();
  s.flush(9_000_000);
  const { say } = story.fork(5000, 10, 11).exec(5010, 11, "sleep").told();
  expect(say(KIND.exec, 11)).toBe("long.py:33 parent at fork");
});
