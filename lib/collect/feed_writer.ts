// The collector's end of the pipe to the recorder, which waits for the command's processes and not for us: SIGURG wakes it. Waits as long
// as the recorder lives; it may be stopped together with the command.
import { writeLineBlock, writeSource } from "../format/line_writer.ts";
import { JsonBytes } from "../base/json_bytes.ts";
import { blockCodec, checksum } from "../host/block_codec.ts";
import { ERRNO } from "../host/errno.ts";
import { openKernel } from "../host/kernel.ts";
import { Block } from "../host/memory.ts";
import { SIG } from "../host/signals.ts";
import { NR } from "../host/syscalls.ts";
import type { BuiltBlock } from "../lines/block_builder.ts";
import { ABSENT } from "../model/ids.ts";
import { encodeFrame, FRAME } from "./frames.ts";
import type { CollectedSource, LineSink, StreamInfo } from "./line_sink.ts";

const POLLOUT = 4;
const STEP_MS = 20;
const PIECE = 1 << 18;
/** Sentences of one kind that are passed on. */
const MOST_PROBLEMS = 20;

const encoder = new TextEncoder();

export class RecorderFeed implements LineSink {
  /** The recorder has gone: nothing can be told any more. */
  closed = false;
  private readonly kernel = openKernel();
  private readonly fd: number;
  private readonly recorder: number;
  private readonly data = new Block(PIECE);
  private readonly poll = new Block(64);
  private readonly json = new JsonBytes(1 << 18);
  private problems = 0;

  /** `fd` is in non-blocking mode. */
  constructor(fd: number, recorder: number) {
    this.fd = fd;
    this.recorder = recorder;
  }

  source(source: CollectedSource): void {
    this.json.clear();
    writeSource(this.json, { seq: ABSENT, ...source });
    this.send(FRAME.line, this.json.view());
  }

  block(info: StreamInfo, block: BuiltBlock): void {
    const head = blockCodec.compress(block.head);
    const data = blockCodec.compress(block.data);
    this.json.clear();
    writeLineBlock(this.json, {
      seq: ABSENT,
      timestamp: Math.max(0, Math.round(block.start)),
      end: Math.max(0, Math.round(block.end)),
      ...info,
      block: block.block,
      events: block.events,
      minDepth: block.minDepth,
      codec: blockCodec.name,
      headCrc: checksum(head),
      dataCrc: checksum(data),
      head,
      data,
    });
    this.send(FRAME.line, this.json.view());
  }

  lost(pid: number, count: number, reason: string): void {
    this.sendText(FRAME.lost, `${pid} ${count} ${reason}`);
  }

  note(pid: number, sentence: string): void {
    this.sendText(FRAME.note, `${pid} ${sentence}`);
  }

  reached(pid: number, at: number): void {
    this.sendText(FRAME.reached, `${pid} ${at}`);
  }

  problem(file: string, message: string): void {
    if (++this.problems <= MOST_PROBLEMS) this.note(0, `${file}: ${message}`);
  }

  done(): void {
    this.send(FRAME.done, new Uint8Array());
  }

  private sendText(kind: number, text: string): void {
    this.send(kind, encoder.encode(text));
  }

  private send(kind: number, payload: Uint8Array): void {
    const frame = encodeFrame(kind, payload);
    for (let at = 0; at < frame.length && !this.closed;) {
      const n = Math.min(PIECE, frame.length - at);
      this.data.bytes.set(frame.subarray(at, at + n));
      at += this.write(n);
    }
    this.wake();
  }

  /** Writes some of the first `length` bytes of the block: how many. */
  private write(length: number): number {
    while (!this.closed) {
      const n = this.kernel.call(NR.write, this.fd, this.data.address, length);
      if (n > 0) return n;
      if (n === -ERRNO.EAGAIN) this.waitForRoom();
      else if (n !== -ERRNO.EINTR) this.closed = true;
    }
    return length;
  }

  private waitForRoom(): void {
    this.wake();
    const { i32 } = this.poll;
    i32[0] = this.fd;
    i32[1] = POLLOUT;
    this.poll.setWord(16, 0);
    this.poll.setWord(24, STEP_MS * 1e6);
    this.kernel.call(NR.ppoll, this.poll.address, 1, this.poll.at(16), 0, 8);
  }

  private wake(): void {
    if (!this.closed) this.kernel.call(NR.kill, this.recorder, SIG.URG);
  }
}
