// `tk analyse` of ten million executed lines beside the older tool's compiled analyser, each on its own recording of them. The older tool is
// where TK_BENCH_TRACKEXEC says: a folder with its package `walt` (walt-python-packages), for a python3 with numpy, numba and plumbum.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeLineRecording } from "./line_recording.ts";
import { compare, table } from "./measure.ts";

const LINES = 10_000_000;

/** Loops, calls and branches, in a package that its recorder can choose. */
const PROGRAM = `def mix(a, b):
    c = a ^ b
    d = c * 3
    return d & 0xffff

def turn(n):
    total = 0
    i = 0
    while i < n:
        total += i
        if i % 4 == 0:
            total = mix(total, i)
        else:
            total ^= i
        i += 1
    return total

def main(lines):
    done = 0
    result = 0
    while done < lines:
        result ^= turn(1000)
        done += 5500
    return result
`;

/** Records a small and a large log, and prints how long the analysis of the large one takes once everything is compiled. */
const DRIVER = `import contextlib, io, os, sys, time
from pathlib import Path
peer, work, lines = sys.argv[1], sys.argv[2], int(sys.argv[3])
sys.path[:0] = [peer, work]
from walt.server.trackexec import record, stop
import bench_app.work
def log(name, n):
    record(bench_app, Path(work, name))
    bench_app.work.main(n)
    stop()
log("small", 50000)
log("large", lines)
from walt.server.trackexec.analyse import trackexec_analyse
def analyse(name):
    t = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        trackexec_analyse(Path(work, name), 20, None, "cum_duration")
    return time.perf_counter() - t
analyse("small")
print(analyse("large"))
`;

export function analyseLineRows(tk: string, work: string): string {
  const path = join(work, "analyse-lines.prof");
  writeLineRecording(path, LINES);
  const rows = compare([{ name: "tk analyse RECORDING", command: [tk, "analyse", path] }], 5);
  const peer = process.env.TK_BENCH_TRACKEXEC;
  if (peer === undefined) {
    console.error("bench: TK_BENCH_TRACKEXEC is not set, the older tool is left out");
    return table(rows);
  }
  mkdirSync(join(work, "bench_app"), { recursive: true });
  writeFileSync(join(work, "bench_app", "__init__.py"), "");
  writeFileSync(join(work, "bench_app", "work.py"), PROGRAM);
  writeFileSync(join(work, "driver.py"), DRIVER);
  const python = process.env.TK_BENCH_PYTHON ?? "python3";
  const run = Bun.spawnSync([python, join(work, "driver.py"), peer, work, String(LINES)]);
  const older = Number(run.stdout.toString());
  if (run.exitCode !== 0 || !(older > 0))
    throw new Error(`the older tool failed: ${run.stderr.toString().slice(-500)}`);
  const log = compare([{ name: "tk analyse DIR", command: [tk, "analyse", join(work, "large")] }], 3);
  const times = (own: number) => (older / own).toFixed(0);
  return (
    `${table([...rows, ...log])}\n\nThe older tool's analyser, everything compiled, on its own log of them: ${older.toFixed(1)} s. ` +
    `tk is ${times(rows[0]!.wall)} times as fast on its recording, and ${times(log[0]!.wall)} times on the older tool's log.`
  );
}
