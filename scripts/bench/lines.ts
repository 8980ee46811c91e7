// The bench `lines`: what recording executed lines costs the program, beside the plain program and the older recorder
// (trackexec of walt-python-packages), in one run. Programs: lines/*.py; of the standard library's json and ast copies are
// made, so that they are packages of the user's and not the library.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const PROGRAMS = ["mandel", "vm", "json", "algos", "unparse", "aio"];
const ROUNDS = 3;
const python = process.env.TK_BENCH_PYTHON ?? "python3";

/** One size for every contender: big buffers are kept, or their page faults come and go with what the recorder has allocated. */
const ENVIRONMENT = {
  ...process.env,
  MALLOC_MMAP_THRESHOLD_: "67108864",
  MALLOC_TRIM_THRESHOLD_: "268435456",
  PYTHONHASHSEED: "0",
};

function run(command: readonly string[], env: NodeJS.ProcessEnv = ENVIRONMENT): string {
  const done = Bun.spawnSync([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe", env });
  if (done.exitCode !== 0)
    throw new Error(`${command.join(" ")} ended with ${done.exitCode}: ${done.stderr.toString().slice(-600)}`);
  return done.stdout.toString();
}

function prepare(work: string): string {
  const base = join(work, "lines");
  const traced = join(base, "traced");
  const untraced = join(base, "untraced");
  const from = join(import.meta.dir, "lines");
  mkdirSync(untraced, { recursive: true });
  cpSync(from, traced, { recursive: true });
  cpSync(join(from, "drive.py"), join(base, "drive.py"));
  cpSync(join(from, "vm.py"), join(untraced, "vm.py"));
  for (const folder of [traced, untraced]) writeFileSync(join(folder, "__init__.py"), "");
  const library = run([python, "-c", "import os; print(os.path.dirname(os.__file__))"]).trim();
  cpSync(join(library, "ast.py"), join(traced, "copied_ast.py"));
  cpSync(join(library, "contextlib.py"), join(traced, "copied_text.py"));
  mkdirSync(join(traced, "copied_json"));
  for (const name of readdirSync(join(library, "json")).filter((n) => n.endsWith(".py")))
    writeFileSync(
      join(traced, "copied_json", name),
      readFileSync(join(library, "json", name), "utf8").replaceAll("from json import", "from . import"),
    );
  return base;
}

/** The folder to put before PYTHONPATH, or why there is none. */
function older(work: string): { readonly path: string } | { readonly missing: string } {
  const root = process.env.TK_BENCH_TRACKEXEC;
  const how = "git clone https://github.com/drakkar-lig/walt-python-packages, TK_BENCH_TRACKEXEC=that folder";
  if (root === undefined) return { missing: `the older recorder is not there (${how})` };
  const from = join(root, "server/walt/server/trackexec");
  if (!existsSync(from)) return { missing: `${from} is not there (${how})` };
  const found = Bun.spawnSync([python, "-c", "import numpy"], { stderr: "ignore" });
  if (found.exitCode !== 0) return { missing: `${python} has no numpy (apt-get install python3-numpy)` };
  const path = join(work, "older");
  mkdirSync(join(path, "walt/server"), { recursive: true });
  cpSync(from, join(path, "walt/server/trackexec"), { recursive: true });
  for (const folder of ["walt", "walt/server"]) writeFileSync(join(path, folder, "__init__.py"), "");
  return { path };
}

/** Bytes on disk and line events of an older recording. */
function olderSize(directory: string): { bytes: number; lines: number } {
  const size = { bytes: 0, lines: 0 };
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const path = join(directory, name);
    if (!statSync(path).isFile()) continue;
    size.bytes += statSync(path).size;
    if (!name.startsWith("log_map/")) continue;
    const data = name.endsWith(".gz") ? gunzipSync(readFileSync(path)) : readFileSync(path);
    for (let block = 0; block + 8192 <= data.length; block += 8192)
      for (let at = block + 2 + 4 * data.readUInt16LE(block); at < block + 8192; at += 2) {
        const word = data.readUInt16LE(at);
        if (word === 0) break;
        if (word === 65535) at += 2;
        else if (word === 65533) at += 8;
        else if (word !== 65534) size.lines++;
      }
  }
  return size;
}

/** Bytes of the recording's blocks of lines, as they stand in the file, and the lines in them. */
function recordedSize(tk: string, prof: string): { bytes: number; lines: number } {
  const size = { bytes: 0, lines: 0 };
  for (const line of readFileSync(prof, "utf8").split("\n")) {
    if (!line.startsWith('{"LineBlock"')) continue;
    size.bytes += line.length + 1;
  }
  const told = JSON.parse(run([tk, "analyse", "--format", "json", "--num-items", "1", prof])) as unknown;
  const summary = (told as { readonly summary?: { readonly line_events?: number } }).summary;
  size.lines = summary?.line_events ?? 0;
  return size;
}

interface Way {
  readonly name: string;
  command(program: string): readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export function lines(tk: string, work: string): string {
  const base = prepare(work);
  const drive = join(base, "drive.py");
  const prof = join(work, "lines.prof");
  const past = join(work, "older.log");
  const peer = older(work);
  const recorded = (engine: string): Way => ({
    name: engine,
    command: (program) =>
      [tk, "record", "-q", "--lines=traced", "--lines-engine", engine, "-o", prof, "--"].concat([
        python,
        drive,
        program,
      ]),
    env: ENVIRONMENT,
  });
  const ways: Way[] = [
    { name: "plain", command: (program) => [python, drive, program], env: ENVIRONMENT },
    recorded("exact"),
    recorded("fast"),
  ];
  if ("path" in peer)
    ways.push({
      name: "older recorder",
      command: (program) => [python, drive, program, past],
      env: { ...ENVIRONMENT, PYTHONPATH: [peer.path, process.env.PYTHONPATH].filter(Boolean).join(":") },
    });
  else console.error(`bench: ${peer.missing}, its columns are left out`);

  const rows: string[] = [];
  for (const program of [...PROGRAMS, "outside"]) {
    const best = ways.map(() => Number.POSITIVE_INFINITY);
    const sizes = ways.map(() => "");
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, way] of ways.entries()) {
        // The older one takes long, and its first run is as good as any.
        if (way.name === "older recorder" && round > 0) continue;
        rmSync(past, { recursive: true, force: true });
        best[i] = Math.min(best[i]!, Number(run(way.command(program), way.env)));
        if (round > 0 || i === 0 || program === "outside") continue;
        const { bytes, lines: count } = way.name === "older recorder" ? olderSize(past) : recordedSize(tk, prof);
        sizes[i] = count === 0 ? "" : (bytes / count).toFixed(3);
      }
    const [plain, exact, fast, old] = best;
    const times = (x: number | undefined) => (x === undefined ? "" : (x / plain!).toFixed(x < 3 * plain! ? 2 : 1));
    const share = (x: number) => (old === undefined ? "" : (x / old).toFixed(3));
    rows.push(
      `| ${program} | ${(plain! * 1e3).toFixed(0)} | ${times(old)} | ${times(exact)} | ${share(exact!)} | ${times(fast)} | ${share(fast!)} | ${sizes[3] ?? ""} | ${sizes[1]} | ${sizes[2]} |`,
    );
  }
  return [
    `${run([python, "--version"]).trim()}; CPU time of the program's work, best of ${ROUNDS}; \`x\` is times the plain program.`,
    "",
    "| program | plain ms | older x | exact x | of older | fast x | of older | older B/line | exact B/line | fast B/line |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows,
    "",
    bash(tk, work),
  ].join("\n");
}

function bash(tk: string, work: string): string {
  const loop = join(work, "builtins.sh");
  const commands = join(work, "commands.sh");
  writeFileSync(
    loop,
    'f() { local a=$1; [[ $a == 5 ]] && x=$a; : "$a"; }\nfor ((i = 0; i < 80000; i++)); do\n  y=$((i % 7))\n  f "$y"\ndone\n',
  );
  writeFileSync(commands, "for i in {1..500}; do\n  /bin/true\n  seq 20000 >/dev/null\ndone\n");
  const prof = join(work, "bash.prof");
  const rows = [
    ["a loop of builtins", loop],
    ["dominated by commands", commands],
  ].map(([what, script]) => {
    const ways = [
      ["bash", script!],
      [tk, "record", "-q", "-o", prof, "--", "bash", script!],
      [tk, "record", "-q", "--lines", "-o", prof, "--", "bash", script!],
    ];
    const best = ways.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < 5; round++)
      for (const [i, way] of ways.entries()) {
        const began = Bun.nanoseconds();
        run(way);
        best[i] = Math.min(best[i]!, (Bun.nanoseconds() - began) / 1e6);
      }
    const [plain, processes, all] = best as [number, number, number];
    return `| ${what} | ${plain.toFixed(0)} | ${(processes / plain).toFixed(2)} | ${(all / plain).toFixed(2)} | ${((all - processes + plain) / plain).toFixed(2)} |`;
  });
  return [
    "Bash, wall time; the last column is what the lines add to the recording of processes.",
    "",
    "| script | plain ms | tk record x | with --lines x | lines alone x |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...rows,
  ].join("\n");
}
