// `tk ingest` as users run it: a tree out of raw lines of the whole system, a subtree out of a recording.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { PLAIN_ENV } from "../support/programs.ts";
import { parseLines, requireTk, run, TK } from "../support/tk.ts";
import { timelineText } from "../support/timeline.ts";

const folder = mkdtempSync(join(realpathSync(tmpdir()), "tk-ingest-cli-"));
const env = { ...PLAIN_ENV, TMPDIR: folder };
const put = (name: string, text: string | Uint8Array) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const ingest = (...words: string[]) => run([TK, "ingest", ...words], { env });

beforeAll(requireTk);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RAW = `Attaching 12 probes...
FORK: seq=1,ts=1000000,parent_pid=1,child_pid=500,parent_pgid=1
FORK: seq=2,ts=2000000,parent_pid=50,child_pid=100,parent_pgid=50
EXEC_ARGS: seq=4,ts=3000000,pid=100,make -j2
EXEC: seq=5,ts=3000000,pid=100,ppid=50,pgid=100
FORK: seq=6,ts=4000000,parent_pid=500,child_pid=501,parent_pgid=500
FORK: seq=7,ts=5000000,parent_pid=100,child_pid=101,parent_pgid=100
FORK: seq=9,ts=7000000,parent_pid=101,child_pid=102,parent_pgid=100
EXIT: seq=8,ts=6000000,pid=501,ppid=500,pgid=500
EXIT: seq=10,ts=8000000,pid=101,ppid=100,pgid=100
EXIT: seq=11,ts=12000000,pid=100,ppid=50,pgid=100
FORK: seq=12,ts=20000000,parent_pid=1,child_pid=101,parent_pgid=1
FORK: seq=13,ts=21000000,parent_pid=101,child_pid=103,parent_pgid=1
EXIT: seq=14,ts=22000000,pid=102,ppid=1,pgid=100
EXIT: seq=15,ts=23000000,pid=101,ppid=1,pgid=1
`;

test("raw lines of the whole system become the recording of one tree, in order, strangers left out", async () => {
  const raw = put("raw.log", RAW);
  const r = await ingest("-i", raw, "-p", "100");
  expect(r.stderr).toBe("");
  expect(r.status).toBe(0);
  const lines = parseLines(r.stdout);
  expect(lines.map((l) => `${l.tag} ${l.f.timestamp ?? ""} ${l.f.child_pid ?? l.f.pid ?? ""}`.trim())).toEqual([
    "Recording",
    "Fork 2000000 100",
    "ExecArgs 3000000 100",
    "Exec 3000000 100",
    "Fork 5000000 101",
    "Fork 7000000 102",
    "Exit 8000000 101",
    "Exit 12000000 100",
    "Exit 22000000 102",
    "End 22000000",
  ]);
  expect(lines[0]!.f).toMatchObject({ root_pid: 100, command: ["make -j2"], cut_from: { recording: raw } });
  expect(lines.at(-1)!.f).toMatchObject({ events: 8, processes: 3, lost: 0 });
});

test("the other life of a pid that was used twice is not of the tree, and the user is told which was taken", async () => {
  const r = await ingest("-p", "101", put("raw.log", RAW));
  expect(parseLines(r.stdout).map((l) => l.f.timestamp)).toEqual([
    undefined,
    5000000,
    7000000,
    8000000,
    22000000,
    22000000,
  ]);
  expect(r.stderr).toContain("pid 101 was used 2 times");
});

const RECORDING = timelineText(`
  recording root=10 make all
  0ms 10 exec make all
  1ms 10 fork 11
  2ms 11 exec sh -c "cc; as"
  3ms 11 fork 12
  4ms 12 exec cc -c a.c
  5ms lost 3 the buffer was full
  6ms 10 fork 13
  7ms 12 exit 1
  8ms 13 exec ld
  9ms 11 exit 2
  {"Later":{"timestamp":9100000,"pid":12,"what":"kept byte for byte ,"}}
  10ms 13 exit 0
  11ms 10 exit 2
  12ms end 2
`);

test("a subtree of a recording: the header tells of the new root and of what it was cut from", async () => {
  const file = put("whole.prof", RECORDING);
  const r = await ingest("-p", "11", file, "-o", join(folder, "sub.prof"));
  expect(r.stderr).toBe("");
  const text = readFileSync(join(folder, "sub.prof"), "utf8");
  const lines = parseLines(text);
  expect(lines[0]!.f).toEqual({
    version: 1,
    generator: "tk test",
    backend: "ptrace",
    root_pid: 11,
    command: ["sh", "-c", "cc; as"],
    cut_from: { recording: file, root_pid: 10, command: ["make", "all"] },
  });
  const kept = RECORDING.split("\n").filter((l) => /"(child_)?pid":1[12]\b|"Lost"/.test(l));
  expect(text.split("\n").slice(1, -2)).toEqual(kept);
  expect(lines.at(-1)).toEqual({
    tag: "End",
    f: { seq: 10, timestamp: 12000000, events: kept.length, processes: 2, lost: 3, exit_code: 2 },
  });
});

test("words that are not UTF-8 stay exact in the header of a subtree, and are not those of the command it was cut from", async () => {
  const header = '{"Recording":{"version":1,"root_pid":10,"command":["make","\ufffd"],"command_b64":[null,"/w=="]}}';
  const exec = `"pid":11,"ppid":10,"pgid":10,"filename":"/bin/cat","args":["cat","\ufffd","x"],"args_b64":[null,"gA==",null]`;
  const file = put(
    "bytes.prof",
    [
      header,
      '{"Fork":{"seq":0,"timestamp":1,"parent_pid":10,"child_pid":11}}',
      `{"ExecFull":{"seq":1,"timestamp":2,${exec}}}`,
      '{"Exit":{"seq":2,"timestamp":3,"pid":11,"ppid":10,"pgid":10,"exit_code":0}}\n',
    ].join("\n"),
  );
  const { stdout } = await ingest("-p", "11", file);
  expect(parseLines(stdout)[0]!.f).toMatchObject({
    root_pid: 11,
    command: ["cat", "\ufffd", "x"],
    command_b64: [null, "gA==", null],
    cut_from: { command: ["make", "\ufffd"], command_b64: [null, "/w=="] },
  });
  const shown = await run([TK, "render", "-d", "tree"], { stdin: stdout });
  expect(shown.stdout).toStartWith("cat $'\\x80' x: 1 process");
});

test("the whole tree of a recording keeps its header as it is", async () => {
  const r = await ingest("-p", "10", put("whole.prof", RECORDING));
  const [header] = r.stdout.split("\n");
  expect(header).toBe(RECORDING.split("\n")[0]!);
  expect(parseLines(r.stdout).at(-1)!.f).toMatchObject({ exit_code: 2, processes: 4 });
});

test("in place, compressed, from a pipe, and several inputs at once", async () => {
  const file = put("same.prof", RECORDING);
  expect((await ingest("-p", "13", file, "-o", file)).status).toBe(0);
  const wanted = readFileSync(file, "utf8").replaceAll(file, "X");
  const zipped = put("whole.gz", gzipSync(RECORDING));
  expect((await ingest("-p", "13", zipped)).stdout.replaceAll(zipped, "X")).toBe(wanted);
  const piped = await run([TK, "ingest", "-p", "13"], { env, stdin: RECORDING });
  expect(piped.stdout.replaceAll('"stdin"', '"X"')).toBe(wanted);
  const half = RECORDING.split("\n").slice(0, -1);
  const a = put("a.prof", half.slice(0, 7).join("\n"));
  const b = put("b.prof", half.slice(7).join("\n"));
  expect((await ingest("-p", "13", a, b)).stdout.replaceAll(`${a}, ${b}`, "X")).toBe(wanted);
});

test("a pid that is not there: status 1, which there are, and the output is left alone", async () => {
  const file = put("whole.prof", RECORDING);
  const out = put("out.prof", "precious\n");
  const r = await ingest("-p", "14", file, "-o", out);
  expect(r.status).toBe(1);
  expect(r.stderr).toContain("There is no process 14 in");
  expect(r.stderr).toContain("the nearest of the 4 that are there: 13, 12, 11");
  expect(r.stderr).toContain("the recorded command is 10");
  expect(readFileSync(out, "utf8")).toBe("precious\n");
  expect(readdirSync(folder).filter((n) => n.startsWith("."))).toEqual([]);
});

test("nothing in it at all", async () => {
  const r = await ingest("-p", "1", put("empty.prof", ""));
  expect(r.status).toBe(1);
  expect(r.stderr).toContain("it holds no process");
});

test("a recording that was cut off stays one: no End is made up unless the root's exit was seen", async () => {
  const cut = RECORDING.split("\n").slice(0, 9).join("\n") + '\n{"Exit":{"seq":';
  const r = await ingest("-p", "11", put("cut.prof", cut));
  expect(r.stderr).toContain("cut.prof:10: the last line is cut off");
  expect(parseLines(r.stdout).some((l) => l.tag === "End")).toBe(false);
  expect(parseLines((await ingest("-p", "12", put("cut.prof", cut))).stdout).at(-1)!.tag).toBe("End");
});
