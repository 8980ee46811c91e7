// The recorder's side of `--lines`: makes the run's directory and the command's environment, starts the collector, and puts what it
// sends into the recording. Looks at each Python and shell when it is exec'd, to say at the end which were not recorded and why.
import type { Inherited } from "../capture/launch/inherited.ts";
import type { HeldCommand } from "../capture/launch/start_held.ts";
import type { LineFeed, LinesTold } from "../capture/line_feed.ts";
import type { RecordingWriter } from "../format/recording_writer.ts";
import { monotonicNs, sleepMs } from "../host/clock.ts";
import { closeFile, readSmallFile } from "../host/descriptors.ts";
import { ERRNO, errnoText } from "../host/errno.ts";
import { openKernel } from "../host/kernel.ts";
import { Block } from "../host/memory.ts";
import { pipeAboveStandard } from "../host/pipes.ts";
import { executableName, readText, splitNul, statusField } from "../host/proc.ts";
import { NR } from "../host/syscalls.ts";
import { type LineChoice, valueOf, withRecorders } from "./environment.ts";
import { FRAME, FrameReader, type Message, MESSAGE_SIZE, putMessage } from "./frames.ts";
import { isInterpreter, reachOf } from "./reach.ts";
import { linkOwnBashEnv, makeRunDirectory, removeRunDirectory, type RunDirectory } from "./run_directory.ts";
import { startCollector } from "./start_collector.ts";
import { Unreached } from "./unreached.ts";

const F_SETFL = 4;
const F_SETPIPE_SZ = 1031;
const O_NONBLOCK = 0o4000;
/** Read at once before the tracer looks at its processes again. */
const MOST_AT_ONCE = 1 << 20;
/** After the end: so long without a sign of the collector's. */
const SILENCE_MS = 30_000;

const decoder = new TextDecoder();

export class CollectedLines implements LineFeed {
  private readonly choice: LineChoice;
  private readonly kernel = openKernel();
  private readonly data = new Block(1 << 16);
  private readonly message = new Block(MESSAGE_SIZE);
  private readonly frames = new FrameReader();
  private readonly unreached = new Unreached();
  private run: RunDirectory | undefined;
  private from = -1;
  private to = -1;
  /** Closed to wake the collector: there is nothing more to come. */
  private stop = -1;
  private done = false;
  private lost = 0;
  private owner = 0;
  private readonly sentences: string[] = [];

  constructor(choice: LineChoice) {
    this.choice = choice;
  }

  prepare(inherited: Inherited): readonly Uint8Array[] {
    this.run = makeRunDirectory();
    this.owner = this.kernel.call(NR.geteuid);
    linkOwnBashEnv(this.run, valueOf(inherited.environment, "BASH_ENV"));
    return withRecorders(inherited.environment, this.run, this.choice);
  }

  begin(command: HeldCommand, inherited: Inherited, zero: bigint): number {
    const { run } = this;
    if (run === undefined) return 0;
    const feed = pipeAboveStandard();
    const control = pipeAboveStandard();
    const stop = pipeAboveStandard();
    if (typeof feed === "number" || typeof control === "number" || typeof stop === "number")
      return this.refused(ERRNO.EMFILE);
    // The collector waits for room with ppoll, we never wait: neither end blocks.
    for (const end of [feed.readEnd, feed.writeEnd, control.readEnd, control.writeEnd])
      this.kernel.call(NR.fcntl, end, F_SETFL, O_NONBLOCK);
    for (const end of [feed.writeEnd, control.writeEnd]) this.kernel.call(NR.fcntl, end, F_SETPIPE_SZ, 1 << 20);
    const recorder = this.kernel.call(NR.getpid);
    const plan = {
      base: run.base,
      feed: feed.writeEnd,
      control: control.readEnd,
      stop: stop.readEnd,
      lock: run.lock,
      recorder,
      zero: String(zero),
    };
    const pid = startCollector(plan, inherited, [command.holdingEnd, feed.readEnd, control.writeEnd, stop.writeEnd]);
    closeFile(feed.writeEnd);
    closeFile(control.readEnd);
    closeFile(stop.readEnd);
    this.from = feed.readEnd;
    this.to = control.writeEnd;
    this.stop = stop.writeEnd;
    if (pid < 0) return this.refused(-pid);
    return pid;
  }

  private refused(errno: number): number {
    this.gaveUp(`lines are not recorded: the collector could not be started: ${errnoText(errno)}`);
    return 0;
  }

  /** Without a collector the recorders would fill the disk: they find their directory gone, and end. */
  private gaveUp(sentence: string): void {
    this.sentences.push(sentence);
    this.close();
    if (this.run !== undefined) removeRunDirectory(this.run.base);
    this.lost++;
  }

  executed(pid: number, timestamp: number): void {
    this.send({ what: "became", pid, at: timestamp });
    const program = executableName(pid);
    if (program === undefined || !isInterpreter(program) || this.run === undefined) return;
    const words = splitNul(readSmallFile(`/proc/${pid}/cmdline`) ?? new Uint8Array());
    const environment = splitNul(readSmallFile(`/proc/${pid}/environ`) ?? new Uint8Array());
    const uids = (statusField(readText(`/proc/${pid}/status`) ?? "", "Uid") ?? "").split(/\s+/).map(Number);
    const facts = {
      program,
      words: words.map((word) => decoder.decode(word)),
      environment,
      realUid: uids[0] ?? 0,
      effectiveUid: uids[1] ?? 0,
    };
    const reach = reachOf(facts, this.run, this.owner);
    if (reach !== undefined) this.unreached.started(pid, timestamp, reach);
  }

  ended(pid: number, timestamp: number): void {
    this.send({ what: "ended", pid, at: timestamp });
  }

  /** A collector that is far behind does without: it takes such a process for one that ended last. */
  private send(message: Message): void {
    if (this.to < 0) return;
    putMessage(this.message.bytes, message);
    this.kernel.call(NR.write, this.to, this.message.address, MESSAGE_SIZE);
  }

  take(writer: RecordingWriter, now: number): void {
    let taken = 0;
    while (this.from >= 0 && taken < MOST_AT_ONCE) {
      const n = this.kernel.call(NR.read, this.from, this.data.address, this.data.bytes.length);
      if (n === -ERRNO.EINTR) continue;
      if (n === -ERRNO.EAGAIN) return;
      if (n <= 0) return this.collectorEnded();
      taken += n;
      this.frames.push(this.data.bytes.subarray(0, n), (kind, payload) => this.frame(kind, payload, writer, now));
      if (this.frames.failed) return this.collectorEnded();
    }
  }

  private collectorEnded(): void {
    if (this.done) return this.close();
    this.gaveUp("the collector of lines ended too early: lines are missing");
  }

  private frame(kind: number, payload: Uint8Array, writer: RecordingWriter, now: number): void {
    if (kind === FRAME.line) return writer.numbered(payload);
    if (kind === FRAME.done) {
      this.done = true;
      return;
    }
    const text = decoder.decode(payload);
    const [, pid, rest] = /^(\d+) ([^]*)$/.exec(text) ?? [];
    if (pid === undefined || rest === undefined) return;
    if (kind === FRAME.reached) this.unreached.reached(Number(pid), Number(rest));
    else if (kind === FRAME.note) this.unreached.note(Number(pid), rest);
    else if (kind === FRAME.lost) {
      const [, count, reason] = /^(\d+) ([^]*)$/.exec(rest) ?? [];
      // How many, nobody knows: it is one thing at least.
      this.lostLines(writer, now, Math.max(1, Number(count ?? 1)), Number(pid), reason ?? rest);
    }
  }

  private lostLines(writer: RecordingWriter, now: number, count: number, pid: number, reason: string): void {
    this.lost += count;
    writer.lost(now, count, pid > 0 ? `lines of pid ${pid}: ${reason}` : `lines: ${reason}`);
  }

  end(writer: RecordingWriter, now: number, afterEach: () => void, impatient: () => boolean): LinesTold {
    this.finishCollector(now);
    let silent = monotonicNs();
    while (this.from >= 0) {
      const before = writer.seq;
      this.take(writer, now);
      afterEach();
      if (this.done || this.from < 0) break;
      if (writer.seq !== before) silent = monotonicNs();
      else if (impatient() || monotonicNs() - silent > SILENCE_MS * 1e6) {
        this.gaveUp("the collector of lines was not waited for: lines are missing");
        break;
      } else sleepMs(2);
    }
    this.close();
    if (!this.done && this.run !== undefined) {
      removeRunDirectory(this.run.base);
      writer.lost(now, 1, this.sentences.at(-1) ?? "the collector of lines ended too early");
    }
    if (this.run !== undefined) closeFile(this.run.lock);
    return { lost: this.lost, sentences: [...this.sentences, ...this.unreached.tell(writer, now)] };
  }

  private finishCollector(now: number): void {
    if (this.to < 0) return;
    putMessage(this.message.bytes, { what: "finish", at: now });
    for (let tries = 0; tries < 2500; tries++) {
      const n = this.kernel.call(NR.write, this.to, this.message.address, MESSAGE_SIZE);
      if (n !== -ERRNO.EAGAIN && n !== -ERRNO.EINTR) break;
      sleepMs(2);
    }
    closeFile(this.to);
    closeFile(this.stop);
    this.to = this.stop = -1;
  }

  cancel(): void {
    this.close();
    if (this.run === undefined) return;
    removeRunDirectory(this.run.base);
    closeFile(this.run.lock);
    this.run = undefined;
  }

  private close(): void {
    for (const fd of [this.from, this.to, this.stop]) if (fd >= 0) closeFile(fd);
    this.from = this.to = this.stop = -1;
  }
}
