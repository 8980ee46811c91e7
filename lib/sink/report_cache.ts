// Reports that a sink did not take, until it does: one JSON object per line in a file that all tk of a user share, changed
// under a lock. A report that is on its way is leased, so that two tk do not send it twice and a killed one does not lose
// it. Bounded: the oldest go first, and they are counted. It never reads a file that belongs to somebody else.
//
//   {"$id":"…","$time":1709667322781,"$operation":"exec","$topic":"report","$sinks":["collector"],"$message":"{…}"}
//
// `$message`, `$topic` and `$sinks` are the original's, which could read it.
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { constants, fstat, mkdir, open, read, rename, stat, unlink, write } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { openLocked, type LockedFile } from "../host/file_lock.ts";
import { errorCode, errorWords } from "../host/out.ts";
import { describeKept, parseKept, type Kept } from "./kept_report.ts";
import { append, closeFd } from "./file_write.ts";
import type { SinkWorld } from "./sink.ts";

const fstatAsync = promisify(fstat);
const mkdirAsync = promisify(mkdir);
const openAsync = promisify(open);
const renameAsync = promisify(rename);
const statAsync = promisify(stat);
const unlinkAsync = promisify(unlink);

/** How many kept reports one delivery takes along at most, and how much text. */
export const CLAIM_COUNT = 64;
const CLAIM_BYTES = 1 << 20;
/** Longer than any delivery takes; then whoever had it is dead. */
const LEASE_MS = 120_000;
/** A report that a receiver has called unfit so often is dropped. */
const REFUSALS = 3;

/** Reports that wait for one sink and topic, oldest first. */
export interface Claim {
  readonly ids: ReadonlySet<string>;
  /** JSON of each report object. */
  readonly messages: readonly string[];
}

const NOTHING: Claim = { ids: new Set(), messages: [] };

export interface CacheOptions {
  readonly path: string;
  readonly lockTimeoutMs: number;
  /** When the file would be longer, the oldest quarter goes. */
  readonly maxBytes: number;
  readonly tell: SinkWorld["tell"];
}

export class ReportCache {
  readonly path: string;
  /** Reports dropped because there was no room or because they were refused for good. */
  dropped = 0;
  private readonly options: CacheOptions;
  private lockTimeoutMs: number;
  private hasToldFull = false;
  private hasToldBroken = false;
  /** What the file was when nothing in it waited for a sink and topic. */
  private readonly lookedAt = new Map<string, string>();

  constructor(options: CacheOptions) {
    this.options = options;
    this.path = options.path;
    this.lockTimeoutMs = options.lockTimeoutMs;
  }

  /** tk ends: no long waiting any more. */
  hurry(): void {
    this.lockTimeoutMs = Math.min(this.lockTimeoutMs, 2000);
  }

  /** Keeps a report; its id, or undefined when that was not possible, which is told once. */
  async add(report: Omit<Kept, "id" | "time" | "leases" | "refusals">): Promise<string | undefined> {
    const id = randomBytes(8).toString("hex");
    const line = describeKept({ ...report, id, time: Date.now(), leases: {}, refusals: {} });
    const bytes = new TextEncoder().encode(`${line}\n`);
    try {
      if (bytes.length > this.options.maxBytes) throw new Error("the report is longer than the cache may be");
      await mkdirAsync(dirname(this.path), { recursive: true, mode: 0o700 });
      await this.locked(constants.O_CREAT, async (file, size) => {
        if (size + bytes.length > this.options.maxBytes) await this.makeRoom(file, size, bytes.length, line);
        else await append(file.fd, bytes, true, true);
      });
      return id;
    } catch (error) {
      this.tellBroken("keep", error);
      return undefined;
    }
  }

  /** At most `count` of what waits for this sink and topic. Cheap when nothing does. Never rejects. */
  async claim(sink: string, topic: string, count = CLAIM_COUNT): Promise<Claim> {
    if (count === 0) return NOTHING;
    const key = `${sink}\n${topic}`;
    let state: string;
    try {
      const found = await statAsync(this.path);
      state = `${found.ino} ${found.size} ${found.mtimeMs}`;
      if (found.size === 0 || this.lookedAt.get(key) === state) return NOTHING;
    } catch {
      return NOTHING;
    }
    try {
      const claim = await this.locked(0, (file, size) => this.lease(file, size, sink, topic, count));
      if (claim.ids.size === 0) this.lookedAt.set(key, state);
      return claim;
    } catch (error) {
      if (errorCode(error) !== "ENOENT") this.tellBroken("read", error);
      return NOTHING;
    }
  }

  private async lease(file: LockedFile, size: number, sink: string, topic: string, count: number): Promise<Claim> {
    const now = Date.now();
    const kept = await this.readAll(file, size);
    const taken: Kept[] = [];
    let bytes = 0;
    for (const report of kept) {
      if (report.topic !== topic || !report.sinks.includes(sink)) continue;
      const lease = report.leases[sink] ?? 0;
      if (lease > now && lease <= now + LEASE_MS) continue;
      bytes += report.message.length;
      if (taken.length >= count || (taken.length > 0 && bytes > CLAIM_BYTES)) break;
      taken.push(report);
    }
    if (taken.length === 0) return NOTHING;
    const ids = new Set(taken.map((report) => report.id));
    await this.replace(
      kept.map((report) =>
        ids.has(report.id) ? { ...report, leases: { ...report.leases, [sink]: now + LEASE_MS } } : report,
      ),
    );
    return { ids, messages: taken.map((report) => report.message) };
  }

  /** The claimed reports have arrived, or must wait on, or were called unfit. Never rejects. */
  async settle(claim: Claim, sink: string, outcome: "delivered" | "failed" | "unfit"): Promise<void> {
    if (claim.ids.size === 0) return;
    await this.change((report) => {
      if (!claim.ids.has(report.id)) return report;
      const { [sink]: _, ...leases } = report.leases;
      const refused = (report.refusals[sink] ?? 0) + 1;
      if (outcome === "failed") return { ...report, leases };
      if (outcome === "unfit" && refused < REFUSALS)
        return { ...report, leases, refusals: { ...report.refusals, [sink]: refused } };
      if (outcome === "unfit") {
        this.dropped++;
        this.options.tell("warn", `sink '${sink}' has refused a kept report ${refused} times, so it was dropped`);
      }
      return withoutSink(report, sink);
    });
  }

  /** These need not be kept any longer for this sink, since newer ones are. Never rejects. */
  async forget(ids: ReadonlySet<string>, sink: string): Promise<void> {
    await this.change((report) => {
      if (!ids.has(report.id) || !report.sinks.includes(sink)) return report;
      this.dropped++;
      return withoutSink(report, sink);
    });
  }

  private async change(edit: (report: Kept) => Kept | undefined): Promise<void> {
    try {
      await this.locked(0, async (file, size) => {
        const kept = await this.readAll(file, size);
        await this.replace(kept.map(edit).filter((report) => report !== undefined));
      });
    } catch (error) {
      if (errorCode(error) !== "ENOENT") this.tellBroken("update", error);
    }
  }

  private async makeRoom(file: LockedFile, size: number, needed: number, line: string): Promise<void> {
    const lines = (await this.readAll(file, size)).map((report) => ({ report, text: describeKept(report) }));
    const room = Math.floor(this.options.maxBytes * 0.75) - needed;
    let total = 0;
    let first = lines.length;
    while (first > 0 && total + Buffer.byteLength(lines[first - 1]!.text) + 1 <= room)
      total += Buffer.byteLength(lines[--first]!.text) + 1;
    this.dropped += first;
    if (first > 0 && !this.hasToldFull)
      this.options.tell(
        "warn",
        `the report cache '${this.path}' is full: the oldest ${first === 1 ? "report was" : `${first} reports were`} dropped`,
      );
    this.hasToldFull ||= first > 0;
    await this.replaceText([...lines.slice(first).map((item) => item.text), line]);
  }

  /** Runs with the file opened, locked and ours; `size` is its length. */
  private async locked<T>(flags: number, use: (file: LockedFile, size: number) => Promise<T>): Promise<T> {
    const { O_APPEND, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;
    const all = flags | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_RDWR;
    const file = await openLocked(this.path, all, 0o600, this.lockTimeoutMs);
    try {
      const found = await fstatAsync(file.fd);
      if (!found.isFile() || found.uid !== process.geteuid?.()) throw new Error("it is not a file of this user");
      return await use(file, found.size);
    } finally {
      await file.close();
    }
  }

  private async readAll(file: LockedFile, size: number): Promise<Kept[]> {
    const kept: Kept[] = [];
    let line = 0;
    let bad = 0;
    let firstBad = 0;
    for (const text of (await readText(file.fd, size)).split("\n")) {
      line++;
      if (text.trim() === "") continue;
      const report = parseKept(text);
      if (report !== undefined) kept.push(report);
      else if (bad++ === 0) firstBad = line;
    }
    if (bad > 0)
      this.options.tell(
        "warn",
        `${this.path}:${firstBad}: expected a kept report; ${bad === 1 ? "the line is" : `${bad} such lines are`} left out`,
      );
    return kept;
  }

  private replace(kept: readonly Kept[]): Promise<void> {
    return this.replaceText(kept.map(describeKept));
  }

  /** A new file under the old name, while the old one is locked. */
  private async replaceText(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return unlinkAsync(this.path);
    const { O_CREAT, O_EXCL, O_WRONLY } = constants;
    // Always the same name: who has the lock is alone with it, and what a killed tk left there goes.
    const beside = `${this.path}.new`;
    await unlinkAsync(beside).catch(() => undefined);
    const fd = await openAsync(beside, O_CREAT | O_EXCL | O_WRONLY, 0o600);
    try {
      try {
        await writeText(fd, `${lines.join("\n")}\n`);
      } finally {
        await closeFd(fd);
      }
      await renameAsync(beside, this.path);
    } catch (error) {
      await unlinkAsync(beside).catch(() => undefined);
      throw error;
    }
  }

  private tellBroken(action: "keep" | "read" | "update", error: unknown): void {
    const what = action === "keep" ? "undelivered reports cannot be kept in" : `cannot ${action} the report cache`;
    this.options.tell(this.hasToldBroken ? "trace" : "warn", `${what} '${this.path}': ${errorWords(error)}`);
    this.hasToldBroken = true;
  }
}

function withoutSink(report: Kept, sink: string): Kept | undefined {
  const sinks = report.sinks.filter((name) => name !== sink);
  return sinks.length === 0 ? undefined : { ...report, sinks };
}

async function readText(fd: number, size: number): Promise<string> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let done = 0;
  while (done < size) {
    const n = await new Promise<number>((ok, fail) => {
      read(fd, bytes, done, size - done, done, (error, count) => (error ? fail(error) : ok(count)));
    });
    if (n === 0) break;
    done += n;
  }
  return bytes.toString("utf8", 0, done);
}

async function writeText(fd: number, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;)
    done += await new Promise<number>((ok, fail) => {
      write(fd, bytes, done, bytes.length - done, null, (error, count) => (error ? fail(error) : ok(count)));
    });
}
