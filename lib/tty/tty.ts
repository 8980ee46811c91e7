// The user's terminal, in raw mode while a full-screen verb or a line editor has it: keys and sizes come as events, text goes out at
// once. Whatever happens, the terminal is given back as it was: at the end, at an exception, at process.exit, at signals (main.ts
// interrupts the verb, whose scope closes this), while the program is stopped, and after it was stopped without being asked.
// Only SIGKILL leaves it raw. The keys' bytes and what is written are lib/terminal's business.
import { Data, Effect, type Scope } from "effect";
import { openSync, read } from "node:fs";
import { ReadStream } from "node:tty";
import { writeAll } from "../host/out.ts";
import { type Key, KeyDecoder } from "../terminal/keys.ts";

/** Time within which the rest of a key's bytes comes; an escape that stands alone longer is the escape key. Milliseconds. */
const ESCAPE_WAIT = 50;
/** A program that was to stop and is still running after this was not stopped (nobody would have continued it). */
const STOP_WAIT = 30;

export type TtyEvent =
  | { readonly kind: "key"; readonly key: Key }
  /** Its size changed, or it shows something else: paint everything again. */
  | { readonly kind: "resize" }
  /** The terminal is gone, or its input has ended. */
  | { readonly kind: "end" }
  /** Nothing happened for as long as was asked for. */
  | { readonly kind: "timeout" };

export interface TtyOptions {
  /** A screen of its own, which gives back what was there; a line editor stays on the shell's. */
  readonly fullScreen: boolean;
}

/** There is no terminal to work with; the message is a sentence. */
export class TtyError extends Data.TaggedError("TtyError")<{ readonly message: string; readonly hint?: string }> {}

// No wrapping: a character that the terminal takes for wider than we do disturbs its own line only.
const ENTER_SCREEN = "\x1b[?1049h\x1b[?7l\x1b[?25l";
const LEAVE_SCREEN = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
const ENTER_PASTE = "\x1b[?2004h";
const LEAVE_PASTE = "\x1b[?2004l";

const isTty = (stream: { isTTY?: boolean }) => stream.isTTY === true;

/** The terminal until the scope closes. Fails when standard output is none, or when keys cannot be had. */
export const openTty = (options: TtyOptions): Effect.Effect<Tty, TtyError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => new Tty(options),
      catch: (cause) => {
        if (cause instanceof TtyError) return cause;
        throw cause;
      },
    }),
    (tty) => Effect.sync(() => tty.close()),
  );

/** Keys come from standard input, or from the terminal itself where that is something else (`tk replay - < file`). */
function keyboard(): ReadStream {
  if (isTty(process.stdin)) return process.stdin;
  try {
    return new ReadStream(openSync("/dev/tty", "r"));
  } catch {
    throw new TtyError({ message: "Cannot read keys: standard input is no terminal, and there is no other" });
  }
}

export class Tty {
  private readonly input: ReadStream;
  private readonly options: TtyOptions;
  private readonly decoder = new KeyDecoder();
  private readonly encoder = new TextEncoder();
  private readonly queue: TtyEvent[] = [];
  private wake: (() => void) | undefined;
  private escape: ReturnType<typeof setTimeout> | undefined;
  private raw = false;
  private lent = false;
  private closed = false;
  private gone = false;
  private reading = false;

  constructor(options: TtyOptions) {
    if (!isTty(process.stdout)) throw new TtyError({ message: "Cannot use the terminal: standard output is none" });
    if (process.env["TERM"] === "dumb" && options.fullScreen)
      throw new TtyError({
        message: "Cannot show a screen: TERM=dumb is a terminal without a cursor",
        hint: "Set TERM to what the terminal is, or let the output be text",
      });
    this.input = keyboard();
    this.options = options;
    if (this.input === process.stdin) {
      this.input.on("data", this.onData);
      this.input.on("end", this.onEnd);
      this.input.on("error", this.onEnd);
    }
    process.on("exit", this.onExit);
    process.on("SIGWINCH", this.onResize);
    process.on("SIGCONT", this.onContinue);
    process.on("SIGTSTP", this.onStop);
    process.on("SIGQUIT", this.onQuit);
    this.enter();
    if (this.input === process.stdin) this.input.resume();
  }

  get columns(): number {
    return Math.max(1, process.stdout.columns || 80);
  }

  get rows(): number {
    return Math.max(1, process.stdout.rows || 24);
  }

  /** Events are waiting: painting now would be painting twice. */
  get busy(): boolean {
    return this.queue.length > 0;
  }

  /** The next event; `timeout`, in milliseconds, gives up waiting. */
  async next(timeout?: number): Promise<TtyEvent> {
    if (this.queue.length === 0 && !this.gone) {
      if (this.input !== process.stdin) this.readKeys();
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        if (timeout !== undefined) timer = setTimeout(resolve, timeout);
      });
      this.wake = undefined;
      clearTimeout(timer);
    }
    return this.queue.shift() ?? (this.gone ? { kind: "end" } : { kind: "timeout" });
  }

  /** Text that is safe: what lib/terminal's painter made. Comes back when the terminal has it. */
  write(text: string): void {
    if (text === "" || this.gone) return;
    const bytes = this.encoder.encode(text);
    try {
      if (!writeAll(1, bytes, 0, bytes.length, "the terminal")) this.gone = true;
    } catch {
      // Hung up.
      this.gone = true;
    }
    if (this.gone) this.wake?.();
  }

  /** Takes the terminal; after `leave`, the screen has to be painted anew. */
  enter(): void {
    if (this.raw || this.closed) return;
    if (this.lent) this.input.resume();
    this.lent = false;
    this.raw = true;
    this.setRaw(true);
    this.write((this.options.fullScreen ? ENTER_SCREEN : "") + ENTER_PASTE);
  }

  /** Gives the terminal back for a while: for a pager, an editor, or because the program stops. */
  leave(): void {
    if (!this.raw) return;
    this.raw = false;
    this.write(LEAVE_PASTE + (this.options.fullScreen ? LEAVE_SCREEN : ""));
    this.setRaw(false);
  }

  /** Leaves, and reads no keys either: they are another program's until `enter`. */
  lend(): void {
    this.leave();
    this.input.pause();
    this.lent = true;
  }

  /** Stops the program, as Ctrl-Z does where a terminal is not in raw mode. */
  suspend(): void {
    this.leave();
    process.off("SIGTSTP", this.onStop);
    process.kill(0, "SIGTSTP");
    // Continued by now; or never stopped, which is how a program fares whose shell is gone.
    setTimeout(this.onContinue, STOP_WAIT);
  }

  close(): void {
    if (this.closed) return;
    this.leave();
    this.closed = true;
    this.gone = true;
    this.wake?.();
    clearTimeout(this.escape);
    this.input.off("data", this.onData);
    this.input.off("end", this.onEnd);
    this.input.off("error", this.onEnd);
    this.input.pause();
    this.input.unref();
    if (this.input !== process.stdin) this.input.destroy();
    process.off("exit", this.onExit);
    process.off("SIGWINCH", this.onResize);
    process.off("SIGCONT", this.onContinue);
    process.off("SIGTSTP", this.onStop);
    process.off("SIGQUIT", this.onQuit);
  }

  private setRaw(raw: boolean): void {
    try {
      this.input.setRawMode(raw);
    } catch {
      this.gone = true;
    }
  }

  /**
   * One read from a terminal that we opened ourselves. Only when keys are waited for: a read that nobody needs would keep the program from
   * ending until the next key.
   */
  private readKeys(): void {
    if (this.reading) return;
    this.reading = true;
    const { fd } = this.input as { fd?: number };
    if (fd === undefined) return this.onEnd();
    const bytes = new Uint8Array(4096);
    read(fd, bytes, 0, bytes.length, null, (error, n) => {
      this.reading = false;
      if (this.closed) return;
      if (error !== null || n === 0) this.onEnd();
      else this.onData(bytes.subarray(0, n));
      // A piece of a key, perhaps: whoever waits goes on waiting.
      if (this.queue.length === 0 && this.wake !== undefined) this.readKeys();
    });
  }

  private push(event: TtyEvent): void {
    this.queue.push(event);
    this.wake?.();
  }

  private readonly onData = (data: Uint8Array | string) => {
    clearTimeout(this.escape);
    for (const key of this.decoder.feed(typeof data === "string" ? this.encoder.encode(data) : data))
      this.push({ kind: "key", key });
    if (this.decoder.pending)
      this.escape = setTimeout(() => {
        for (const key of this.decoder.flush()) this.push({ kind: "key", key });
      }, ESCAPE_WAIT);
  };

  private readonly onEnd = () => {
    this.gone = true;
    this.wake?.();
  };

  private readonly onExit = () => this.close();

  private readonly onResize = () => {
    // One is enough, however often the window was pulled.
    if (this.queue.at(-1)?.kind !== "resize") this.push({ kind: "resize" });
  };

  private readonly onStop = () => this.suspend();

  private readonly onContinue = () => {
    // Whoever has the terminal meanwhile is continued too, and sees to it.
    if (this.closed || this.lent) return;
    process.off("SIGTSTP", this.onStop);
    process.on("SIGTSTP", this.onStop);
    // Stopped by SIGSTOP, the terminal is somebody else's state now, though nobody told us.
    if (this.raw) this.setRaw(false);
    this.raw = false;
    this.enter();
    this.onResize();
  };

  private readonly onQuit = () => {
    this.close();
    process.kill(process.pid, "SIGQUIT");
  };
}
