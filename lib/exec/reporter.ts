// The reporter: looks at the program that it was told about, reports once and then on every beat until the program ends,
// and once more then. It does nothing to the program, waits in the kernel when there is nothing to do, keeps its times
// whatever a delivery takes, and is gone soon after the program.
import type { LogLevel, Operation, Settings } from "../config/settings.ts";
import { monotonicNs } from "../host/clock.ts";
import { closeFile, latin1, O_RDWR, openFile, readLink } from "../host/descriptors.ts";
import { errnoText } from "../host/errno.ts";
import { openKernel } from "../host/kernel.ts";
import { NR } from "../host/syscalls.ts";
import { setDisposition, SIG, SignalDesk } from "../host/signals.ts";
import { ProgramArtifact } from "../report/artifact_of.ts";
import { buildReport, randomId } from "../report/build.ts";
import { collectFacts, OF_THE_MACHINE, withEarlier } from "../report/facts/collect.ts";
import type { FactName, Facts } from "../report/facts/facts.ts";
import type { ReportContext } from "../report/key.ts";
import type { RunIdentity } from "../report/run.ts";
import { factsOf } from "../report/template.ts";
import type { SinkSet } from "../sink/sink.ts";
import { Beats } from "./beats.ts";
import { LookedAt } from "./early_look.ts";
import { FeedWriter } from "./feed_writer.ts";
import { OutputWriter, type Output, type ReportOutput } from "./output.ts";
import type { Told } from "./plan.ts";
import { COMMAND_TOPIC, planReports, type PlannedReport } from "./reports.ts";
import { stayUntilEnd } from "./stay.ts";
import { Watch } from "./watch.ts";

export interface ReporterOptions {
  readonly told: Told;
  readonly settings: Settings;
  readonly sinks: SinkSet;
  /** Whether a terminal report has somewhere to go. */
  readonly toTerminal: boolean;
  readonly tell: (level: LogLevel, message: string) => void;
  /** What has been told so far at the level that reports show, one sentence each; emptied by whoever reports it. */
  readonly errors: string[];
}

/** Asked to end while the program lives: so long it waits for the program's end, which is then often near. */
const GRACE_MS = 5000;
/** What the consoles get to take the last report before their pipes are let go. */
const LAST_WORDS_MS = 1000;
const LONGEST_WAIT_MS = 3_600_000;
/** While deliveries are under way the program is looked after this often. */
const GLANCE_MS = 10;
const LONGEST_GLANCE_MS = 200;

const nowMs = () => monotonicNs() / 1e6;
const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

function outputFor(output: Output, toolPid: number): ReportOutput {
  return output.format === "feed" ? new FeedWriter(output.fd, toolPid) : new OutputWriter(output);
}

export class Reporter {
  private readonly options: ReporterOptions;
  private readonly run_: RunIdentity;
  private readonly pid: number;
  private readonly looked: LookedAt;
  private readonly watch: Watch;
  private readonly artifact = new ProgramArtifact();
  private readonly output: ReportOutput | undefined;
  private readonly desk = new SignalDesk();
  private readonly startTime: number | undefined;
  private readonly pending = new Set<Promise<unknown>>();
  private outputErrno = 0;
  private previous: Facts | undefined;
  private askedToEndAt = Infinity;

  constructor(options: ReporterOptions) {
    this.options = options;
    const { plan, environment, answers } = options.told;
    this.run_ = { ...plan.run, environment };
    this.pid = plan.programPid;
    this.looked = new LookedAt(this.pid, answers, plan.look);
    this.startTime = this.early(new Set<FactName>(["stat"])).stat?.startTime;
    this.watch = new Watch(this.pid, plan.handle, this.startTime);
    this.output = plan.output === undefined ? undefined : outputFor(plan.output, plan.run.toolPid);
    for (const s of [SIG.HUP, SIG.INT, SIG.QUIT, SIG.TSTP, SIG.TTIN, SIG.TTOU, SIG.PIPE, SIG.XFSZ])
      setDisposition(s, "ignore");
    this.desk.note(SIG.TERM);
  }

  async run(): Promise<void> {
    const { settings } = this.options;
    const { initialSleepTimeMs, heartbeat } = settings.exec;
    const first = this.options.told.plan.skipsFirst === true ? [] : this.plan("exec");
    const began = this.looked.monotonicNs / 1e6;
    this.beginRecording();
    await this.waitUntil(began + initialSleepTimeMs);
    const firstMs = nowMs();
    if (first.length > 0)
      await this.report("exec", first, this.firstFacts(factsOf(...first.map((r) => r.keys))), undefined);
    if (heartbeat.run) await this.beat(new Beats(firstMs, heartbeat.rateMs), heartbeat.rlimitBytes);
    await this.endRecording();
    await this.finish();
  }

  private beginRecording(): void {
    if (this.output?.isRecording !== true) return;
    const { stat, cmdline, cwd } = this.early(new Set<FactName>(["stat", "cmdline", "cwd"]));
    const { plan } = this.options.told;
    const encoder = new TextEncoder();
    const errno = this.output.begin({
      pid: this.pid,
      monotonicNs: this.looked.monotonicNs,
      filename: encoder.encode(plan.run.commandPath ?? ""),
      args: cmdline ?? (plan.output?.header?.command ?? []).map((word) => encoder.encode(word)),
      cwd,
      stat,
    });
    this.outputFailed(errno);
  }

  private async endRecording(): Promise<void> {
    if (this.output?.isRecording !== true) return;
    await this.waitUntil(Infinity);
    if (!this.watch.ended) return;
    const last = this.collect(new Set<FactName>(["stat"]));
    this.outputFailed(this.output.end(monotonicNs(), last.stat));
  }

  /** Templates were looked up before the program was started, with the same settings. */
  private plan(operation: Operation): readonly PlannedReport[] {
    const { settings, sinks, toTerminal } = this.options;
    const reports = planReports(settings, operation, toTerminal).unwrapOr([]);
    return reports.filter(
      ({ topic }) => sinks.listens(topic) || (topic === COMMAND_TOPIC && this.output !== undefined),
    );
  }

  private async beat(beats: Beats, limit: number): Promise<void> {
    const reports = this.plan("heartbeat");
    if (reports.length === 0) return;
    const facts = factsOf(...reports.map((r) => r.keys));
    for (let count = 1; ; count++) {
      await this.waitUntil(beats.dueMs);
      if (this.isLeaving()) return;
      await this.report("heartbeat", reports, this.collect(facts), count);
      if (this.watch.ended) return;
      beats.made(nowMs());
      if (this.isTooLarge(limit)) return;
    }
  }

  private isTooLarge(limit: number): boolean {
    const used = limit > 0 ? process.memoryUsage.rss() : 0;
    if (used <= limit) return false;
    this.options.tell(
      "error",
      `no more heartbeats: the reporter uses ${used} bytes of memory, and exec.heartbeat.rlimit allows ${limit}`,
    );
    return true;
  }

  /** The program's end, the time, or a request to end, whichever comes first. */
  private async waitUntil(dueMs: number): Promise<void> {
    for (let glance = GLANCE_MS; ; glance = Math.min(glance * 1.5, LONGEST_GLANCE_MS)) {
      const rest = Math.min(dueMs, this.askedToEndAt) - nowMs();
      if (rest <= 0 || this.watch.ended) return;
      // Blocking costs nothing; but deliveries need the event loop.
      if (this.pending.size > 0) await sleep(Math.min(glance, rest));
      else this.watch.wait(Math.min(rest, LONGEST_WAIT_MS));
      if (this.desk.took(SIG.TERM)) this.askedToEndAt = Math.min(this.askedToEndAt, nowMs() + GRACE_MS);
    }
  }

  private isLeaving(): boolean {
    return nowMs() >= this.askedToEndAt && !this.watch.ended;
  }

  /** Who started the program is asked here, because nobody knows it once the program has gone. */
  private early(facts: ReadonlySet<FactName>): Facts {
    const ofProgram = [...facts].filter((name) => name === "ancestors" || !OF_THE_MACHINE.has(name));
    const found = collectFacts({ pid: this.pid, facts: new Set(ofProgram), files: this.looked });
    return { ...found, unixMs: this.looked.unixMs, monotonicNs: this.looked.monotonicNs };
  }

  private collect(facts: ReadonlySet<FactName>): Facts {
    const { toolPid } = this.run_;
    return collectFacts({ pid: this.pid, facts, toolPid, startTime: this.startTime });
  }

  private firstFacts(facts: ReadonlySet<FactName>): Facts {
    const now = this.collect(facts);
    return this.looked.found ? withEarlier(now, this.early(facts)) : now;
  }

  private async report(
    operation: Operation,
    reports: readonly PlannedReport[],
    facts: Facts,
    heartbeatCount: number | undefined,
  ): Promise<void> {
    const { settings, errors } = this.options;
    const wantsHash = reports.some(({ keys }) => keys.shows("_CURRENT_HASH"));
    const artifact = await this.artifact.inspect(facts, this.run_.commandPath, wantsHash);
    const context: ReportContext = {
      operation,
      run: this.run_,
      facts,
      actionId: randomId(),
      artifact,
      heartbeatCount,
      previous: this.previous,
      errors: errors.splice(0),
      settings,
    };
    this.previous = facts;
    for (const planned of reports) this.send(operation, planned, context);
  }

  private send(operation: Operation, { topic, keys, custom }: PlannedReport, context: ReportContext): void {
    const report = buildReport(context, keys, custom);
    const { sinks } = this.options;
    if (sinks.listens(topic)) {
      const delivery: Promise<unknown> = sinks
        .publish(topic, operation, report)
        .finally(() => this.pending.delete(delivery));
      this.pending.add(delivery);
    }
    if (topic !== COMMAND_TOPIC || this.output === undefined) return;
    const { monotonicNs: at } = context.facts;
    this.outputFailed(this.output.write({ operation, pid: this.pid, monotonicNs: at, report }));
  }

  private outputFailed(errno: number): void {
    if (errno === 0 || errno === this.outputErrno) return;
    this.outputErrno = errno;
    const path = this.options.told.plan.output?.path ?? "";
    this.options.tell("error", `Cannot write the report to '${path}': ${errnoText(errno)}`);
  }

  private async finish(): Promise<void> {
    const { sinks, told } = this.options;
    const last = nowMs() + LAST_WORDS_MS;
    while (this.pending.size > 0 && nowMs() < last) await sleep(Math.min(GLANCE_MS, last - nowMs()));
    if (!told.plan.asParent) letConsolesGo();
    await sinks.close();
    this.desk.close();
    const { adopted, asParent, handle } = told.plan;
    if (adopted && !asParent && handle !== undefined && !this.watch.ended) stayUntilEnd(handle);
  }
}

/** Whoever reads what the program writes to a pipe waits until all that have it open have closed it. */
function letConsolesGo(): void {
  const nothing = openFile("/dev/null", O_RDWR);
  if (nothing < 0) return;
  for (const fd of [1, 2]) {
    const target = readLink(`/proc/self/fd/${fd}`);
    if (target !== undefined && /^(pipe|socket):/.test(latin1(target))) openKernel().call(NR.dup3, nothing, fd, 0);
  }
  closeFile(nothing);
}
