// The clock of a recording: nanoseconds of CLOCK_MONOTONIC since it began, and what the wall clock said then.
import { openKernel } from "./kernel.ts";
import { Block } from "./memory.ts";
import { NR } from "./syscalls.ts";

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;

export class Clock {
  private readonly kernel = openKernel();
  private readonly time = new Block(16);
  private readonly seconds: number;
  private readonly nanoseconds: number;
  /** Wall clock of 0, nanoseconds since 1970. */
  readonly startedUnixNs: bigint;
  /** CLOCK_MONOTONIC of 0. */
  readonly startedMonotonicNs: bigint;

  constructor() {
    // The wall clock between two readings of the monotonic one; the tightest of a few tries, so that a switch to another
    // process in between does not count.
    let best = Infinity;
    let wall = 0n;
    let zero = 0n;
    for (let i = 0; i < 5; i++) {
      const before = this.read(CLOCK_MONOTONIC);
      const real = this.read(CLOCK_REALTIME);
      const after = this.read(CLOCK_MONOTONIC);
      const width = Number(after - before);
      if (width >= best) continue;
      best = width;
      wall = real;
      zero = before + (after - before) / 2n;
    }
    this.startedUnixNs = wall;
    this.startedMonotonicNs = zero;
    this.seconds = Number(zero / 1_000_000_000n);
    this.nanoseconds = Number(zero % 1_000_000_000n);
  }

  private read(clock: number): bigint {
    this.kernel.call(NR.clock_gettime, clock, this.time.address);
    return BigInt(this.time.word(0)) * 1_000_000_000n + BigInt(this.time.word(8));
  }

  /** Nanoseconds since the recording began. */
  now(): number {
    this.kernel.call(NR.clock_gettime, CLOCK_MONOTONIC, this.time.address);
    return (this.time.word(0) - this.seconds) * 1e9 + (this.time.word(8) - this.nanoseconds);
  }
}

let scratch: Block | undefined;

/** CLOCK_MONOTONIC as it is, nanoseconds since boot; exact below 2^53, which is 104 days of uptime, then to a microsecond. */
export function monotonicNs(): number {
  scratch ??= new Block(16);
  openKernel().call(NR.clock_gettime, CLOCK_MONOTONIC, scratch.address);
  return scratch.word(0) * 1e9 + scratch.word(8);
}

/** Seconds that the wall clock here is ahead of UTC at that time, from libc: asking the runtime takes 5 ms. */
export function secondsAheadOfUtc(unixSeconds: number): number {
  const kernel = openKernel();
  const block = new Block(96);
  const tm = 16;
  const gmtOffset = 40;
  block.setWord(0, unixSeconds);
  if (kernel.localtime(block.at(0), block.at(tm)) === 0) return 0;
  return block.i32[(tm + gmtOffset) >> 2]!;
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread. */
export function sleepMs(ms: number): void {
  Atomics.wait(pause, 0, 0, ms);
}
