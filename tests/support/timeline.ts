// Recordings from text drawings, for tests: one event a line, `TIME PID VERB ...`, in any order of time.
//
//   recording root=10 make -j4          the header (leave it out for a foreign recording)
//   0ms 10 exec make -j4                words are split at blanks; "a b\n" is one word, written as JSON
//   1ms 10 fork 11
//   2ms 11 exec:fail 2 /usr/bin/cc -c   errno, file, arguments
//   2ms 11 exec cc -c a.c
//   9ms 11 exit 2                       or: exit 2 user=5ms sys=1ms rss=2048
//   9ms 12 killed 11 core               signal, dumped core
//   9ms 11 setpgid 12                   or: setsid 11
//   9ms 11<10 exit 0                    an event that names its process's parent
//   9ms lost 5 the buffer was full
//   10ms end 0                          the last line of a complete recording
//   {"Other":{...}}                     any line that starts with a brace is copied
//
// Lines are numbered (`seq`) in the order of the drawing, so a drawing whose times go backwards is a skewed clock.
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { RecordingWriter } from "../../lib/format/recording_writer.ts";
import { ABSENT } from "../../lib/model/ids.ts";
import type { Recording } from "../../lib/model/recording.ts";

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };
const encoder = new TextEncoder();

function nanos(text: string): number {
  const m = /^(-?\d+(?:\.\d+)?)(ns|us|ms|s)$/.exec(text);
  if (!m) throw new Error(`not a time: ${text} (expected such as 5ms)`);
  return Math.round(Number(m[1]) * UNITS[m[2]!]!);
}

/** Words at blanks; a word that starts with a double quote is a JSON string. */
function words(text: string): string[] {
  const out: string[] = [];
  const each = /"(?:[^"\\]|\\.)*"|\S+/g;
  for (const m of text.matchAll(each)) out.push(m[0].startsWith('"') ? (JSON.parse(m[0]) as string) : m[0]);
  return out;
}

export interface TimelineOptions {
  /** Leave out every `seq`, as proctrace of 2024-08 does. */
  readonly seq?: boolean;
}

/** The drawing as the lines of a recording. */
export function timelineText(drawing: string, options: TimelineOptions = {}): string {
  const w = new RecordingWriter();
  const pids = new Set<string>();
  for (const raw of drawing.split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("{")) {
      w.out.copy(encoder.encode(line + "\n"));
      continue;
    }
    if (line.startsWith("recording")) {
      const [first = "", ...rest] = words(line.slice("recording".length));
      const root = /^root=(\d+)$/.exec(first);
      w.header({
        version: 1,
        generator: "tk test",
        backend: "ptrace",
        ...(root ? { root_pid: Number(root[1]) } : {}),
        command: root ? rest : [first, ...rest].filter((x) => x !== ""),
      });
      continue;
    }
    const [time = "", ...rest] = line.split(/\s+/);
    event(w, nanos(time), rest[0] ?? "", line.slice(line.indexOf(time) + time.length).trim(), pids);
  }
  const text = new TextDecoder().decode(w.out.view());
  return options.seq === false ? text.replace(/"seq":\d+,/g, "") : text;
}

function event(w: RecordingWriter, t: number, head: string, text: string, pids: Set<string>): void {
  const after = (n: number) => text.split(/\s+/).slice(n);
  if (head === "lost") {
    const [, count = "0", ...reason] = after(0);
    w.lost(t, Number(count), reason.join(" "));
    return;
  }
  if (head === "end") {
    const [, code = "0"] = after(0);
    w.end(t, { processes: pids.size, lost: 0, exit_code: Number(code), signal: 0 });
    return;
  }
  const [who = "", verb = "", ...args] = words(text);
  const both = /^(\d+)(?:<(\d+))?$/.exec(who);
  if (!both) throw new Error(`not a pid: ${who} in "${text}"`);
  const pid = Number(both[1]);
  const ppid = both[2] === undefined ? ABSENT : Number(both[2]);
  pids.add(String(pid));
  const first = Number(args[0] ?? "0");
  const bytes = (s: string) => encoder.encode(s);
  if (verb === "fork") {
    pids.add(String(first));
    w.fork(t, pid, first, ABSENT);
  } else if (verb === "exec" || verb === "exec:fail") {
    const failed = verb === "exec:fail";
    if (failed) w.beginBadExec(t, pid, first, "");
    else w.beginExec(t, pid, ppid, ABSENT, ABSENT);
    const argv = failed ? args.slice(1) : args;
    const file = bytes(argv[0] ?? "");
    w.filename(file, 0, file.length);
    w.beginArgs();
    for (const word of argv) {
      const b = bytes(word);
      w.arg(b, 0, b.length);
    }
    w.endArgs();
    w.finish();
  } else if (verb === "exit" || verb === "killed") {
    const option = (name: string) => args.find((a) => a.startsWith(name + "="))?.slice(name.length + 1);
    const user = option("user");
    const rss = option("rss");
    const usage =
      user === undefined && rss === undefined
        ? undefined
        : {
            utime_ns: user === undefined ? ABSENT : nanos(user),
            stime_ns: nanos(option("sys") ?? "0ms"),
            max_rss_kb: rss === undefined ? ABSENT : Number(rss),
          };
    const code = args[0] === undefined || args[0].includes("=") ? ABSENT : first;
    const killed = verb === "killed";
    w.exit(t, pid, ppid, ABSENT, killed ? ABSENT : code, killed ? first : 0, args.includes("core"), usage);
  } else if (verb === "setpgid") w.setpgid(t, pid, ppid, first);
  else if (verb === "setsid") w.setsid(t, pid, ppid, first, first);
  else throw new Error(`not a verb: ${verb} in "${text}"`);
}

/** The drawing as a recording, read as any other. */
export function timeline(drawing: string, options: TimelineOptions = {}): Recording {
  return decodeRecording(encoder.encode(timelineText(drawing, options)), "timeline");
}
