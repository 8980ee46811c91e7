// Writes the native recording format: one JSON object per line, tagged, straight into bytes (docs/format.md).
// The recorder calls it for every event, so it allocates nothing: numbers and byte ranges in, a growing buffer out,
// which the caller writes to its file and clears.
import { encodeBase64 } from "../base/base64.ts";
import { JsonBytes } from "../base/json_bytes.ts";
import { jsonText, type JsonObject } from "../base/json_value.ts";
import { ABSENT } from "../model/ids.ts";
import type { RecordingHeader } from "../model/recording.ts";

export const FORMAT_VERSION = 1;

const encoder = new TextEncoder();
const BRACE = 123;

/** What wait4(2) says about a process that has ended, times in nanoseconds; ABSENT where unknown. */
export interface ExitUsage {
  utime_ns: number;
  stime_ns: number;
  max_rss_kb: number;
}

export class RecordingWriter {
  /** What has been written since the last `out.clear()`; always whole lines between calls. */
  readonly out: JsonBytes;
  /** Number of the next event. */
  seq = 0;
  private inexact: { index: number; bytes: Uint8Array }[] = [];
  private argIndex = 0;

  constructor(out = new JsonBytes(1 << 17)) {
    this.out = out;
  }

  header(header: RecordingHeader): void {
    this.out.raw('{"Recording":');
    this.out.value(header);
    this.out.raw("}\n");
  }

  private begin(tag: string, timestamp: number): void {
    const o = this.out;
    o.raw('{"');
    o.raw(tag);
    o.raw('":{"seq":');
    o.int(this.seq++);
    o.raw(',"timestamp":');
    o.int(timestamp);
  }

  private who(pid: number, ppid: number, pgid: number): void {
    const o = this.out;
    o.raw(',"pid":');
    o.int(pid);
    this.number("ppid", ppid);
    this.number("pgid", pgid);
  }

  private number(key: string, value: number): void {
    if (value === ABSENT) return;
    const o = this.out;
    o.raw(',"');
    o.raw(key);
    o.raw('":');
    o.int(value);
  }

  fork(timestamp: number, parent: number, child: number, parentPgid: number): void {
    this.begin("Fork", timestamp);
    const o = this.out;
    o.raw(',"parent_pid":');
    o.int(parent);
    o.raw(',"child_pid":');
    o.int(child);
    this.number("parent_pgid", parentPgid);
    o.raw("}}\n");
  }

  /** Begins an exec; follow with `filename`, `beginArgs`, `arg`..., `endArgs`, optionally `cwd`, then `finish`. */
  beginExec(timestamp: number, pid: number, ppid: number, pgid: number, sid: number): void {
    this.begin("ExecFull", timestamp);
    this.who(pid, ppid, pgid);
    this.number("sid", sid);
  }

  /** Begins a failed exec; parts and end as for `beginExec`, all of them optional. */
  beginBadExec(timestamp: number, pid: number, errno: number, error: string): void {
    this.begin("BadExec", timestamp);
    this.who(pid, ABSENT, ABSENT);
    this.number("errno", errno);
    if (error !== "") {
      this.out.raw(',"error":');
      this.out.text(error);
    }
  }

  /** A field of text whose exact bytes follow in `<key>_b64` when they are not UTF-8. */
  private textField(key: string, b: Uint8Array, from: number, to: number): void {
    const o = this.out;
    o.raw(',"');
    o.raw(key);
    o.raw('":');
    if (o.utf8(b, from, to)) return;
    o.raw(',"');
    o.raw(key);
    o.raw('_b64":"');
    o.raw(encodeBase64(b.subarray(from, to)));
    o.raw('"');
  }

  filename(b: Uint8Array, from: number, to: number): void {
    this.textField("filename", b, from, to);
  }

  cwd(b: Uint8Array, from: number, to: number): void {
    this.textField("cwd", b, from, to);
  }

  beginArgs(): void {
    this.argIndex = 0;
    this.inexact.length = 0;
    this.out.raw(',"args":[');
  }

  arg(b: Uint8Array, from: number, to: number): void {
    if (this.argIndex > 0) this.out.raw(",");
    if (!this.out.utf8(b, from, to)) this.inexact.push({ index: this.argIndex, bytes: b.slice(from, to) });
    this.argIndex++;
  }

  /** Closes `args`; words that are not UTF-8 follow in `args_b64`, null where the readable word is exact. */
  endArgs(): void {
    const o = this.out;
    o.raw("]");
    if (this.inexact.length === 0) return;
    o.raw(',"args_b64":[');
    let next = 0;
    for (let i = 0; i < this.argIndex; i++) {
      if (i > 0) o.raw(",");
      const item = this.inexact[next];
      if (item === undefined || item.index !== i) {
        o.raw("null");
        continue;
      }
      next++;
      o.raw('"');
      o.raw(encodeBase64(item.bytes));
      o.raw('"');
    }
    o.raw("]");
  }

  /** An optional field that is true. */
  flag(key: string): void {
    this.out.raw(`,"${key}":true`);
  }

  /** An optional field with a word of ours. */
  note(key: string, value: string): void {
    this.out.raw(`,"${key}":`);
    this.out.text(value);
  }

  finish(): void {
    this.out.raw("}}\n");
  }

  exit(
    timestamp: number,
    pid: number,
    ppid: number,
    pgid: number,
    code: number,
    signal: number,
    coreDumped: boolean,
    usage: ExitUsage | undefined,
  ): void {
    this.begin("Exit", timestamp);
    this.who(pid, ppid, pgid);
    if (signal > 0) {
      this.number("signal", signal);
      if (coreDumped) this.flag("core_dumped");
    } else this.number("exit_code", code);
    if (usage) {
      this.number("utime_ns", usage.utime_ns);
      this.number("stime_ns", usage.stime_ns);
      this.number("max_rss_kb", usage.max_rss_kb);
    }
    this.out.raw("}}\n");
  }

  setpgid(timestamp: number, pid: number, ppid: number, pgid: number): void {
    this.begin("SetPGID", timestamp);
    this.who(pid, ppid, pgid);
    this.out.raw("}}\n");
  }

  setsid(timestamp: number, pid: number, ppid: number, pgid: number, sid: number): void {
    this.begin("SetSID", timestamp);
    this.who(pid, ppid, pgid);
    this.number("sid", sid);
    this.out.raw("}}\n");
  }

  /** What `tk exec` reports about a process, once or as a heartbeat: rare, so this one allocates. */
  report(timestamp: number, pid: number, operation: string, report: JsonObject): void {
    this.begin("Report", timestamp);
    const o = this.out;
    o.raw(',"pid":');
    o.int(pid);
    o.raw(',"operation":');
    o.text(operation);
    o.raw(',"report":');
    o.copy(encoder.encode(jsonText(report)));
    o.raw("}}\n");
  }

  /** Events that the backend knows it lost; `reason` is a sentence for people. */
  lost(timestamp: number, count: number, reason: string): void {
    this.begin("Lost", timestamp);
    this.number("count", count);
    this.out.raw(',"reason":');
    this.out.text(reason);
    this.out.raw("}}\n");
  }

  /** Something that the user should know of executed lines, and of which processes. */
  lineNote(timestamp: number, message: string, count: number, pids: readonly number[]): void {
    this.begin("Note", timestamp);
    this.note("about", "lines");
    this.note("message", message);
    this.number("count", count);
    this.out.raw(`,"pids":[${pids.join(",")}]`);
    this.out.raw("}}\n");
  }

  /** A line that another process has made, `{"Tag":{...}}` and a newline, with this recording's next number put into it. */
  numbered(line: Uint8Array): void {
    const o = this.out;
    const open = line.indexOf(BRACE, 1) + 1;
    o.copy(line, 0, open);
    o.raw('"seq":');
    o.int(this.seq++);
    o.raw(",");
    o.copy(line, open, line.length);
  }

  /** The last line of a complete recording. `events` counts everything between header and end. */
  end(timestamp: number, counts: { processes: number; lost: number; exit_code: number; signal: number }): void {
    const events = this.seq;
    this.begin("End", timestamp);
    this.number("events", events);
    this.number("processes", counts.processes);
    this.number("lost", counts.lost);
    if (counts.signal > 0) this.number("signal", counts.signal);
    else this.number("exit_code", counts.exit_code);
    this.out.raw("}}\n");
  }
}
