// The reporter's end of `tk record --report`: reports go down a pipe to the recorder, which is woken by SIGURG because it
// waits for the command's processes and not for us. It never waits long: the recorder may be gone.
import { jsonText } from "../base/json_value.ts";
import { ERRNO } from "../host/errno.ts";
import { openKernel } from "../host/kernel.ts";
import { Block } from "../host/memory.ts";
import { SIG } from "../host/signals.ts";
import { NR } from "../host/syscalls.ts";
import type { Line, ReportOutput } from "./output.ts";

/** The recorder takes what is there whenever it is woken; a pipe that stays full means that it does not. */
const FULL_MS = 2000;
const STEP_MS = 50;
const POLLOUT = 4;

const encoder = new TextEncoder();

export class FeedWriter implements ReportOutput {
  readonly isRecording = false;
  private readonly kernel = openKernel();
  private readonly fd: number;
  private readonly recorder: number;

  /** `fd` is in non-blocking mode. */
  constructor(fd: number, recorder: number) {
    this.fd = fd;
    this.recorder = recorder;
  }

  begin(): number {
    return 0;
  }

  end(): number {
    return 0;
  }

  write({ monotonicNs, pid, operation, report }: Line): number {
    const line = `{"at":${Math.round(monotonicNs)},"pid":${pid},"operation":"${operation}","report":${jsonText(report)}}\n`;
    const errno = this.writeAll(encoder.encode(line));
    if (errno === 0) this.wake();
    return errno;
  }

  private wake(): void {
    this.kernel.call(NR.kill, this.recorder, SIG.URG);
  }

  private writeAll(bytes: Uint8Array): number {
    const block = new Block(bytes.length + 64);
    const poll = block.reserve(32);
    const text = block.reserve(bytes.length);
    block.bytes.set(bytes, text);
    block.setWord(poll + 24, STEP_MS * 1e6);
    let full = 0;
    for (let at = 0; at < bytes.length;) {
      const n = this.kernel.call(NR.write, this.fd, block.at(text + at), bytes.length - at);
      if (n > 0) {
        at += n;
        full = 0;
      } else if (n === -ERRNO.EAGAIN) {
        if ((full += STEP_MS) > FULL_MS) return ERRNO.EAGAIN;
        this.wake();
        block.i32[poll >> 2] = this.fd;
        block.i32[(poll >> 2) + 1] = POLLOUT;
        this.kernel.call(NR.ppoll, block.at(poll), 1, block.at(poll + 16), 0, 8);
      } else if (n !== -ERRNO.EINTR) return n === 0 ? ERRNO.EIO : -n;
    }
    return 0;
  }
}
