// Big recordings for the benchmarks: a make-like tree of processes, nearly in order, the same bytes every time.
//   bun tests/support/generate.ts 1000000 > big.prof       about 120 bytes an event
// Written with the recorder's own writer and without an object per event, so that 100 million events (12 GB) are feasible.
import { writeSync } from "node:fs";
import { RecordingWriter } from "../../lib/format/recording_writer.ts";
import { ABSENT } from "../../lib/model/ids.ts";

const encode = (s: string) => new TextEncoder().encode(s);

const TOOLS = ["gcc", "as", "ld", "sed", "grep", "bash", "rm", "mkdir", "python3", "node"].map((name) => ({
  name: encode(name),
  path: encode(`/usr/bin/${name}`),
}));
const OPTIONS = ["-O2", "-c", "-Wall", "-o", "-g", "--version", "-Iinclude", "x.c"].map(encode);
const CWD = encode("/home/user/src");

/** xorshift32: small, and the same in every runtime. */
class Random {
  private state = 0x9e3779b9;

  below(n: number): number {
    let s = this.state;
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    this.state = s;
    return (s >>> 0) % n;
  }
}

/**
 * Gives `events` events between a header and an end to `write`, in chunks of about 1 MiB. Every process is forked, execs and exits, some fail an
 * exec first; up to `parallel` of them live at the same time. About one event in 64 is late, as on several CPUs.
 */
export function generate(events: number, write: (bytes: Uint8Array) => void, parallel = 16): void {
  const writer = new RecordingWriter();
  const random = new Random();
  const root = 1000;
  writer.header({ version: 1, generator: "tk generate", backend: "ptrace", root_pid: root, command: ["make"] });
  let now = 0;
  let pid = root;
  let processes = 1;
  /** Live children: pid, and how many steps of their life are done. */
  const pids = new Int32Array(parallel);
  const steps = new Int32Array(parallel);
  let live = 0;
  writer.fork(now, 1, root, 1);
  while (writer.seq < events) {
    now += 500 + random.below(20_000);
    const ts = random.below(64) === 0 ? Math.max(0, now - 30_000) : now;
    let slot = random.below(parallel);
    if (slot >= live) {
      slot = live++;
      pid = pid >= 4_194_303 ? root + 1 : pid + 1;
      pids[slot] = pid;
      steps[slot] = 0;
      processes++;
      writer.fork(ts, root, pid, root);
    } else if (steps[slot] === 0 || (steps[slot] === 1 && random.below(4) === 0)) {
      exec(writer, random, ts, pids[slot]!, root);
      steps[slot] = steps[slot]! + 1;
    } else {
      const killed = random.below(50) === 0;
      writer.exit(
        ts,
        pids[slot]!,
        root,
        root,
        killed ? ABSENT : random.below(20) === 0 ? 1 : 0,
        killed ? 15 : 0,
        false,
        {
          utime_ns: random.below(4_000_000),
          stime_ns: random.below(2_000_000),
          max_rss_kb: 1500 + random.below(4000),
        },
      );
      live--;
      pids[slot] = pids[live]!;
      steps[slot] = steps[live]!;
    }
    if (writer.out.length >= 1 << 20) {
      write(writer.out.view());
      writer.out.clear();
    }
  }
  writer.end(now, { processes, lost: 0, exit_code: 0, signal: 0 });
  write(writer.out.view());
}

function exec(writer: RecordingWriter, random: Random, ts: number, pid: number, root: number): void {
  const tool = TOOLS[random.below(TOOLS.length)]!;
  const failed = random.below(12) === 0;
  if (failed) writer.beginBadExec(ts, pid, 2, "ENOENT");
  else writer.beginExec(ts, pid, root, root, root);
  writer.filename(tool.path, 0, tool.path.length);
  writer.beginArgs();
  writer.arg(tool.name, 0, tool.name.length);
  for (let n = random.below(4); n > 0; n--) {
    const word = OPTIONS[random.below(OPTIONS.length)]!;
    writer.arg(word, 0, word.length);
  }
  writer.endArgs();
  if (!failed && random.below(4) === 0) writer.cwd(CWD, 0, CWD.length);
  writer.finish();
}

if (import.meta.main) {
  const events = Number(process.argv[2] ?? "1000000");
  if (!Number.isSafeInteger(events) || events < 1) {
    console.error("usage: generate.ts EVENTS > FILE");
    process.exitCode = 2;
  } else
    generate(events, (bytes) => {
      for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
    });
}
