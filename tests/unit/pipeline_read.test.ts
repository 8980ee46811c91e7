// Reading from real files, pipes and compressed streams: what each kind of bad input is told as, and that nothing is lost
// between the descriptor and the columns.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Effect, Fiber } from "effect";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { eventAt, lineAt } from "../../lib/model/event_at.ts";
import { formatProblem } from "../../lib/model/problem.ts";
import { isCutOff, type Recording } from "../../lib/model/recording.ts";
import { readRecording, type ReadOptions } from "../../lib/pipeline/read.ts";
import { SourceError } from "../../lib/pipeline/source.ts";
import { dump, fixture } from "../support/check_format.ts";
import { generate } from "../support/generate.ts";

let folder: string;
let many: Uint8Array;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-read-"));
  const parts: Uint8Array[] = [];
  generate(20_000, (b) => parts.push(b.slice()));
  many = new Uint8Array(Buffer.concat(parts));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Reads and looks while the text can still be read. */
function reading<T>(path: string, look: (recording: Recording) => T, options?: ReadOptions): Promise<T> {
  return Effect.runPromise(Effect.scoped(readRecording(path, options).pipe(Effect.map(look))));
}

/** The path is not part of what is compared. */
const dumpOf = (path: string, options?: ReadOptions) => reading(path, (r) => dump(r).replaceAll(path, "FILE"), options);

async function failure(path: string): Promise<SourceError> {
  const result = await Effect.runPromise(Effect.scoped(Effect.flip(readRecording(path))));
  if (!(result instanceof SourceError)) throw result;
  return result;
}

const problemsOf = (path: string) =>
  reading(path, (r) => r.problems.kept.map((p) => formatProblem(p).replace(path, "FILE")));

test("plain, gzip, zstd, a pipe and text left in the file are the same recording", async () => {
  const plain = file("many.prof", many);
  const expected = await dumpOf(plain);
  expect(expected.split("\n").length).toBeGreaterThan(20_000);
  // One byte in memory: the text stays in the file, or goes to a temporary one.
  expect(await dumpOf(plain, { textInMemory: 1 })).toBe(expected);
  for (const [name, bytes] of [
    ["many.prof.gz", gzipSync(many)],
    ["many.zst.with-another-name", zstdCompressSync(many)],
  ] as const) {
    const path = file(name, bytes);
    expect(await dumpOf(path)).toBe(expected);
    expect(await dumpOf(path, { textInMemory: 1000 })).toBe(expected);
  }
  expect(await throughPipe(many)).toBe(expected);
});

/** Through a named pipe: it cannot be seeked in, and comes in pieces. */
async function throughPipe(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `pipe-${Math.random()}`);
  execFileSync("mkfifo", [path]);
  const source = file("pipe-source", bytes);
  const writer = Bun.spawn(["sh", "-c", `cat ${source} > ${path}`]);
  const text = await dumpOf(path);
  await writer.exited;
  return text;
}

test("waiting for a pipe that nobody writes to can be given up", async () => {
  const path = join(folder, "silent");
  execFileSync("mkfifo", [path]);
  const fiber = Effect.runFork(Effect.scoped(readRecording(path)));
  await Bun.sleep(30);
  const started = performance.now();
  await Effect.runPromise(Fiber.interrupt(fiber));
  expect(performance.now() - started).toBeLessThan(1000);
  // The thread that waits in open(2) is let go.
  closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
});

test("gzip members and zstd frames one after the other are one stream", async () => {
  const half = many.indexOf(10, many.length / 2) + 1;
  const parts = [many.subarray(0, half), many.subarray(half)];
  const expected = await dumpOf(file("whole.prof", many));
  expect(await dumpOf(file("two.gz", Buffer.concat(parts.map((p) => gzipSync(p)))))).toBe(expected);
  expect(await dumpOf(file("two.zst", Buffer.concat(parts.map((p) => zstdCompressSync(p)))))).toBe(expected);
  // A skippable frame, as pzstd and seekable files have them.
  const skippable = new Uint8Array([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const three = Buffer.concat([zstdCompressSync(parts[0]!), skippable, zstdCompressSync(parts[1]!)]);
  expect(await dumpOf(file("three.zst", three))).toBe(expected);
});

test("a compressed file that is cut or damaged gives what came before, and says so once", async () => {
  for (const [kind, bytes] of [
    ["gzip", gzipSync(many)],
    ["zstd", zstdCompressSync(many)],
  ] as const)
    for (const part of [0.001, 0.5, 0.95]) {
      const path = file(`cut.${kind}`, bytes.subarray(0, Math.max(20, Math.floor(bytes.length * part))));
      const [rows, problems] = await reading(path, (r) => [r.events.length, r.problems.kept.map((p) => p.message)]);
      expect(
        problems.filter((m) => m === `the ${kind} stream is cut or corrupt; what came before is kept`),
      ).toHaveLength(1);
      expect(rows).toBeLessThan(20_000);
      // zstd works in blocks of 128 KiB, of which less than one may be there.
      if (part > 0.9) expect(rows).toBeGreaterThan(10_000);
    }
  const damaged = gzipSync(fixture("recording/minimal.prof"));
  damaged[damaged.length - 6]! ^= 1;
  expect(await reading(file("sum.gz", damaged), (r) => [r.events.length, r.problems.total])).toEqual([5, 1]);
  const trailing = Buffer.concat([gzipSync(fixture("recording/minimal.prof")), Buffer.from("trailing")]);
  expect(await reading(file("trailing.gz", trailing), (r) => [r.events.length, r.problems.total])).toEqual([5, 1]);
});

test("what cannot be opened at all has a sentence of its own", async () => {
  const tellings: [string, string][] = [
    [join(folder, "none"), "there is no such file"],
    [join(file("plain-file", "x"), "below"), "there is no such file"],
    [folder, "it is a directory, expected a recording"],
    [
      file("binary", new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0])),
      "it is a binary file, not a recording",
    ],
    [
      file("binary.gz", gzipSync(new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 0, 0, 0]))),
      "it is a binary file, not a recording",
    ],
    [file("x.xz", new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4])), "it is compressed with xz"],
    ["/dev/zero", "it is a binary file, not a recording"],
  ];
  for (const [path, told] of tellings) {
    const error = await failure(path);
    expect(error.message).toBe(`Cannot ${told === "there is no such file" ? "open" : "read"} '${path}': ${told}`);
    expect(error.message).not.toContain("\n");
  }
  expect((await failure(file("x.xz", new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4])))).hint).toContain("unxz");
});

test("nothing at all, and nothing that is an event, are problems and not failures", async () => {
  expect(await problemsOf(file("empty", ""))).toEqual(["FILE: the input is empty, expected a recording"]);
  expect(await problemsOf("/dev/null")).toEqual(["FILE: the input is empty, expected a recording"]);
  expect(await problemsOf(file("empty.gz", gzipSync("")))).toEqual(["FILE: the input is empty, expected a recording"]);
  expect(await problemsOf(file("blank", "\n\n  \n"))).toEqual(["FILE: there is no event in it, expected a recording"]);
  expect(await problemsOf(file("words", "hello\nworld\n"))).toEqual([
    'FILE:1: not JSON, expected an event such as {"Fork":{...}}',
    'FILE:2: not JSON, expected an event such as {"Fork":{...}}',
    "FILE: there is no event in it, expected a recording",
  ]);
});

test("raw lines behind a long head of event lines are found", async () => {
  const head = Array.from(
    { length: 200 },
    (_, i) => `{"Fork":{"seq":${i},"timestamp":${i},"parent_pid":1,"child_pid":${i + 10}}}\n`,
  );
  const tail = "EXIT: seq=900,ts=900,pid=20,ppid=1,pgid=20\n{bad\n";
  const text = head.join("") + tail;
  for (const path of [file("late.log", text), file("late.gz", gzipSync(text))]) {
    const [last, problems] = await reading(path, (r) => [eventAt(r, 200), r.problems.kept.map((p) => p.line)] as const);
    expect<unknown>(last).toEqual({
      kind: "exit",
      ts: 900,
      seq: 900,
      pid: 20,
      ppid: 1,
      pgid: undefined,
      status: { how: "unknown" },
    });
    expect(problems).toEqual([202]);
  }
});

test("a line of 64 MiB is read; what is over the limit is passed over with its length", async () => {
  const path = join(folder, "long.prof");
  const fd = openSync(path, "w");
  const word = Buffer.alloc(1 << 20, "x");
  writeSync(
    fd,
    '{"Fork":{"timestamp":1,"parent_pid":1,"child_pid":10}}\n{"ExecFull":{"timestamp":2,"pid":10,"filename":"f","args":["',
  );
  for (let i = 0; i < 64; i++) writeSync(fd, word);
  writeSync(fd, '"]}}\n{"Exit":{"timestamp":3,"pid":10}}\n');
  closeSync(fd);
  await reading(path, (r) => {
    expect(r.problems.total).toBe(0);
    expect(r.events.length).toBe(3);
    const exec = eventAt(r, 1);
    expect(exec.kind === "exec" && exec.argv?.words[0]?.length).toBe(64 << 20);
    expect(lineAt(r, 2)).toBe('{"Exit":{"timestamp":3,"pid":10}}');
  });
  rmSync(path);
});

test("a tk recording without its last line is known to be cut off, one that was killed mid-line too", async () => {
  const lines = new TextDecoder().decode(fixture("recording/minimal.prof")).split("\n");
  const noEnd = file("no-end.prof", lines.slice(0, 4).join("\n") + "\n");
  expect(await reading(noEnd, (r) => [isCutOff(r), r.problems.total])).toEqual([true, 0]);
  const midLine = file("mid-line.prof", lines.slice(0, 3).join("\n") + "\n" + lines[3]!.slice(0, 30));
  expect(await reading(midLine, (r) => [isCutOff(r), r.events.length])).toEqual([true, 3]);
  expect(await problemsOf(midLine)).toEqual(["FILE:4: the last line is cut off, expected a whole event; left out"]);
  // Whole but for its newline, as an editor may leave it: nothing is missing.
  const noNewline = file("no-newline.prof", lines.slice(0, 5).join("\n"));
  expect(await reading(noNewline, (r) => [isCutOff(r), r.events.length, r.problems.total])).toEqual([false, 5, 0]);
});

test("a file that shrinks while it is looked at loses text, and nothing throws", async () => {
  const path = file("shrinks.prof", many);
  await reading(
    path,
    (r) => {
      truncateSync(path, 1000);
      for (let row = 0; row < r.events.length; row += 97) eventAt(r, row);
      const last = r.events.length - 1;
      expect(lineAt(r, last)).toBe("");
      expect(eventAt(r, last).kind).toBe("end");
    },
    { textInMemory: 1 },
  );
});

test("a temporary file leaves nothing behind", async () => {
  const before = process.env["TMPDIR"];
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  process.env["TMPDIR"] = temporary;
  try {
    const path = file("spooled.gz", gzipSync(many));
    await reading(path, (r) => expect(lineAt(r, 19_000)).toStartWith("{"), { textInMemory: 1000 });
    expect(readdirSync(temporary)).toEqual([]);
    process.env["TMPDIR"] = join(folder, "not-there");
    const error = await Effect.runPromise(Effect.scoped(Effect.flip(readRecording(path, { textInMemory: 1000 }))));
    expect(error._tag).toBe("OutputError");
    expect(error.message).toContain("Cannot make a temporary file");
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
  expect(existsSync(temporary)).toBe(true);
});
