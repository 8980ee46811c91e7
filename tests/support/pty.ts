// A terminal with a shell in it, as a person would use it: type, look at the screen, wait for what should come.
// Waits for text and never for a time alone, except where the claim is that nothing more comes.
import { Terminal } from "@xterm/headless";
import { PLAIN_ENV } from "./programs.ts";

/** Keys as they are sent. */
export const KEY = {
  ctrlC: "\x03",
  ctrlD: "\x04",
  ctrlZ: "\x1a",
  ctrlBackslash: "\x1c",
  enter: "\r",
  escape: "\x1b",
} as const;

export interface PtyOptions {
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly cols?: number;
  readonly rows?: number;
}

export class Pty {
  private readonly screenOf: Terminal;
  private readonly child: Bun.Subprocess;
  private readonly pty: Bun.Terminal;
  private log = "";
  private parsed: Promise<void> = Promise.resolve();

  constructor(options: PtyOptions = {}) {
    const cols = options.cols ?? 100;
    const rows = options.rows ?? 30;
    this.screenOf = new Terminal({ cols, rows, scrollback: 2000, allowProposedApi: true });
    const decoder = new TextDecoder();
    this.child = Bun.spawn([...(options.command ?? ["bash", "--norc", "--noprofile", "-i"])], {
      cwd: options.cwd ?? "/",
      env: { ...PLAIN_ENV, TERM: "xterm", PS1: "[$?]> ", HISTFILE: "", ...options.env },
      terminal: {
        cols,
        rows,
        data: (_pty, data) => {
          this.log += decoder.decode(data, { stream: true });
          this.parsed = new Promise((resolve) => this.screenOf.write(data, resolve));
        },
      },
    });
    const pty = this.child.terminal;
    if (pty === undefined) throw new Error("no terminal");
    this.pty = pty;
  }

  get pid(): number {
    return this.child.pid;
  }

  type(text: string): void {
    this.pty.write(text);
  }

  resize(cols: number, rows: number): void {
    this.screenOf.resize(cols, rows);
    this.pty.resize(cols, rows);
  }

  /** What is on the screen now, lines without trailing blanks; `all` adds what has scrolled away. */
  screen(all = false): string {
    const buffer = this.screenOf.buffer.active;
    const lines: string[] = [];
    for (let y = all ? 0 : buffer.baseY; y < buffer.length; y++) {
      lines.push(buffer.getLine(y)?.translateToString(true) ?? "");
    }
    return lines.join("\n").trimEnd();
  }

  /** Waits until `wanted` is in what has been written since `from` (an earlier `mark()`), colours and all. */
  async waitFor(wanted: RegExp, from = 0, limit = 8000): Promise<void> {
    const until = performance.now() + limit;
    while (!wanted.test(this.log.slice(from))) {
      if (performance.now() > until) {
        throw new Error(
          `waited ${limit} ms for ${wanted}; the screen is:\n${this.screen()}\n(raw: ${JSON.stringify(this.log.slice(-600))})`,
        );
      }
      await Bun.sleep(5);
    }
    await this.parsed;
  }

  mark(): number {
    return this.log.length;
  }

  /** Everything that was written so far, as it came. */
  written(): string {
    return this.log;
  }

  /** Types a line and waits for the next prompt; its `$?`. */
  async line(text: string, limit?: number): Promise<number> {
    return this.keys(`${text}${KEY.enter}`, limit);
  }

  /** Sends keys and waits for the next prompt; its `$?`. */
  async keys(keys: string, limit?: number): Promise<number> {
    const from = this.mark();
    this.type(keys);
    return this.prompt(from, limit);
  }

  async prompt(from: number, limit?: number): Promise<number> {
    const shape = /\[(\d+)\]> $/;
    await this.waitFor(shape, from, limit);
    return Number(shape.exec(this.log.slice(from))![1]);
  }

  /** Ends the shell and everything that it started in its own session. */
  async close(): Promise<void> {
    Bun.spawnSync(["pkill", "-KILL", "-s", String(this.child.pid)]);
    this.child.kill("SIGKILL");
    await this.child.exited;
    this.pty.close();
    this.screenOf.dispose();
  }
}
