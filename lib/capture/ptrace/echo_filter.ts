// A signal that was sent to tk is handed on to the command. The command must see it as if it had been sent to it: from
// its real sender, and once, even when it was sent to the whole process group and so reaches the command on both ways.
import { openKernel } from "../../host/kernel.ts";
import { Block } from "../../host/memory.ts";
import { SIG, SIGINFO_SIZE, type Sender, type SignalDesk } from "../../host/signals.ts";
import { NR } from "../../host/syscalls.ts";
import { PTRACE } from "./request.ts";

/** What is handed on: everything that people and programs send to a command to tell it something. */
export const FORWARDED: readonly number[] = [
  SIG.HUP,
  SIG.INT,
  SIG.QUIT,
  SIG.USR1,
  SIG.USR2,
  SIG.ALRM,
  SIG.TERM,
  SIG.TSTP,
];

/** Both ways of one signal meet within this time. */
const WINDOW_NS = 100e6;

interface Seen {
  at: number;
  pid: number;
  /** It came by way of tk. */
  handedOn: boolean;
}

export class EchoFilter {
  private readonly kernel = openKernel();
  private readonly desk: SignalDesk;
  private readonly own: number;
  private readonly info = new Block(128);
  private readonly last = new Map<number, Seen>();

  constructor(desk: SignalDesk) {
    this.desk = desk;
    this.own = this.kernel.call(NR.getpid);
  }

  /** The machine code has handed on what came; its notes are of no further use. */
  forget(): void {
    for (const s of FORWARDED) this.desk.took(s);
  }

  /** The command is about to get a signal: which one it is to get (0 for none). */
  deliver(tid: number, signal: number, now: number): number {
    if (!FORWARDED.includes(signal)) return signal;
    const sender = this.readSender(tid);
    if (sender === undefined) return signal;
    const handedOn = sender.code === 0 && sender.pid === this.own;
    if (handedOn) this.restoreSender(tid, signal);
    const from = handedOn ? this.desk.sender(signal).pid : sender.pid;
    const before = this.last.get(signal);
    if (before !== undefined && before.handedOn !== handedOn && before.pid === from && now - before.at < WINDOW_NS) {
      this.last.delete(signal);
      return 0;
    }
    this.last.set(signal, { at: now, pid: from, handedOn });
    return signal;
  }

  private readSender(tid: number): Sender | undefined {
    if (this.kernel.call(NR.ptrace, PTRACE.GETSIGINFO, tid, 0, this.info.address) !== 0) return undefined;
    const { i32 } = this.info;
    return { code: i32[2]!, pid: i32[4]!, uid: i32[5]! };
  }

  /** The siginfo that tk got takes the place of the one that says "from tk". */
  private restoreSender(tid: number, signal: number): void {
    const original = this.desk.siginfo(signal);
    if (original.length !== SIGINFO_SIZE) return;
    this.info.bytes.set(original, 0);
    this.kernel.call(NR.ptrace, PTRACE.SETSIGINFO, tid, 0, this.info.address);
  }
}
