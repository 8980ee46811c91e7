// `tk sort` and the line modes of `tk render` as users run them: any inputs, in place, and everything that can go wrong
// on the way to the output.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { lacks } from "../support/needs.ts";
import { PLAIN_ENV } from "../support/programs.ts";
import { ORDINARY_UID, requireTk, run, start, TK } from "../support/tk.ts";

const folder = mkdtempSync(join(realpathSync(tmpdir()), "tk-sort-cli-"));
const temporary = join(folder, "tmp");
const env = { ...PLAIN_ENV, TMPDIR: temporary };
const at = (name: string) => join(folder, name);
const put = (name: string, text: string | Uint8Array) => {
  writeFileSync(at(name), text);
  return at(name);
};
const read = (name: string) => readFileSync(at(name), "utf8");
const exit = (t: number, more = "") => `{"Exit":{"timestamp":${t},"pid":7${more}}}\n`;

beforeAll(() => {
  requireTk();
  mkdirSync(temporary);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `n` events in random but repeatable order. */
function shuffled(n: number, pad = 40): string {
  let state = 12345;
  const lines: string[] = [];
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    lines.push(`{"Exit":{"seq":${i},"timestamp":${state % 1_000_000_000},"pid":7,"pad":"${"x".repeat(pad)}"}}\n`);
  }
  return lines.join("");
}

function ordered(text: string): string {
  const lines = text.split("\n").filter((l) => l !== "");
  const key = (l: string) => Object.values(JSON.parse(l) as Record<string, { timestamp: number; seq?: number }>)[0]!;
  const keyed = lines.map((line, i) => ({ line, i, k: key(line) }));
  keyed.sort((a, b) => a.k.timestamp - b.k.timestamp || (a.k.seq ?? -1) - (b.k.seq ?? -1) || a.i - b.i);
  return keyed.map((k) => k.line + "\n").join("");
}

test("in place: header first, lines byte for byte, what tk does not know kept, the file's mode too", async () => {
  const header = '{"Recording":{"version":1,"unheard":[1,2]}}\n';
  const odd = '{ "Nobody": {"timestamp": 2, "x": "\\u00e9"} }\n';
  const file = put("place.prof", exit(3) + odd + exit(1) + '{"Source":{"id":1}}\n' + header);
  chmodSync(file, 0o640);
  const r = await run([TK, "sort", "-i", file, "-o", file], { env });
  expect(r.stderr).toBe("");
  expect(r.status).toBe(0);
  expect(read("place.prof")).toBe(header + exit(1) + '{"Source":{"id":1}}\n' + odd + exit(3));
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(readdirSync(temporary)).toEqual([]);
});

test.skipIf(lacks("root"))("a new file is the user's alone when root sorts", async () => {
  const file = put("in.prof", exit(1));
  await run([TK, "sort", file, "-o", at("new.prof")], { env });
  expect(statSync(at("new.prof")).mode & 0o777).toBe(0o600);
});

test("a symbolic link stays one, and what it points at is replaced", async () => {
  put("target.prof", exit(2) + exit(1));
  symlinkSync("target.prof", at("link.prof"));
  await run([TK, "sort", at("link.prof"), "-o", at("link.prof")], { env });
  expect(read("target.prof")).toBe(exit(1) + exit(2));
  expect(realpathSync(at("link.prof"))).toBe(at("target.prof"));
});

test("a symbolic link to nothing stays one, and the file is made where it points", async () => {
  symlinkSync("made.prof", at("nowhere-yet"));
  await run([TK, "sort", put("some.prof", exit(1)), "-o", at("nowhere-yet")], { env });
  expect(read("made.prof")).toBe(exit(1));
  expect(realpathSync(at("nowhere-yet"))).toBe(at("made.prof"));
});

test("several inputs, plain, compressed and from stdin, become one", async () => {
  const a = put("a.prof", exit(1) + exit(5));
  const b = put("b.prof.gz", gzipSync(exit(2) + exit(4)));
  const c = put("c.data", zstdCompressSync(exit(0) + exit(9)));
  const r = await run([TK, "sort", a, b, c, "-"], { env, stdin: exit(3) + exit(7) });
  expect(r.stdout).toBe([0, 1, 2, 3, 4, 5, 7, 9].map((t) => exit(t)).join(""));
  expect(r.stderr).toBe("");
});

test("raw backend lines are sorted as the events that they stand for, also behind event lines", async () => {
  const raw = "EXIT: seq=2,ts=30,pid=11,ppid=10,pgid=10\nFORK: seq=1,ts=20,parent_pid=10,child_pid=11,parent_pgid=10\n";
  const events =
    '{"Fork":{"seq":1,"timestamp":20,"parent_pid":10,"child_pid":11,"parent_pgid":10}}\n' +
    '{"Exit":{"seq":2,"timestamp":30,"pid":11,"ppid":10,"pgid":10}}\n';
  expect((await run([TK, "sort", put("raw.log", raw)], { env })).stdout).toBe(events);
  const early = Array.from({ length: 300 }, (_, i) => exit(1, `,"n":${i}`)).join("");
  const mixed = await run([TK, "sort", put("mixed.log", early + raw + "rubbish\n" + exit(25))], { env });
  expect(mixed.stdout).toBe(early + events.split("\n")[0] + "\n" + exit(25) + events.split("\n")[1] + "\n");
  expect(mixed.stderr).toContain("mixed.log:303: ");
});

test("recordings that began at different moments: told, and on request moved onto one axis", async () => {
  const header = (ns: string) => `{"Recording":{"version":1,"started_unix_ns":"${ns}"}}\n`;
  const late = put("late.prof", header("1700000000000002000") + exit(10, ',"r":{"timestamp":1}') + exit(50));
  const early = put("early.prof", header("1700000000000000000") + exit(20) + exit(2030));
  const own = await run([TK, "sort", late, early], { env });
  expect(own.stdout).toBe(
    header("1700000000000002000") +
      header("1700000000000000000") +
      exit(10, ',"r":{"timestamp":1}') +
      exit(20) +
      exit(50) +
      exit(2030),
  );
  expect(own.stderr).toContain("`tk sort --align wall`");
  const wall = await run([TK, "sort", "--align", "wall", late, early], { env });
  expect(wall.stderr).toBe("");
  expect(wall.stdout).toBe(
    header("1700000000000000000") +
      header("1700000000000002000") +
      exit(20) +
      exit(2010, ',"r":{"timestamp":1}') +
      exit(2030) +
      exit(2050),
  );
});

test("bad lines are told with file and line, the rest is kept; --strict makes it an error", async () => {
  const file = put("bad.prof", exit(2) + "not json\n\n" + exit(1) + '{"Exit":{"timestamp":3,');
  const r = await run([TK, "sort", file], { env });
  expect(r.stdout).toBe(exit(1) + exit(2));
  expect(r.stderr).toContain("bad.prof:2: ");
  expect(r.stderr).toContain("bad.prof:5: the last line is cut off");
  expect(r.status).toBe(0);
  expect((await run([TK, "sort", "--strict", file], { env })).status).toBe(3);
});

test("of very many bad lines the first are shown and all are counted", async () => {
  const r = await run([TK, "sort", put("rubbish.prof", exit(1) + "rubbish\n".repeat(5000))], { env });
  expect(r.stdout).toBe(exit(1));
  expect(r.stderr.split("\n").length).toBeLessThan(30);
  expect(r.stderr).toContain("rubbish.prof:2: ");
  expect(r.stderr).toMatch(/5,?000/);
});

test("more than the memory holds, in any order, from a file and from a pipe, leaves nothing in TMPDIR", async () => {
  const text = shuffled(120_000);
  const file = put("large.prof", text);
  const wanted = ordered(text);
  const r = await run([TK, "sort", "--memory", "1M", file], { env });
  expect(r.stdout === wanted).toBe(true);
  const piped = await run(["sh", "-c", `cat '${file}' | '${TK}' sort --memory 1M - -o '${at("large.out")}'`], { env });
  expect(piped.status).toBe(0);
  expect(read("large.out") === wanted).toBe(true);
  const shown = await run([TK, "render", "-d", "sequential", "--memory", "1M", file], { env });
  expect(shown.stdout === wanted).toBe(true);
  expect(readdirSync(temporary)).toEqual([]);
});

test("a reader that leaves ends it quietly", async () => {
  const file = put("pipe.prof", shuffled(60_000));
  for (const memory of ["1M", "64M"])
    for (const verb of [`sort`, `render -d by-process`]) {
      const r = await run(
        ["bash", "-c", `'${TK}' ${verb} --memory ${memory} '${file}' | head -1; echo "$PIPESTATUS"`],
        {
          env,
        },
      );
      expect(r.stderr).toBe("");
      expect(r.stdout.split("\n")[1]).toBe("0");
    }
});

test.skipIf(lacks("python"))("a slow reader with a non-blocking pipe gets everything", async () => {
  const file = put("slow.prof", shuffled(20_000));
  const reader = `
    import os, sys, time
    r, w = os.pipe()
    os.set_blocking(w, False)
    pid = os.fork()
    if pid == 0:
        os.close(r); os.dup2(w, 1); os.close(w)
        os.execv(sys.argv[1], [sys.argv[1], "sort", sys.argv[2]])
    os.close(w)
    n = 0
    while True:
        b = os.read(r, 65536)
        if not b: break
        n += len(b); time.sleep(0.002)
    print(n, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`;
  const r = await run(["python3", "-c", reader.replace(/^ {4}/gm, ""), TK, file], { env });
  expect(r.stdout).toBe(`${statSync(file).size} 0\n`);
});

test("an output that cannot be: a directory, a missing folder, a full name", async () => {
  const file = put("ok.prof", exit(1));
  mkdirSync(at("folder"));
  for (const [output, why] of [
    [at("folder"), "it is a directory"],
    [at("none/out.prof"), "no such file or directory"],
    [join(file, "x"), "not a directory"],
    [at("later/"), "it is a directory"],
    ["", "no such file or directory"],
  ] as const) {
    const r = await run([TK, "sort", file, "-o", output], { env });
    expect(r.status).toBe(1);
    expect(r.stderr).toContain(`Cannot write to '${output}'`);
    expect(r.stderr).toContain(why);
    expect(r.stdout).toBe("");
  }
});

test("a missing input leaves the output as it was", async () => {
  const out = put("kept.prof", "precious\n");
  const r = await run([TK, "sort", at("nowhere.prof"), "-o", out], { env });
  expect(r.status).toBe(1);
  expect(r.stderr).toContain("nowhere.prof");
  expect(read("kept.prof")).toBe("precious\n");
  expect(readdirSync(folder).filter((n) => n.startsWith("."))).toEqual([]);
});

test("a device is written as it is", async () => {
  const file = put("dev.prof", exit(2) + exit(1));
  const r = await run([TK, "sort", file, "-o", "/dev/stdout"], { env });
  expect(r.stdout).toBe(exit(1) + exit(2));
  expect((await run([TK, "sort", file, "-o", "/dev/null"], { env })).status).toBe(0);
});

test("/dev/stdout that is a file: what a script has printed into it stays", async () => {
  const file = put("dev.prof", exit(2) + exit(1));
  const script = `{ echo before; "$1" sort "$2" -o /dev/stdout; "$1" sort "$2" -o "$3"; echo after; } > "$3"`;
  const r = await run(["sh", "-c", script, "sh", TK, file, at("printed")], { env });
  expect([r.status, r.stderr]).toEqual([0, ""]);
  const both = exit(1) + exit(2);
  expect(read("printed")).toBe(`before\n${both}${both}after\n`);
});

test.skipIf(lacks("root"))("in place in a folder that takes no new files", async () => {
  const closed = at("closed");
  mkdirSync(closed);
  const text = shuffled(30_000);
  writeFileSync(join(closed, "x.prof"), text);
  linkSync(join(closed, "x.prof"), join(closed, "same.prof"));
  chownSync(join(closed, "x.prof"), ORDINARY_UID, ORDINARY_UID);
  chmodSync(closed, 0o755);
  chmodSync(folder, 0o755);
  chmodSync(temporary, 0o777);
  const r = await run([TK, "sort", "--memory", "1M", join(closed, "x.prof"), "-o", join(closed, "x.prof")], {
    env,
    user: "ordinary",
  });
  expect(r.stderr).toBe("");
  expect(r.status).toBe(0);
  expect(readFileSync(join(closed, "same.prof"), "utf8") === ordered(text)).toBe(true);
  expect(readdirSync(closed).sort()).toEqual(["same.prof", "x.prof"]);
});

/** Waits until the process has read `bytes`; false when it ended before. */
async function hasRead(pid: number, bytes: number): Promise<boolean> {
  for (;;) {
    try {
      const count = /^rchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1];
      if (Number(count) >= bytes) return true;
    } catch {
      return false;
    }
    await Bun.sleep(2);
  }
}

test("Ctrl-C and SIGTERM, while reading and while merging, leave the file as it was and nothing else", async () => {
  const text = shuffled(400_000);
  const file = put("interrupted.prof", text);
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    for (const share of [0.5, 1.3]) {
      const running = start([TK, "sort", "--memory", "1M", file, "-o", file], { env });
      expect(await hasRead(running.pid, text.length * share)).toBe(true);
      running.kill(signal);
      const r = await running.done;
      expect(r.signal).toBe(signal);
      expect(r.stderr).toBe("");
      expect(readFileSync(file, "utf8") === text).toBe(true);
      expect(readdirSync(folder).filter((n) => n.startsWith("."))).toEqual([]);
      expect(readdirSync(temporary)).toEqual([]);
    }
});

test("Ctrl-C while it waits for its input", async () => {
  const child = Bun.spawn([TK, "sort", "-", "-o", at("waiting.prof")], { env, stdin: "pipe", stderr: "pipe" });
  void child.stdin.write(exit(1));
  await child.stdin.flush();
  for (let i = 0; i < 200 && !readdirSync(folder).some((n) => n.includes("waiting")); i++) await Bun.sleep(10);
  child.kill("SIGINT");
  await child.exited;
  expect(child.signalCode).toBe("SIGINT");
  expect(await new Response(child.stderr).text()).toBe("");
  expect(readdirSync(folder).filter((n) => n.includes("waiting"))).toEqual([]);
});

test("SIGKILL in the middle leaves the file as it was and nothing in TMPDIR", async () => {
  const text = shuffled(400_000);
  const file = put("killed.prof", text);
  const running = start([TK, "sort", "--memory", "1M", file, "-o", file], { env });
  expect(await hasRead(running.pid, text.length * 1.3)).toBe(true);
  running.kill("SIGKILL");
  expect((await running.done).signal).toBe("SIGKILL");
  expect(readFileSync(file, "utf8") === text).toBe(true);
  expect(readdirSync(temporary)).toEqual([]);
});

test.skipIf(lacks("mount"))(
  "a full disk is a sentence and status 1, whether the output or the temporary files are on it",
  async () => {
    const disk = at("disk");
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], { encoding: "utf8" });
    expect(mounted.status).toBe(0);
    try {
      const text = shuffled(25_000);
      const small = join(disk, "small.prof");
      writeFileSync(small, text);
      const same = await run([TK, "sort", small, "-o", small], { env });
      expect(same.status).toBe(1);
      expect(same.stderr).toContain(`Cannot write to '${small}': no space left on the device`);
      expect(readFileSync(small, "utf8") === text).toBe(true);
      expect(readdirSync(disk)).toEqual(["small.prof"]);

      const big = put("big.prof", shuffled(100_000));
      const out = put("big.out", "precious\n");
      const spilled = await run([TK, "sort", "--memory", "1M", big, "-o", out], { env: { ...env, TMPDIR: disk } });
      expect(spilled.status).toBe(1);
      expect(spilled.stderr).toContain("no space left on the device");
      expect(spilled.stderr).toContain("TMPDIR");
      expect(read("big.out")).toBe("precious\n");
      expect(readdirSync(disk)).toEqual(["small.prof"]);

      const device = await run(["sh", "-c", `'${TK}' sort '${big}' > /dev/full`], { env });
      expect(device.status).toBe(1);
      expect(device.stderr).toContain("no space left on the device");
    } finally {
      spawnSync("umount", [disk]);
    }
  },
);

test("no room for temporary files at all is told with what to do", async () => {
  const big = put("big2.prof", shuffled(100_000));
  const r = await run([TK, "sort", "--memory", "1M", big], { env: { ...env, TMPDIR: at("not-there") } });
  expect(r.status).toBe(1);
  expect(r.stderr).toContain("Cannot make a temporary file in");
  expect(r.stderr).toContain("TMPDIR");
});

test("an empty input is told, and is an empty recording", async () => {
  const r = await run([TK, "sort", put("empty.prof", "")], { env });
  expect(r.stdout).toBe("");
  expect(r.stderr).toContain("empty");
  expect(r.status).toBe(0);
});

test("by-process: the sample of proctrace's README as it shows it", async () => {
  const sample = readFileSync(join(import.meta.dir, "..", "fixtures", "proctrace-by-process.txt"), "utf8");
  const multiplexed = ordered(sample);
  const file = put("seed.prof", multiplexed);
  const r = await run([TK, "render", "-d", "by-process", file], { env });
  expect(r.stdout).toBe(sample);
  expect(r.stderr).toBe("");
  const both = await run([TK, "render", "-d", "by-process", "-o", file, file], { env });
  expect(both.status).toBe(0);
  expect(read("seed.prof")).toBe(sample);
});

test("by-process: a pid that is used again is another process; what is of none comes last", async () => {
  const header = '{"Recording":{"version":1,"root_pid":10}}\n';
  const fork = (t: number) => `{"Fork":{"timestamp":${t},"parent_pid":10,"child_pid":11}}\n`;
  const end = (t: number, pid: number) => `{"Exit":{"timestamp":${t},"pid":${pid}}}\n`;
  const lost = '{"Lost":{"timestamp":6000000,"count":2,"reason":"x"}}\n';
  const root = '{"ExecFull":{"timestamp":1,"pid":10,"args":["sh"]}}\n';
  const file = put(
    "reuse.prof",
    header +
      root +
      fork(3_000_000) +
      end(5_000_000, 11) +
      lost +
      fork(7_000_000) +
      end(9_000_000, 11) +
      end(9_500_000, 10),
  );
  const r = await run([TK, "render", "-d", "by-process", file], { env });
  expect(r.stdout).toBe(
    [
      header,
      root + end(9_500_000, 10),
      fork(3_000_000) + end(5_000_000, 11),
      fork(7_000_000) + end(9_000_000, 11),
      lost,
    ].join("\n"),
  );
});
