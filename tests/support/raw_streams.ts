// Raw streams as a recorder would have left them, written by hand, and what a reader makes of them.
import { mkdtempSync, rmSync, writeFileSync, appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunReader } from "../../lib/collect/run_reader.ts";
import { decodeHead } from "../../lib/lines/block_head.ts";
import type { CollectedSource, LineSink, StreamInfo } from "../../lib/collect/line_sink.ts";

export interface SeenBlock extends StreamInfo {
  readonly start: number;
  readonly end: number;
  readonly events: number;
  /** `function:line` and how often. */
  readonly counts: Readonly<Record<string, number>>;
  /** `function:line` and its own time. */
  readonly self: Readonly<Record<string, number>>;
  /** Frames open at its start. */
  readonly stack: readonly string[];
}

export class Seen implements LineSink {
  readonly blocks: SeenBlock[] = [];
  readonly sources: CollectedSource[] = [];
  readonly told: string[] = [];

  source(source: CollectedSource): void {
    this.sources.push(source);
  }

  block(info: StreamInfo, block: { start: number; end: number; events: number; head: Uint8Array }): void {
    const head = decodeHead(block.head);
    if (typeof head === "string") throw new Error(head);
    const { totals, codes } = head;
    const counts: Record<string, number> = {};
    const self: Record<string, number> = {};
    for (let i = 0; i < totals.length; i++) {
      const key = `${codes[totals.code[i]!]!.name}:${totals.line[i]}`;
      counts[key] = totals.count[i]!;
      self[key] = totals.self[i]!;
    }
    const stack = Array.from(head.stackCode, (code, i) => `${codes[code]!.name}:${head.stackLine[i]}`);
    this.blocks.push({ ...info, start: block.start, end: block.end, events: block.events, counts, self, stack });
  }

  lost(pid: number, count: number, reason: string): void {
    this.told.push(`lost ${pid} ${count} ${reason}`);
  }

  note(pid: number, sentence: string): void {
    this.told.push(`note ${pid} ${sentence}`);
  }

  reached(pid: number): void {
    this.told.push(`reached ${pid}`);
  }

  problem(file: string, message: string): void {
    this.told.push(`problem ${file}: ${message}`);
  }
}

/** Events as `[word, time]`; the file has room for `capacity`. */
export function rawBlock(events: readonly (readonly [number, number])[], capacity = 64): Uint8Array {
  const bytes = new Uint8Array(64 + 12 * capacity);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("TKL1"));
  view.setUint32(4, 1, true);
  view.setUint32(8, capacity, true);
  events.forEach(([word, time], i) => {
    view.setInt32(64 + 4 * i, word, true);
    view.setBigInt64(64 + 4 * capacity + 8 * i, BigInt(time), true);
  });
  return bytes;
}

const made: string[] = [];
/** For `afterAll`. */
export function dropRuns(): void {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
}

export class RawRun {
  readonly directory = mkdtempSync(join(tmpdir(), "tk-raw-"));

  constructor() {
    made.push(this.directory);
  }

  write(name: string, content: Uint8Array | string): void {
    writeFileSync(join(this.directory, name), content);
  }

  append(name: string, content: string): void {
    appendFileSync(join(this.directory, name), content);
  }

  reader(sink: LineSink, consumes = false): RunReader {
    return new RunReader({
      directory: this.directory,
      sink,
      zero: 0n,
      wallZero: () => 0n,
      consumes,
      latest: () => 1e15,
    });
  }
}
