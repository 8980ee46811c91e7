// bun scripts/bench/run.ts [name...] prints the tables of docs/benchmarks.md: tk beside its peers, in one run.
// Needs dist/tk, and per bench the peer that is named; a peer that is missing is said, not skipped silently.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { analyseLineRows } from "./analyse_lines.ts";
import { writeLineRecording } from "./line_recording.ts";
import { replayRows } from "./replay.ts";
import { lines } from "./lines.ts";
import { EventDecoder } from "../../lib/format/decode.ts";
import { Problems } from "../../lib/model/problem.ts";
import { decodeRecording } from "../../lib/pipeline/decode_recording.ts";
import { compileCondition, finish, maskOf, World } from "../../lib/query/query.ts";
import { compare, table, type Contender, type Measured } from "./measure.ts";

const TK = process.env.TK_BENCH_TK ?? join(process.cwd(), "dist/tk");
const work = mkdtempSync(join(tmpdir(), "tk-bench-"));
const prof = join(work, "out.prof");

/** Nothing can be kept there: every run reads the recording. */
const NO_INDEX = "XDG_CACHE_HOME=/dev/null/none";

interface Bench {
  readonly name: string;
  readonly title: string;
  /** Not part of a run without names: it takes minutes or gigabytes. */
  readonly big?: boolean;
  run(): string | Promise<string>;
}

function present(tool: string): boolean {
  return Bun.which(tool) !== null;
}

function peers(...all: (Contender | undefined)[]): Contender[] {
  return all.filter((c) => c !== undefined);
}

/** The contender, or undefined (and a word on stderr) when its tool is not installed. */
function peer(tool: string, c: Contender): Contender | undefined {
  if (present(tool)) return c;
  console.error(`bench: ${tool} is not installed, "${c.name}" is left out`);
  return undefined;
}

const STRACE = ["strace", "-f", "--seccomp-bpf", "-e", "trace=%process", "-o", "/dev/null"];

function recorders(command: readonly string[]): Contender[] {
  const tk = (...options: string[]) => [TK, "record", "-q", "-o", prof, ...options, "--", ...command];
  return peers(
    { name: "plain", command },
    { name: "tk record", command: tk("--backend", "ptrace") },
    { name: "tk record --mode complete", command: tk("--backend", "ptrace", "--mode", "complete") },
    peer("strace", { name: "strace -f --seccomp-bpf", command: [...STRACE, ...command] }),
    process.getuid?.() === 0
      ? peer("bpftrace", { name: "tk record --backend bpftrace", command: tk("--backend", "bpftrace") })
      : undefined,
  );
}

function generated(events: number): string {
  const path = join(work, `events-${events}.prof`);
  if (!existsSync(path)) {
    const made = Bun.spawnSync([process.execPath, "tests/support/generate.ts", String(events)], {
      stdout: Bun.file(path),
    });
    if (made.exitCode !== 0) throw new Error("cannot generate events");
  }
  return path;
}

const storm = (n: number) => ["bash", "-c", `for ((i = 0; i < ${n}; i++)); do /bin/true; done`];

const megabytes = (path: string) => `${(statSync(path).size / 1e6).toFixed(0)} MB`;

const benches: readonly Bench[] = [
  {
    name: "start",
    title: "Start-up",
    run() {
      const empty = join(work, "empty.ts");
      writeFileSync(empty, "\n");
      const binary = join(work, "empty");
      const built = Bun.spawnSync([
        process.execPath,
        "build",
        "--compile",
        "--minify",
        "--bytecode",
        "--format=esm",
        empty,
        "--outfile",
        binary,
      ]);
      if (built.exitCode !== 0) throw new Error("cannot compile the empty program");
      const rows = compare(
        [
          { name: "empty compiled program", command: [binary] },
          { name: "tk --version", command: [TK, "--version"] },
          { name: "/bin/true", command: ["/bin/true"] },
          { name: "tk record -- /bin/true", command: [TK, "record", "-q", "-o", prof, "--", "/bin/true"] },
        ],
        15,
      );
      const over = (rows[3]!.median - rows[2]!.median) * 1e3;
      return `${table(rows)}\n\n\`tk record -- true\` takes ${over.toFixed(1)} ms (median) more than \`true\`.`;
    },
  },
  {
    name: "storm",
    title: "Fork/exec storm: 3000 times /bin/true from bash",
    run: () => table(compare(recorders(storm(3000)), 5)),
  },
  {
    name: "syscalls",
    title: "Two million system calls: dd bs=1 count=1000000",
    run: () =>
      table(compare(recorders(["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=1000000", "status=none"]), 7)),
  },
  {
    name: "sort",
    title: "Sorting one million events",
    run() {
      const path = generated(1_000_000);
      const rows = compare(
        peers(
          peer("jq", { name: "jq -c . (copies)", command: ["jq", "-c", ".", path] }),
          { name: "tk sort", command: [TK, "sort", path] },
          { name: "tk render -d sequential", command: [TK, "render", "-d", "sequential", path] },
          { name: "GNU sort (bytes, one key)", command: ["env", "LC_ALL=C", "sort", "-s", "-t:", "-k4,4n", path] },
        ),
        3,
      );
      return `${megabytes(path)}.\n\n${table(rows)}\n\n${timesFaster(rows, "tk sort")} ${timesFaster(rows, "tk render -d sequential")}`;
    },
  },
  {
    name: "query",
    title: "One question to one million events",
    run() {
      const path = generated(1_000_000);
      const repl = (query: string) => ["env", NO_INDEX, TK, "repl", path, "-c", query];
      const rows = compare(
        peers(
          peer("jq", { name: "jq select", command: ["jq", "-c", "select(.Exit.exit_code > 0)", path] }),
          duckdb(path, "exit status"),
          { name: "tk repl: procs where wall > 10ms", command: repl("procs where wall > 10ms | count") },
          duckdb(path, "wall by pid"),
          { name: "tk repl: exit != 0", command: repl("procs where exit != 0 | count") },
          { name: "tk repl: a regex over argv", command: repl("events where argv ~ /grep.*Wall/ | count") },
          { name: "tk repl: groups", command: repl("procs group exe | agg n=count(), p95=p95(wall)") },
          { name: "tk sort --where", command: [TK, "sort", "--where", "exit > 0 and kind == exit", path] },
        ),
        3,
      );
      return `${megabytes(path)}.\n\n${table(rows)}\n\n${timesFaster(rows, "tk repl: procs where wall > 10ms")}\n\n${scans(path)}`;
    },
  },
  {
    name: "query-huge",
    title: "One question to ten million events",
    big: true,
    run() {
      const path = generated(10_000_000);
      const cache = join(work, "cache");
      const ask = (kept: string) => ["env", kept, TK, "repl", path, "-c", "procs where wall > 10ms | count"];
      const first = { name: "tk repl: procs where wall > 10ms, first open", command: ask(NO_INDEX) };
      const again = { name: "the same, second open (kept index)", command: ask(`XDG_CACHE_HOME=${cache}`) };
      keepIndexOf(path, cache);
      return `${megabytes(path)}.\n\n${table(compare([first, again], 2, false))}`;
    },
  },
  {
    name: "exec",
    title: "tk exec: start, reporter, heartbeats",
    run() {
      const quiet = ["--skip-summary-report", "--no-use-external-config", "--no-use-embedded-config"];
      const exec = (...options: string[]) => [TK, "exec", ...quiet, ...options, "--", "/bin/true"];
      const rows = compare(
        [
          { name: "/bin/true", command: ["/bin/true"] },
          { name: "tk exec -- /bin/true", command: exec() },
          { name: "tk exec --as-parent -- /bin/true", command: exec("--as-parent") },
        ],
        15,
      );
      const over = (i: number) => ((rows[i]!.median - rows[0]!.median) * 1e3).toFixed(1);
      const beats = 40;
      const [few, many] = [reporterCost(1), reporterCost(beats)];
      const each = ((many.cpuMs - few.cpuMs) / (beats - 1)).toFixed(1);
      return [
        table(rows),
        `\n\`tk exec -- true\` takes ${over(1)} ms (median) more than \`true\`, as parent ${over(2)} ms (the report is waited for).`,
        `The reporter: ${many.rssMb.toFixed(0)} MB resident after ${beats} heartbeats (${few.rssMb.toFixed(0)} MB after the first report), ${each} ms of CPU a heartbeat with the built-in template, at nice ${many.nice}.`,
      ].join("\n");
    },
  },
  {
    name: "analyse-lines",
    title: "tk analyse on ten million lines",
    run: () => analyseLineRows(TK, work),
  },
  {
    name: "replay",
    title: "tk replay on a recording of ten million lines",
    run() {
      const path = join(work, "ten-million.prof");
      writeLineRecording(path, 10_000_000, 1);
      return replayRows(TK, path, 5);
    },
  },
  {
    name: "lines",
    title: "Executed lines of Python and Bash",
    big: true,
    run: () => lines(TK, work),
  },
  {
    name: "sort-huge",
    title: "Sorting one hundred million events with --memory 512M",
    big: true,
    run() {
      const path = generated(100_000_000);
      const rows = compare(
        [{ name: "tk sort --memory 512M", command: [TK, "sort", "--memory", "512M", path] }],
        1,
        false,
      );
      return `${megabytes(path)}.\n\n${table(rows)}`;
    },
  },
];

/** What `tk repl` does beside its prompt, in a process of its own because it needs gigabytes. */
function keepIndexOf(path: string, cache: string): void {
  const made = Bun.spawnSync([process.execPath, "scripts/bench/keep_index.ts", path], {
    env: { ...process.env, XDG_CACHE_HOME: cache },
  });
  if (made.exitCode !== 0) throw new Error(`no index was kept: ${made.stderr.toString()}`);
}

/** DuckDB's read_json, from the folder that TK_BENCH_DUCKDB names. */
function duckdb(path: string, question: "exit status" | "wall by pid"): Contender | undefined {
  const folder = process.env.TK_BENCH_DUCKDB;
  if (folder !== undefined)
    return {
      name: `duckdb read_json: ${question}`,
      command: [process.execPath, "scripts/bench/duckdb.ts", folder, path, question],
    };
  console.error(`bench: TK_BENCH_DUCKDB names no folder with @duckdb/node-api, "duckdb: ${question}" is left out`);
  return undefined;
}

/** Opening beside a loop over the bytes, and filters over columns that are in memory: best of several, in one process. */
function scans(path: string): string {
  const bytes = readFileSync(path);
  const best = (rounds: number, work: () => void) => {
    let least = Infinity;
    for (let i = 0; i < rounds; i++) {
      const began = performance.now();
      work();
      least = Math.min(least, performance.now() - began);
    }
    return least;
  };
  let sum = 0;
  const loop = best(7, () => {
    let all = 0;
    for (let i = 0; i < bytes.length; i++) all += bytes[i]!;
    sum = all;
  });
  const decode = best(7, () => {
    const decoder = new EventDecoder("bench", new Problems(), { capacity: Math.ceil(bytes.length / 110) });
    for (let at = 0; at < bytes.length; at += 1 << 20) decoder.push(bytes.subarray(at, at + (1 << 20)));
    decoder.finish();
  });
  const world = new World(decodeRecording(bytes));
  const filters = ["ts > 1s", "kind == exec and pid > 100000", "kind == exec and wall > 1ms", "argv ~ /grep.*Wall/"];
  const lines = filters.map((text) => {
    const condition = compileCondition(text, { table: "events" })._unsafeUnwrap();
    const once = performance.now();
    finish(maskOf(condition, world));
    const first = performance.now() - once;
    const again = best(9, () => finish(maskOf(condition, world)));
    return `| \`${text}\` | ${first.toFixed(1)} | ${again.toFixed(1)} |`;
  });
  return [
    `A loop over the bytes takes ${loop.toFixed(0)} ms, reading them into columns ${decode.toFixed(0)} ms: ${(decode / loop).toFixed(2)} times (${sum > 0 ? "same" : "no"} process).`,
    "\n| filter over one million events in memory | first time, ms | again, ms |\n| --- | ---: | ---: |",
    ...lines,
  ].join("\n");
}

/** What the reporter of a sleeping program has used after `beats` heartbeats of a tenth of a second. */
function reporterCost(beats: number): { cpuMs: number; rssMb: number; nice: number } {
  const program = Bun.spawn(
    [TK, "exec", "--skip-summary-report", "--heartbeat", "--heartbeat-rate", "100ms", "--", "sleep", "60"],
    { stdin: "ignore", stdout: "ignore", stderr: "ignore", env: { ...process.env, HOME: work } },
  );
  Bun.sleepSync(600 + beats * 100);
  const found = Bun.spawnSync(["pgrep", "-n", "-f", "exec-reporter"]).stdout.toString().trim();
  const stat = readFileSync(`/proc/${found}/stat`, "utf8").split(") ")[1]!.split(" ");
  const status = readFileSync(`/proc/${found}/status`, "utf8");
  const used = { cpuMs: (Number(stat[11]) + Number(stat[12])) * 10, rssMb: 0, nice: Number(stat[16]) };
  used.rssMb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
  program.kill();
  return used;
}

function timesFaster(rows: readonly Measured[], name: string): string {
  const row = rows.find((r) => r.name === name);
  return row === undefined
    ? ""
    : `\`${name}\` is ${(rows[0]!.wall / row.wall).toFixed(1)} times as fast as ${rows[0]!.name}.`;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !benches.some((b) => b.name === name));
if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(", ")}; there are ${benches.map((b) => b.name).join(", ")}`);
  process.exit(2);
}
try {
  for (const bench of benches) {
    if (wanted.length === 0 ? bench.big : !wanted.includes(bench.name)) continue;
    console.log(`## ${bench.title}\n\n${await bench.run()}\n`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
