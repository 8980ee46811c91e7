// The process beside `tk record --lines`: it reads what the programs' recorders write, sends it to the recorder as lines of the
// recording, and removes the run's private directory at the end, also when the recorder was killed.
import { Clock } from "../host/clock.ts";
import { PipeReader } from "../host/pipes.ts";
import { setDisposition, SIG } from "../host/signals.ts";
import { RecorderFeed } from "./feed_writer.ts";
import { MESSAGE_SIZE, readMessage } from "./frames.ts";
import { rawOf, removeRunDirectory, spaceLeft } from "./run_directory.ts";
import { RunReader } from "./run_reader.ts";
import type { CollectorPlan } from "./start_collector.ts";

/** Between two looks at the directory; longer when a look takes long. */
const LOOK_MS = 100;
const BUSY_SHARE = 5;
/** How far the recording is behind for those who follow it. */
const SHOW_MS = 2000;
/** With less room than this, Bash loses what it writes without telling anybody. */
const NO_ROOM = 1 << 20;
/** Clocks of different processors are read at different moments. */
const FUTURE_NS = 1e9;

export function collect(plan: CollectorPlan): void {
  // Only the recorder says when it is over.
  for (const s of [SIG.INT, SIG.TERM, SIG.HUP, SIG.QUIT, SIG.PIPE]) setDisposition(s, "ignore");
  const raw = rawOf(plan.base);
  const clock = new Clock();
  const zero = BigInt(plan.zero);
  const now = () => clock.now() + Number(clock.startedMonotonicNs - zero);
  const feed = new RecorderFeed(plan.feed, plan.recorder);
  const reader = new RunReader({
    directory: raw,
    sink: feed,
    zero,
    wallZero: () => {
      const at = new Clock();
      return at.startedUnixNs - (at.startedMonotonicNs - zero);
    },
    consumes: true,
    latest: () => now() + FUTURE_NS,
  });
  const control = new ControlReader(plan, reader);
  let shown = performance.now();
  let toldSpace = false;
  let pause = LOOK_MS;
  while (control.finishedAt === undefined && !control.ended && !feed.closed) {
    control.wait(pause);
    if (control.finishedAt !== undefined) break;
    const before = performance.now();
    reader.scan();
    const space = spaceLeft(raw);
    if (!toldSpace && space !== undefined && space < NO_ROOM) {
      toldSpace = true;
      feed.lost(0, 0, `the disk of ${plan.base} was full: lines of Bash may be missing`);
    }
    const after = performance.now();
    if (after - shown > SHOW_MS) {
      reader.flush();
      shown = after;
    }
    pause = Math.max(LOOK_MS, (after - before) * BUSY_SHARE);
  }
  if (control.finishedAt !== undefined) reader.finish(control.finishedAt);
  removeRunDirectory(plan.base);
  feed.done();
}

/**
 * What the recorder tells. Its messages wake nobody: with one for each exec and exit, a script that starts many commands would share its
 * processor with us. They are read before each look; only the end, which closes the other pipe, is waited for.
 */
class ControlReader {
  /** Nothing more is recorded since then. */
  finishedAt: number | undefined;
  private readonly messages: PipeReader;
  private readonly stop: PipeReader;
  private readonly reader: RunReader;
  private rest = new Uint8Array();

  constructor(plan: CollectorPlan, reader: RunReader) {
    this.messages = new PipeReader(plan.control);
    this.stop = new PipeReader(plan.stop);
    this.reader = reader;
  }

  /** The recorder has gone. */
  get ended(): boolean {
    return this.stop.ended;
  }

  /** Waits until the recorder is done, but not for longer than this, and takes what it has said. */
  wait(ms: number): void {
    this.stop.read(ms);
    for (let bytes = this.messages.read(0); bytes.length > 0; bytes = this.messages.read(0)) this.take(bytes);
  }

  private take(bytes: Uint8Array): void {
    let all = bytes;
    if (this.rest.length > 0) {
      all = new Uint8Array(this.rest.length + bytes.length);
      all.set(this.rest);
      all.set(bytes, this.rest.length);
    }
    let at = 0;
    for (; at + MESSAGE_SIZE <= all.length; at += MESSAGE_SIZE) {
      const message = readMessage(all, at);
      if (message.what === "finish") this.finishedAt = message.at;
      else if (message.what === "ended") this.reader.processEnded(message.pid, message.at);
      else this.reader.processBecame(message.pid, message.at);
    }
    this.rest = all.slice(at);
  }
}
