// What long work tells while it lasts: one line on stderr that is written over, on a terminal only, from the second half
// second on, and gone before anything else is printed.
import { writeSync } from "node:fs";
import { thousands } from "../lib/base/text.ts";

/** Nothing is told of work that is shorter, milliseconds. */
const SILENT = 500;
const BETWEEN = 100;

export class Progress {
  private readonly began = performance.now();
  private last = 0;
  private shown = false;
  private readonly enabled: boolean;

  constructor(enabled: boolean = process.stderr.isTTY && process.env["TERM"] !== "dumb") {
    this.enabled = enabled;
  }

  /** `total` 0: how far it is is not known. */
  tell(stage: string, done = 0, total = 0): void {
    if (!this.enabled) return;
    const now = performance.now();
    if (now - this.began < SILENT || (this.shown && now - this.last < BETWEEN)) return;
    this.last = now;
    this.shown = true;
    const part = total > 0 ? ` ${thousands(done)} of ${thousands(total)}` : done > 0 ? ` ${thousands(done)}` : "";
    const columns = Math.max(20, (process.stderr.columns ?? 80) - 1);
    write(`\r\x1b[K${`tk: ${stage}${part}`.slice(0, columns)}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.shown) write("\r\x1b[K");
    this.shown = false;
  }
}

function write(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody is looking any more.
  }
}
