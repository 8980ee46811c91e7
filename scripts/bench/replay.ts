// How long `tk replay` takes to show something, on a real terminal, from the key to the last byte of what answers it: the first picture,
// jumps, and `c` to a line that was executed once in ten million.
import { Pty } from "../../tests/support/pty.ts";

interface Sample {
  readonly what: string;
  readonly limit: number;
  readonly ms: number[];
}

/** Rows of a Markdown table; `recording` is of scripts/bench/line_recording.ts with one distinct line. */
export async function replayRows(tk: string, recording: string, rounds: number): Promise<string> {
  const samples = new Map<string, Sample>();
  const add = (what: string, limit: number, ms: number) => {
    const sample = samples.get(what) ?? { what, limit, ms: [] };
    samples.set(what, sample);
    sample.ms.push(ms);
  };
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    const pty = new Pty({ command: [tk, "replay", recording], cols: 100, rows: 30, env: { LC_ALL: "C.UTF-8" } });
    try {
      await pty.waitFor(/location: /);
      add("from the command to the first picture", 300, performance.now() - began);
      // Shares of the time come when nobody types; they are not what is measured.
      await pty.waitFor(/%/);
      const press = async (what: string, limit: number, keys: string, wanted: RegExp) => {
        const from = pty.mark();
        const t = performance.now();
        pty.type(keys);
        await pty.waitFor(wanted, from, 20_000);
        if (limit > 0) add(what, limit, performance.now() - t);
      };
      for (const [keys, wanted] of [
        ["j+1s\r", /\+1\.0/],
        ["j+0.4s\r", /\+1\.4/],
        ["j-1.2s\r", /\+0\.2/],
      ] as const)
        await press("a jump in time", 50, keys, wanted);
      await press("", 0, "bgenerated.py:1\r", /breakpoint at/);
      await press("c to the one hit in ten million lines", 300, "c", /generated\.py:1/);
      await press("C, back to the start", 300, "C", /START OF TRACE/);
      await press("s", 50, "s", /location|\+0\.0/);
    } finally {
      await pty.close();
    }
  }
  return [
    "| what | ms (best) | ms (median) | asked for |",
    "| --- | ---: | ---: | ---: |",
    ...[...samples.values()].map(({ what, limit, ms }) => {
      const sorted = ms.sort((a, b) => a - b);
      return `| ${what} | ${sorted[0]!.toFixed(0)} | ${sorted[sorted.length >> 1]!.toFixed(0)} | < ${limit} |`;
    }),
  ].join("\n");
}
