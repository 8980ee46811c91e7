// Runs commands side by side, interleaved, and compares them: ratios within one run are what counts, not seconds.
import { openSync, closeSync } from "node:fs";

export interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly stdin?: string;
}

export interface Measured {
  readonly name: string;
  /** Smallest wall time of all rounds, seconds. */
  readonly wall: number;
  /** Median wall time, seconds. */
  readonly median: number;
  /** Smallest user + system time of the command and what it waited for, seconds. */
  readonly cpu: number;
  /** Largest resident set of the command's own process, MiB. */
  readonly rss: number;
}

function once(c: Contender): { wall: number; cpu: number; rss: number } {
  const stdin = c.stdin === undefined ? undefined : openSync(c.stdin, "r");
  const t0 = Bun.nanoseconds();
  const run = Bun.spawnSync([...c.command], {
    stdin: stdin ?? "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const wall = (Bun.nanoseconds() - t0) / 1e9;
  if (stdin !== undefined) closeSync(stdin);
  if (run.exitCode !== 0)
    throw new Error(`${c.name} ended with ${run.exitCode}: ${run.stderr.toString().slice(0, 500)}`);
  return { wall, cpu: Number(run.resourceUsage.cpuTime.total) / 1e6, rss: run.resourceUsage.maxRSS / (1 << 20) };
}

/** Every contender `rounds` times, taking turns, after one unmeasured round. */
export function compare(contenders: readonly Contender[], rounds: number, warmUp = true): Measured[] {
  const runs = contenders.map(() => [] as ReturnType<typeof once>[]);
  if (warmUp) for (const c of contenders) once(c);
  for (let round = 0; round < rounds; round++) for (const [i, c] of contenders.entries()) runs[i]!.push(once(c));
  return contenders.map((c, i) => {
    const walls = runs[i]!.map((r) => r.wall).sort((a, b) => a - b);
    return {
      name: c.name,
      wall: walls[0]!,
      median: walls[walls.length >> 1]!,
      cpu: Math.min(...runs[i]!.map((r) => r.cpu)),
      rss: Math.max(...runs[i]!.map((r) => r.rss)),
    };
  });
}

/** A Markdown table; ratios are to the first row. */
export function table(rows: readonly Measured[]): string {
  const base = rows[0]!;
  const line = (r: Measured) =>
    `| ${r.name} | ${(r.wall * 1e3).toFixed(r.wall < 1 ? 1 : 0)} | ${(r.wall / base.wall).toFixed(2)} | ${(r.median / base.median).toFixed(2)} | ${(r.cpu / base.cpu).toFixed(2)} | ${r.rss.toFixed(0)} |`;
  return [
    "| what | ms (best) | wall ratio (best) | wall ratio (median) | CPU ratio | RSS MiB |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    ...rows.map(line),
  ].join("\n");
}
