// bpftrace as our child: started as root, known to be ready, and never left behind. The recorded command is none of
// its business: it is started by others and is never elevated.
//
// bpftrace runs `cat` (-c) once everything is attached, and ends when that ends. cat reads a pipe from us: what we wrote
// into it comes back when bpftrace is ready, and when we close it, or die in whatever way, bpftrace ends in good order
// and prints what it still has. That works through sudo, where no signal of ours could reach it.
import { spawn } from "node:child_process";
import { printable } from "../../base/text.ts";
import { errnoText } from "../../host/errno.ts";
import { closeFile, DescriptorWriter } from "../../host/descriptors.ts";
import { makePipe, PipeReader, type Pipe } from "../../host/pipes.ts";
import { CaptureError } from "../capture_error.ts";
import { findProgram } from "./tool.ts";

export interface ChildOptions {
  readonly bpftrace: string;
  /** Run it with sudo, which may ask for a password on the terminal. */
  readonly sudo: string | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly script: string;
  /** The tracing file system is not mounted: bpftrace gets a mount that nobody else sees. */
  readonly mountTracing: boolean;
  readonly onCommandLine?: (words: readonly string[]) => void;
}

export interface Ready {
  /** What `elapsed` was when the clock of `nsecs` was at `clock`. */
  readonly elapsed: bigint;
  readonly clock: bigint;
}

/** bpftrace ended, or said what it must not say, before it was ready. */
export interface NotReady {
  readonly said: string;
}

const READY_MS = 60_000;
/** Somebody may have to find a password first. */
const SUDO_MS = 600_000;
/** From the closing of its pipe to the end of bpftrace: it detaches its probes one by one. */
const END_MS = 15_000;
const MOST_SAID = 1 << 16;

const decoder = new TextDecoder();

export class BpftraceChild {
  private readonly reader: PipeReader;
  private readonly options: ChildOptions;
  private readonly marker: string;
  private toCat: number;
  private readonly fromBpftrace: number;
  /** What came behind the marker in the same read. */
  private rest = new Uint8Array(0);

  constructor(options: ChildOptions) {
    this.options = options;
    this.marker = `READY ${process.pid} ${Date.now()}`;
    const input = pipe();
    const output = pipe();
    this.toCat = input.writeEnd;
    this.fromBpftrace = output.readEnd;
    this.reader = new PipeReader(output.readEnd);
    const [program, ...words] = this.commandLine();
    options.onCommandLine?.([program!, ...words]);
    // With sudo the group stays ours, so that sudo may ask for a password; sudo's own errors go where ours go.
    const child = spawn(program!, words, {
      stdio: [input.readEnd, output.writeEnd, options.sudo === undefined ? output.writeEnd : 2],
      detached: options.sudo === undefined,
    });
    child.on("error", () => {
      // That it did not start is seen at the pipe, which ends.
    });
    child.unref();
    input.closeReadEnd();
    output.closeWriteEnd();
    const said = new TextEncoder().encode(`${this.marker}\n`);
    new DescriptorWriter(this.toCat).write(said, 0, said.length);
  }

  private commandLine(): string[] {
    const { bpftrace, sudo, settings, script, mountTracing } = this.options;
    const program = (name: string) => findProgram(name) ?? name;
    const words = [bpftrace, "-c", program("cat"), "-e", script];
    const assignments = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    const run = [program("env"), ...assignments, ...words];
    if (mountTracing) {
      const mounting = 'mount -t tracefs tracefs /sys/kernel/tracing && exec "$@"';
      run.unshift(program("unshare"), "--mount", "--", program("sh"), "-c", mounting, "tk");
    }
    if (sudo === undefined) return run;
    // A session of its own, because Ctrl-C in the terminal is for the command and not for bpftrace.
    return [sudo, "--", program("sh"), "-c", 'exec 2>&1; exec "$@"', "tk", program("setsid"), "--wait", ...run];
  }

  /** Waits until every probe is attached. */
  untilReady(): Ready | NotReady {
    const until = performance.now() + (this.options.sudo === undefined ? READY_MS : SUDO_MS);
    let said = "";
    for (;;) {
      const at = said.indexOf(`${this.marker}\n`);
      if (at >= 0) {
        // cat writes its line itself, bpftrace prints when it comes to look: the clock may arrive after the marker.
        const tie = /^CLOCK: elapsed=(\d+),clock=(\d+)\n/m.exec(said);
        if (tie !== null) {
          const rest = said.slice(at + this.marker.length + 1);
          this.rest = new TextEncoder().encode(tie.index > at ? rest.replace(tie[0], "") : rest);
          return { elapsed: BigInt(tie[1]!), clock: BigInt(tie[2]!) };
        }
      }
      if (this.reader.ended) return { said: complaint(said) };
      if (performance.now() > until) return { said: `it was not ready after ${READY_MS / 1000} seconds` };
      said += decoder.decode(this.reader.read(200));
      // A busy system prints events before the last probe is attached; only the beginning and the end are looked at.
      if (said.length > 2 * MOST_SAID) said = said.slice(0, MOST_SAID) + said.slice(-MOST_SAID / 2);
    }
  }

  /** What it has printed, waiting up to `ms` for it. Valid until the next call. */
  read(ms: number): Uint8Array {
    if (this.rest.length > 0) {
      const { rest } = this;
      this.rest = new Uint8Array(0);
      return rest;
    }
    return this.reader.read(ms);
  }

  /** It has ended by itself. */
  get ended(): boolean {
    return this.reader.ended;
  }

  /** Ends bpftrace and hands on all that it still prints; false when it did not end in time. */
  end(take: (bytes: Uint8Array) => void): boolean {
    if (this.toCat >= 0) closeFile(this.toCat);
    this.toCat = -1;
    const until = performance.now() + END_MS;
    while (!this.reader.ended && performance.now() < until) take(this.read(100));
    closeFile(this.fromBpftrace);
    return this.reader.ended;
  }
}

function pipe(): Pipe {
  const made = makePipe();
  if (typeof made !== "number") return made;
  const said = errnoText(-made);
  throw new CaptureError({ backend: "bpftrace", reason: { _tag: "ToolFailed", tool: "a pipe to bpftrace", said } });
}

export const WORDLESS = "it ended without a word";

/** The lines that say what is wrong, without those that do not. */
function complaint(said: string): string {
  const lines = said
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/RLIMIT_MEMLOCK|^CLOCK: |^Attach(ing|ed) |^READY \d/.test(line));
  const errors = lines.filter((line) => /error|permission|denied|not found|must|cannot|sudo/i.test(line));
  const told = (errors.length > 0 ? errors : lines).slice(0, 3).join("; ");
  return told === "" ? WORDLESS : printable(told.slice(0, 600));
}
