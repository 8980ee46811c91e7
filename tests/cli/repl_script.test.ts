// tk repl without a terminal: -c, -f, a pipe; statuses, formats, files; what comes out is input again.
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PLAIN_ENV } from "../support/programs.ts";
import { parseLines, requireTk, run, TK } from "../support/tk.ts";
import { timelineText } from "../support/timeline.ts";

const BUILD = `
  recording root=10 make
  0ms 10 exec make
  1ms 10 fork 11
  3ms 11 exec cc -c "a b.c"
  30ms 11 exit 0
  31ms 10 fork 13
  32ms 13 exec "evil\\u001b]0;pwned\\u0007\\u202ename" --x
  90ms 13 exit 1
  100ms 10 exit 2
  101ms end 2`;

let dir = "";
let file = "";

beforeAll(() => {
  requireTk();
  dir = mkdtempSync(join(tmpdir(), "tk-repl-"));
  file = join(dir, "build.prof");
  writeFileSync(file, timelineText(BUILD));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const repl = (words: readonly string[], stdin?: string) =>
  run([TK, "repl", ...words], {
    cwd: dir,
    env: { ...PLAIN_ENV, XDG_STATE_HOME: join(dir, "state") },
    ...(stdin === undefined ? {} : { stdin }),
  });

test("-c runs commands in their order, without prompt and colour, and -f after them", async () => {
  writeFileSync(join(dir, "script.tk"), "# counts\nevents | count\n");
  const r = await repl([
    file,
    "-c",
    "procs | count",
    "-c",
    "filter exe == cc",
    "-c",
    "procs | count",
    "-f",
    "script.tk",
  ]);
  expect(r.stdout).toBe("3\n1 processes and 3 events remain\n1\n3\n");
  expect([r.status, r.stderr]).toEqual([0, ""]);
});

test("a condition by itself lists what it is true of, a handle alone shows it", async () => {
  const r = await repl([
    file,
    "-c",
    "wall > 20ms and exe == cc",
    "-c",
    "exit != 0 or signal | count",
    "-c",
    "failed | count",
  ]);
  expect(r.stdout).toMatch(/^ID .*\np1 .* cc .*\n2\n2\n$/);
  expect([r.status, r.stderr]).toEqual([0, ""]);
  expect((await repl([file, "-c", "p1"])).stdout).toContain("cc -c 'a b.c'");
  const wrong = await repl([file, "-c", "wal > 10ms"]);
  expect([wrong.status, wrong.stdout]).toEqual([1, ""]);
  expect(wrong.stderr).toContain("  wal > 10ms\ntk:   ^^^\ntk: there is no field 'wal' in procs; did you mean wall?");
  expect(existsSync(join(dir, "10ms"))).toBe(false);
});

test("a pipe on stdin is a script; a query may go over several rows", async () => {
  const r = await repl([file], "procs\n| count\nprocs where exe == cc |\n  count # the compilers\n");
  expect([r.status, r.stdout]).toEqual([1, expect.stringContaining("make")]);
  expect(r.stderr).toContain("expected a command before |");
  const whole = await repl([file], "procs where exe == cc |\n  count # the compilers\nprocs | count\n");
  expect([whole.status, whole.stdout, whole.stderr]).toEqual([0, "1\n3\n", ""]);
});

test("the first error ends it with status 1, and says where it is", async () => {
  const r = await repl([file, "-c", "procs where wal > 1", "-c", "procs | count"]);
  expect([r.status, r.stdout]).toEqual([1, ""]);
  expect(r.stderr).toContain("              ^^^");
  expect(r.stderr).toContain("did you mean wall?");
  expect((await repl([file, "-c", "prcs"])).stderr).toContain("did you mean procs");
  expect((await repl([join(dir, "none.prof"), "-c", "procs"])).status).toBe(1);
  expect((await repl([file, "-f", "none.tk"])).status).toBe(1);
  expect((await repl([])).status).toBe(2);
});

test("json, ndjson and csv are whole and exact", async () => {
  const query = "procs where exe == cc | select id, argv, wall";
  expect(JSON.parse((await repl([file, "-c", query, "--format", "json"])).stdout)).toEqual([
    { id: "p1", argv: "cc -c a b.c", wall_ns: 29e6 },
  ]);
  expect((await repl([file, "-c", `${query} --format ndjson`])).stdout).toBe(
    '{"id":"p1","argv":"cc -c a b.c","wall_ns":29000000}\n',
  );
  expect((await repl([file, "-c", query, "--format", "csv"])).stdout).toBe(
    "id,argv,wall_ns\r\np1,cc -c a b.c,29000000\r\n",
  );
  const tree = JSON.parse((await repl([file, "-c", "tree", "--format", "json"])).stdout) as { id: string }[];
  expect(tree.map((row) => row.id)).toEqual(["p0", "p1", "p2"]);
});

test("NDJSON of filtered events is a recording again, and so is a file called so, with its header and end", async () => {
  const lines = await repl([file, "-c", "filter exe == cc", "-c", "events where kind == exec --format ndjson"]);
  const text = lines.stdout.split("\n").slice(1).join("\n");
  expect(parseLines(text).map((l) => l.tag)).toEqual(["ExecFull"]);
  const again = await repl([file, "-c", "events where kind in (fork, exec) > part.prof", "-c", "procs | count"]);
  expect([again.status, again.stdout]).toEqual([0, "3\n"]);
  const part = join(dir, "part.prof");
  const tags = parseLines(readFileSync(part, "utf8")).map((l) => l.tag);
  expect([tags[0], tags.at(-1)]).toEqual(["Recording", "End"]);
  const read = await repl([part, "-c", "procs where execs == 1 | count"]);
  expect([read.status, read.stdout, read.stderr]).toEqual([0, "3\n", ""]);
  const piped = await repl(["-", "-c", "procs | count"], text);
  expect([piped.status, piped.stdout]).toEqual([0, "1\n"]);
});

test("> writes the format of the name, | feeds a command, and a file that cannot be written is a failure", async () => {
  const r = await repl([file, "-c", "procs > out.csv", "-c", "procs | wc -l", "-c", "procs |! sort | head -1"]);
  expect([r.status, r.stderr]).toEqual([0, ""]);
  expect(readFileSync(join(dir, "out.csv"), "utf8")).toStartWith("id,pid,exe");
  expect(r.stdout).toMatch(/^4\n/);
  const bad = await repl([file, "-c", "procs > /nowhere/x.csv"]);
  expect([bad.status, bad.stderr]).toEqual([1, expect.stringContaining("Cannot")]);
  expect(existsSync("/nowhere")).toBe(false);
});

test("render, analyse and diff see what remains", async () => {
  const r = await repl([file, "-c", "filter exe == cc", "-c", "render -d multiplexed", "-c", "analyse --format json"]);
  expect([r.status, r.stderr]).toEqual([0, ""]);
  expect(r.stdout).toContain('"args":["cc","-c","a b.c"]');
  expect(r.stdout).not.toContain('"args":["make"]');
  const diff = await repl([file, "-c", `diff ${file} --format json`]);
  expect((JSON.parse(diff.stdout) as { change_ns: number }).change_ns).toBe(0);
});

test("what strangers named steers no terminal", async () => {
  for (const command of [
    "procs",
    "events",
    "tree",
    "show p2",
    "ls p0",
    "timeline",
    "hot 5 argv",
    "path",
    "info",
    "find exe ~ /evil/",
  ]) {
    const { stdout, stderr } = await repl([file, "-c", command]);
    expect(stderr).toBe("");
    // oxlint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f\u202e]/);
  }
});

test("an argument of 2 MiB is shown in part and written whole", async () => {
  const long = "x".repeat(2 << 20);
  writeFileSync(join(dir, "long.prof"), timelineText(`0ms 10 exec echo ${long}\n1ms 10 exit 0`));
  const r = await repl(["long.prof", "-c", "procs", "-c", "tree", "-c", "show p0"]);
  expect([r.status, r.stderr]).toEqual([0, ""]);
  expect(r.stdout.length).toBeLessThan(300_000);
  expect(r.stdout).toContain("characters)");
  const whole = await repl(["long.prof", "-c", "procs | select argv --format ndjson"]);
  expect(whole.stdout.length).toBeGreaterThan(2 << 20);
});

test("cut off, corrupt, empty, binary and mixed inputs", async () => {
  const text = timelineText(BUILD);
  writeFileSync(join(dir, "cut.prof"), text.slice(0, 500));
  const cut = await repl(["cut.prof", "-c", "info", "-c", "procs | count"]);
  expect(cut.status).toBe(0);
  expect(cut.stdout).toContain("cut off");
  expect(cut.stderr).toContain("cut.prof:");
  writeFileSync(join(dir, "bad.prof"), text.replace('"pid":11', '"pid":"eleven"').replace("{", "{{"));
  const bad = await repl(["bad.prof", "-c", "procs | count"]);
  expect([bad.status, bad.stderr]).toEqual([0, expect.stringContaining("bad.prof:1:")]);
  writeFileSync(join(dir, "empty.prof"), "");
  for (const command of [
    "procs",
    "tree",
    "timeline",
    "hot",
    "path",
    "info",
    "ls",
    "events",
    "goto start",
    "goto end",
  ]) {
    const empty = await repl(["empty.prof", "-c", command]);
    expect([command, empty.status]).toEqual([command, 0]);
  }
  expect((await repl(["empty.prof", "-c", "show"])).status).toBe(1);
  writeFileSync(join(dir, "binary.prof"), new Uint8Array([0, 1, 2, 3, 255, 254]));
  expect((await repl(["binary.prof", "-c", "procs"])).status).toBe(1);
  writeFileSync(join(dir, "mixed.log"), `${text}FORK: seq=1,ts=200000000,parent_pid=1,child_pid=77,parent_pgid=1\n`);
  expect((await repl(["mixed.log", "-c", "procs where pid == 77 | count"])).stdout).toBe("1\n");
});

test("several recordings are one", async () => {
  const r = await repl([file, file, "-c", "procs | count"]);
  expect(r.status).toBe(0);
  expect(Number(r.stdout)).toBeGreaterThanOrEqual(3);
});

test("--live records a command and looks at it", async () => {
  const r = await repl([
    "--live",
    "-o",
    "live.prof",
    "-c",
    'procs where exe == "true" | count',
    "--",
    "sh",
    "-c",
    "true; true; /bin/true; echo hi",
  ]);
  expect(r.status).toBe(0);
  expect(r.stdout).toBe("1\n");
  expect(readFileSync(join(dir, "live.prof.output"), "utf8")).toBe("hi\n");
});

test("an exec that proctrace recorded in parts goes out with all of them", async () => {
  const demo = join(import.meta.dir, "..", "fixtures", "proctrace", "demo_2024_09.log");
  const part = await repl([demo, "-c", "events where kind == exec and argv ~ /sleep/ --format ndjson"]);
  expect(parseLines(part.stdout).map((l) => l.tag)).toEqual(["Exec", "ExecArgs", "ExecArgs"]);
  expect((await repl(["-", "-c", "procs | select argv --format csv"], part.stdout)).stdout).toBe(
    "argv\r\nsleep 0.25\r\n",
  );
  expect((await repl([demo, "-c", "filter exe == sleep", "-c", "render -d multiplexed"])).stdout).toContain(
    "sleep 0.25",
  );
});

test("a large recording's index is kept behind the answer, and not for a reader that has gone", async () => {
  const big = join(dir, "big.prof");
  const line = (i: number) =>
    `{"ExecFull":{"seq":${i},"timestamp":${i * 1000},"pid":10,"ppid":1,"pgid":10,"filename":"/bin/x","args":["x","${"y".repeat(3900)}"]}}\n`;
  writeFileSync(big, Array.from({ length: 9000 }, (_, i) => line(i)).join(""));
  const index = join(dir, "cache", "tk", "index");
  const ask = (query: string, cache = "cache") =>
    run([TK, "repl", big, "-c", query], {
      cwd: dir,
      env: { ...PLAIN_ENV, XDG_STATE_HOME: join(dir, "state"), XDG_CACHE_HOME: join(dir, cache) },
    });
  const gone = await run(["sh", "-c", `"$0" repl big.prof -c events --format ndjson | head -c 10`, TK], {
    cwd: dir,
    env: { ...PLAIN_ENV, XDG_CACHE_HOME: join(dir, "cache") },
  });
  expect([gone.status, gone.stdout.length, existsSync(index)]).toEqual([0, 10, false]);
  for (let i = 0; i < 2; i++) {
    expect((await ask("procs | count")).stdout).toBe("1\n");
    expect(readdirSync(index)).toEqual([expect.stringMatching(/^[\da-f]+-[\da-f]+\.columns$/)]);
    expect(statSync(join(index, readdirSync(index)[0]!)).mode & 0o777).toBe(0o600);
  }
  // A file in the way: the answer is the same, and nothing is told.
  mkdirSync(join(dir, "none", "tk"), { recursive: true });
  writeFileSync(join(dir, "none", "tk", "index"), "");
  const without = await ask("procs | count", "none");
  expect([without.status, without.stdout, without.stderr]).toEqual([0, "1\n", ""]);
  rmSync(big);
});
