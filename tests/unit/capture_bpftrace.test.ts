// The parts of the bpftrace backend that need no bpftrace, and the script without the kernel's types, really run.
import { describe, expect, test } from "bun:test";
import { EventFlow } from "../../lib/capture/bpftrace/event_flow.ts";
import { bpftraceScript, stepOf, type ScriptOptions } from "../../lib/capture/bpftrace/script.ts";
import { startTool } from "../../lib/capture/bpftrace/start_tool.ts";
import { isAtLeast, likelyTypes, pageKb, parseVersion, settings } from "../../lib/capture/bpftrace/tool.ts";
import { proctraceRaw } from "../../lib/format/proctrace_raw.ts";
import { RecordingWriter } from "../../lib/format/recording_writer.ts";
import { Problems } from "../../lib/model/problem.ts";
import { lacks } from "../support/needs.ts";
import { programs } from "../support/programs.ts";
import { argsOf, number, parseLines, withTag, type Line } from "../support/tk.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const hex = (text: string | Uint8Array) =>
  [...(typeof text === "string" ? encoder.encode(text) : text)].map((b) => b.toString(16).padStart(2, "0")).join(" ");

const at = (seq: number, ts: number, pid: number) => `seq=${seq},ts=${ts},pid=${pid}`;

describe("the script", () => {
  const options: ScriptOptions = {
    scope: { under: 4711, system: false },
    types: "flexible-pid",
    argvLimit: 131_072,
    chunk: 80,
    pageKb: 4,
  };

  test("follows the children of one process, or prints all", () => {
    const tree = bpftraceScript(options);
    expect(tree).toContain("(uint64)4711");
    expect(tree).toContain("if (@tree[(uint64)$t->tgid])");
    const system = bpftraceScript({ ...options, scope: { under: 4711, system: true } });
    expect(system).not.toContain("if (@tree[");
    expect(system).toContain("mine=%llu");
  });

  test("reads the kernel's structures in the shape that they have, or not at all", () => {
    expect(bpftraceScript(options)).toContain("sizeof(struct pid)");
    expect(bpftraceScript({ ...options, types: "array-pid" })).toContain("numbers[0].nr");
    expect(bpftraceScript({ ...options, types: "none" })).not.toContain("struct");
  });

  test("never prints a string as it is", () => {
    for (const types of ["flexible-pid", "array-pid", "none"] as const)
      expect(bpftraceScript({ ...options, types })).not.toContain("%s");
  });

  test("clears every map that it has, so that nothing is printed at the end", () => {
    for (const types of ["flexible-pid", "none"] as const) {
      const script = bpftraceScript({ ...options, types });
      const maps = new Set([...script.matchAll(/@([a-z]+)/g)].map((m) => m[1]!));
      for (const map of maps) expect(script).toContain(`clear(@${map})`);
    }
  });

  test("walks by whole words of eight bytes", () => {
    for (const chunk of [80, 56]) expect(stepOf(chunk) % 8).toBe(0);
  });
});

describe("the tool", () => {
  test("versions as programs print them", () => {
    expect(parseVersion("bpftrace v0.17.0\n")).toMatchObject({ major: 0, minor: 17, text: "0.17.0" });
    expect(parseVersion("bpftrace v0.24-rc0-33-gabc")).toMatchObject({ minor: 24 });
    expect(parseVersion("6.18.44-generic")).toMatchObject({ major: 6, minor: 18 });
    expect(parseVersion("no idea")).toBeUndefined();
    const old = parseVersion("v0.9.4")!;
    expect([isAtLeast(old, "0.17"), isAtLeast(parseVersion("v1.0")!, "0.17"), isAtLeast(old, "0.9")]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test("settings have the names of the version", () => {
    expect(settings(parseVersion("v0.17.0")!, 80)).toMatchObject({ BPFTRACE_STRLEN: "80" });
    expect(settings(parseVersion("v0.20.1")!, 80)).toMatchObject({ BPFTRACE_MAX_STRLEN: "80" });
    const pages = Number(settings(parseVersion("v0.17.0")!, 80).BPFTRACE_PERF_RB_PAGES);
    expect(Math.log2(pages) % 1).toBe(0);
    expect(pages).toBeGreaterThanOrEqual(64);
  });

  test("knows this machine", () => {
    expect([4, 16, 64]).toContain(pageKb());
    expect(likelyTypes().at(-1)).toBe("none");
  });
});

function flowOf(lines: readonly string[], options: { offset?: number; root?: number; cuts?: number } = {}) {
  const writer = new RecordingWriter();
  const flow = new EventFlow({
    root: options.root ?? 10,
    writer,
    offset: options.offset ?? 0,
    now: () => 1e9,
  });
  const bytes = encoder.encode(lines.map((line) => `${line}\n`).join(""));
  const step = options.cuts ?? bytes.length;
  for (let i = 0; i < bytes.length; i += step) flow.push(bytes.subarray(i, i + step));
  flow.end();
  return { flow, lines: parseLines(decoder.decode(writer.out.view())) };
}

const exec = (seq: number, ts: number, pid: number, words: string) => [
  `EXEC_FILENAME: ${at(seq, ts, pid)},at=0,hex=${hex("/bin/ls\0")}`,
  `EXEC_WORDS: ${at(seq, ts, pid)},at=0,hex=${hex(words)}`,
  `EXEC: ${at(seq, ts, pid)},ppid=1,pgid=${pid},sid=1,argv_bytes=${words.length}`,
];

describe("the flow of events", () => {
  const fork = "FORK: seq=0,ts=5,parent_pid=1,child_pid=10,parent_pgid=1,mine=1";

  test("puts lines of several CPUs into order, on the recording's clock", () => {
    const { lines } = flowOf(
      [...exec(1, 300, 10, "ls\0"), "EXIT: seq=2,ts=900,pid=10,ppid=1,pgid=1,status=0,max_rss_kb=5,mine=1", fork],
      { offset: 1000 },
    );
    expect(lines.map((line) => [line.tag, line.f.timestamp, line.f.seq])).toEqual([
      ["Fork", 1005, 0],
      ["ExecFull", 1300, 1],
      ["Exit", 1900, 2],
    ]);
  });

  test("is the same however the bytes are cut", () => {
    const text = [
      fork,
      ...exec(1, 30, 10, "ls\0-l\0a b\0"),
      "Lost 7 events",
      "EXIT: seq=2,ts=40,pid=10,status=9,mine=1",
    ];
    const whole = flowOf(text).lines;
    for (const cuts of [1, 7, 64]) expect(flowOf(text, { cuts }).lines).toEqual(whole);
    expect(argsOf(withTag(whole, "ExecFull")[0]!)!.map(String)).toEqual(["ls", "-l", "a b"]);
    expect(withTag(whole, "Exit")[0]!.f).toMatchObject({ signal: 9 });
    expect(withTag(whole, "Lost")[0]!.f).toMatchObject({ count: 7 });
  });

  test("knows who lives although an end may be told before its beginning", () => {
    const { flow } = flowOf([
      fork,
      "EXIT: seq=4,ts=80,pid=11,status=0,mine=1",
      "FORK: seq=1,ts=10,parent_pid=10,child_pid=11,parent_pgid=1,mine=1",
      "FORK: seq=2,ts=11,parent_pid=10,child_pid=12,parent_pgid=1,mine=1",
      "FORK: seq=3,ts=12,parent_pid=99,child_pid=13,parent_pgid=1,mine=0",
    ]);
    expect(flow.living().sort()).toEqual([10, 12]);
    expect([flow.processes, flow.rootEnded]).toEqual([3, false]);
    flow.giveUp(10);
    expect([flow.rootEnded, flow.lost]).toEqual([true, 1]);
  });

  test("leaves out what the root did before it became the command", () => {
    const early = [`BADEXEC: ${at(1, 6, 10)},ret=-2,more=0`, `SETPGID: ${at(2, 7, 10)},ppid=1,pgid=10`];
    const { lines } = flowOf([fork, ...early, ...exec(3, 30, 10, "ls\0"), `BADEXEC: ${at(4, 40, 10)},ret=-13,more=1`]);
    expect(lines.map((line) => line.tag)).toEqual(["Fork", "ExecFull", "BadExec"]);
    expect(lines[2]!.f).toMatchObject({ errno: 13, error: "Permission denied", args_truncated: true });
  });

  test("tells of numbers that never came, and of execs without their last line", () => {
    const [name] = exec(3, 30, 11, "ls\0");
    const { lines, flow } = flowOf([fork, "EXIT: seq=5,ts=40,pid=10,status=0,mine=1", name!]);
    expect(lines.at(-1)).toMatchObject({ tag: "Lost", f: { count: 4, reason: "bpftrace never printed them" } });
    expect(flow.lost).toBe(4);
  });

  test("says when a piece of an exec is missing, and of a line that cannot be read", () => {
    const [name, , head] = exec(1, 30, 10, "ls\0");
    const { lines, flow } = flowOf([fork, name!, head!, "EXIT: seq=x", "what is this"]);
    expect(withTag(lines, "ExecFull")[0]!.f).toMatchObject({ filename: "/bin/ls", args: [], args_truncated: true });
    expect(flow.lost).toBe(1);
  });
});

describe("the raw log", () => {
  function transcode(lines: readonly string[]): { lines: Line[]; problems: Problems } {
    const problems = new Problems();
    const transcoder = proctraceRaw.transcode!("raw", problems);
    const out = decoder.decode(transcoder.push(encoder.encode(lines.join("\n") + "\n")).slice());
    return { lines: parseLines(out + decoder.decode(transcoder.end())), problems };
  }

  test("execs from their pieces, between lines of others", () => {
    const one = exec(2, 30, 10, "ls\0\xe4\0");
    const two = exec(3, 31, 11, "cat\0");
    const mixed = [one[0]!, two[0]!, one[1]!, two[1]!, two[2]!, one[2]!.replace("argv_bytes=5", "argv_bytes=6")];
    const { lines, problems } = transcode(mixed);
    expect(lines.map((line) => argsOf(line)!.map(String))).toEqual([["cat"], ["ls", "ä"]]);
    expect(problems.total).toBe(0);
  });

  test("words by their index, long ones in steps", () => {
    const long = "x".repeat(150);
    const piece = (index: number, from: number, text: string) =>
      `EXEC_WORD: ${at(2, 30, 10)},index=${index},at=${from},hex=${hex(text)}`;
    const { lines } = transcode([
      `EXEC_FILENAME: ${at(2, 30, 10)},at=0,hex=${hex("/no\0\0\0")}`,
      piece(0, 0, "no\0\0\0\0"),
      piece(1, 0, long.slice(0, 79) + "\0"),
      piece(1, 72, long.slice(72, 151) + "\0"),
      piece(1, 144, long.slice(144) + "\0\0"),
      piece(2, 0, "\0"),
      `BADEXEC: ${at(2, 30, 10)},ret=-2,more=0`,
    ]);
    expect(argsOf(lines[0]!)!.map(String)).toEqual(["no", long, ""]);
    expect(lines[0]!.f).toMatchObject({ filename: "/no", errno: 2 });
    expect(lines[0]!.f.args_truncated).toBeUndefined();
  });

  test("pieces that are damaged, endless or without their exec are problems and nothing else", () => {
    const { lines, problems } = transcode([
      `EXEC_WORDS: ${at(2, 30, 10)},at=0,hex=zz`,
      `EXEC_WORDS: ${at(2, 30, 10)},at=900000000,hex=41`,
      `EXEC_WORD: ${at(2, 31, 10)},index=99999999,at=0,hex=41`,
      `EXEC_WORD: ${at(2, 31, 10)},index=-4,at=-9,hex=41`,
      `EXEC_WORDS: ${at(2, 32, 10)},at=0`,
      ...Array.from({ length: 5000 }, (_, i) => `EXEC_WORDS: ${at(2, 100 + i, 10)},at=0,hex=41`),
    ]);
    expect(lines).toEqual([]);
    expect(problems.total).toBeGreaterThanOrEqual(3);
    expect(problems.kept.at(-1)!.message).toMatch(/\d+ execs without their EXEC or BADEXEC line/);
  });
});

describe.skipIf(lacks("root", "bpftrace"))("without the kernel's types", () => {
  test("forks, execs, failed execs, exits and sessions are still told", () => {
    const cwd = programs();
    const listening = startTool({ system: false, tell: () => {}, types: ["none"] });
    expect(listening.types).toBe("none");
    const chunks: Uint8Array[] = [];
    const ran = Bun.spawnSync(
      ["sh", "-c", "./forks vfork; ./forks execveat; setsid ./tiny 'a b'; sh -c 'kill -9 $$'; exit 6"],
      { cwd },
    );
    expect(ran.exitCode).toBe(6);
    const root = ran.pid;
    const until = performance.now() + 5000;
    const ended = () => chunks.some((c) => decoder.decode(c).includes(`pid=${root},status=1536`));
    while (!ended() && performance.now() < until) chunks.push(listening.child.read(50).slice());
    expect(listening.child.end((bytes) => chunks.push(bytes.slice()))).toBe(true);
    const problems = new Problems();
    const transcoder = proctraceRaw.transcode!("raw", problems);
    let text = "";
    for (const chunk of chunks) text += decoder.decode(transcoder.push(chunk).slice());
    const lines = parseLines(text + decoder.decode(transcoder.end()));
    const exits = withTag(lines, "Exit");
    expect(exits.find((line) => number(line, "pid") === root)!.f).toMatchObject({ exit_code: 6 });
    expect(exits.some((line) => line.f.signal === 9)).toBe(true);
    expect(withTag(lines, "Fork").length).toBe(exits.length);
    const words = withTag(lines, "ExecFull").map((line) => argsOf(line)!.join(" "));
    expect(words).toContain("./tiny a b");
    // Words that no page was in memory for are not there, and that is told.
    const byDescriptor = withTag(lines, "ExecFull").find((line) => String(line.f.filename).startsWith("/dev/fd/"));
    const unread = withTag(lines, "ExecFull").some((line) => line.f.args_truncated === true);
    expect(words.includes("tiny by descriptor") || byDescriptor !== undefined || unread).toBe(true);
    expect(withTag(lines, "BadExec").some((line) => line.f.errno === 9)).toBe(true);
    expect(withTag(lines, "SetSID")).toHaveLength(1);
  }, 30_000);
});
