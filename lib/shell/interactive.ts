// The shell at a terminal: keys to the editor, lines to the runner, and what arrives meanwhile (a load that goes on, a recording that grows, a
// window that changes its size) into the prompt. Keys are read while a command runs, so that Ctrl-C stops it; the others wait.
import { readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { printable } from "../base/text.ts";
import { colour } from "../repl/colours.ts";
import { completeLine, hintFor } from "../repl/complete.ts";
import { type Candidate, LineEditor } from "../repl/editor.ts";
import { type EditorPicture, InlinePainter, layOutEditor, widthsOf } from "../repl/editor_layout.ts";
import type { History } from "../repl/history.ts";
import { isWhole } from "../repl/line.ts";
import { makePrompt } from "../repl/prompt.ts";
import { beginsQuery } from "../repl/registry.ts";
import { span, STYLE } from "../terminal/styled.ts";
import type { Tty, TtyEvent } from "../tty/tty.ts";
import type { Opened } from "./opened.ts";
import type { Runner } from "./runner.ts";
import type { StateFiles } from "./state_files.ts";

export interface InteractiveOptions {
  readonly tty: Tty;
  readonly opened: Opened;
  readonly runner: Runner;
  readonly history: History;
  readonly state: StateFiles;
  readonly unicode: boolean;
  readonly color: boolean;
  /** A reason to ask once more before leaving; undefined for none. */
  readonly staying: () => string | undefined;
}

/** How often a load or a growing recording is looked at, milliseconds. */
const TICK = 120;
const TICK_GROWING = 500;

/** The terminal's events, none of which is lost while somebody waits for something else too. */
class Events {
  private readonly tty: Tty;
  private readonly held: TtyEvent[] = [];
  private pending: Promise<TtyEvent> | undefined;

  constructor(tty: Tty) {
    this.tty = tty;
  }

  /** The next event, or `timeout` after so many milliseconds. */
  async next(timeout?: number): Promise<TtyEvent> {
    const held = this.held.shift();
    if (held !== undefined) return held;
    if (timeout === undefined) return this.take();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resume) => (timer = setTimeout(() => resume("late"), timeout)));
    this.pending ??= this.tty.next();
    const first = await Promise.race([this.pending, late]);
    clearTimeout(timer);
    if (first === "late") return { kind: "timeout" };
    this.pending = undefined;
    return first;
  }

  private async take(): Promise<TtyEvent> {
    const event = await (this.pending ??= this.tty.next());
    this.pending = undefined;
    return event;
  }

  /** Until `work` is over: `interrupt` at every Ctrl-C, everything else is kept for later. */
  async during<T>(work: Promise<T>, interrupt: () => void): Promise<T> {
    const end = work.then(
      () => "over" as const,
      () => "over" as const,
    );
    for (;;) {
      this.pending ??= this.tty.next();
      const event = await Promise.race([this.pending, end]);
      if (event === "over") break;
      this.pending = undefined;
      if (event.kind === "end") {
        interrupt();
        this.held.push(event);
        await end;
        break;
      } else if (event.kind === "key" && event.key.chord === "C-c") {
        this.held.length = 0;
        interrupt();
      } else if (event.kind !== "timeout") this.held.push(event);
    }
    return work;
  }
}

export async function interact(options: InteractiveOptions): Promise<void> {
  // From outside it means no more than the key: a shell is left in other ways.
  const ignore = () => {};
  process.on("SIGINT", ignore);
  try {
    await run(options);
  } finally {
    process.off("SIGINT", ignore);
  }
}

async function run(options: InteractiveOptions): Promise<void> {
  const { tty, opened, runner, history, state, unicode, color } = options;
  const ability = { unicode, color };
  const painter = new InlinePainter(ability);
  const editor = new LineEditor(history, {
    complete: (text, cursor) =>
      completeLine(text, cursor, { book: opened.lastBook, session: runner.session, files: filesLike }),
    isWhole: (text) => isWhole(text, beginsQuery),
  });
  const events = new Events(tty);
  let picture: EditorPicture | undefined;
  let columns = tty.columns;

  const paint = (live = true) => {
    columns = tty.columns;
    picture = layOutEditor(editor, {
      columns,
      rows: tty.rows,
      unicode,
      prompt: makePrompt(
        { book: opened.lastBook, session: runner.session, loading: opened.loading, growing: opened.growing },
        columns,
        unicode,
      ),
      hint: live ? hintFor(editor.text) : "",
      colour: color ? colour : (text) => [span(text, STYLE.plain)],
      live,
    });
    tty.write(painter.paint(picture, columns));
  };

  const finishLine = () => {
    paint(false);
    tty.write(painter.leave());
  };

  /** True when the shell is to be left. */
  const accept = async (line: string): Promise<boolean> => {
    finishLine();
    editor.reset();
    if (line.trim() === "") return false;
    if (history.add(line)) state.addHistory(line);
    editor.reset();
    const controller = new AbortController();
    const stop = () => controller.abort();
    process.on("SIGINT", stop);
    const waiting = opened.loading !== undefined ? showLoading(options) : undefined;
    try {
      const outcome = await events.during(runner.runAll(line, controller.signal), () => {
        controller.abort();
        tty.write("^C\r\n");
      });
      return outcome === "quit";
    } finally {
      waiting?.();
      process.off("SIGINT", stop);
    }
  };

  let indexing: Generator<void, void> | undefined;
  let warming: Generator<void, void> | undefined;
  let indexed = false;
  let asked = false;
  let wasLoading = opened.loading !== undefined;
  let rows = -1;
  paint();
  for (;;) {
    const event = await events.next(patience());
    if (event.kind === "end") return;
    if (opened.failure !== undefined) {
      // There is nothing to look at: whoever started us says why.
      editor.reset();
      finishLine();
      return;
    }
    if (event.kind === "timeout") {
      const changed = tick();
      if (changed) paint();
      continue;
    }
    if (event.kind === "resize") {
      // What the terminal made of our rows at its new width is taken away, and they are painted anew.
      tty.write(picture === undefined ? "" : painter.rewrap(columns, tty.columns, widthsOf(picture)));
      paint();
      continue;
    }
    const reply = editor.press(event.key);
    const repeats = asked;
    asked = false;
    switch (reply.kind) {
      case "none":
        break;
      case "changed":
        if (!tty.busy) paint();
        break;
      case "bell":
        tty.write("\x07");
        if (!tty.busy) paint();
        break;
      case "clear":
        painter.forget();
        tty.write("\x1b[H\x1b[2J");
        paint();
        break;
      case "suspend":
        finishLine();
        tty.suspend();
        break;
      case "interrupt":
        paint(false);
        tty.write(`^C${painter.leave()}`);
        editor.reset();
        paint();
        break;
      case "end":
      case "accept": {
        const leaving = reply.kind === "end" || (await accept(reply.line));
        if (leaving) {
          const reason = repeats ? undefined : options.staying();
          if (reply.kind === "end") finishLine();
          if (reason === undefined) return;
          tty.write(`${printable(reason, unicode)}\r\n`);
          asked = true;
        }
        wasLoading = false;
        paint();
        break;
      }
    }
  }

  /** How long to wait for a key before something else is to be done. */
  function patience(): number | undefined {
    if (warming !== undefined || indexing !== undefined) return 1;
    if (opened.growing) return TICK_GROWING;
    return opened.loading !== undefined || wasLoading || !indexed ? TICK : undefined;
  }

  /** Things that happen by themselves; whether the prompt has to say something else. */
  function tick(): boolean {
    if (opened.loading !== undefined) {
      wasLoading = true;
      return true;
    }
    if (wasLoading) {
      wasLoading = false;
      warming = opened.current()?.warm();
      return true;
    }
    // What completion and the first query need is made before it is asked for, a column at a time.
    if (warming !== undefined) {
      if (warming.next().done === true) warming = undefined;
      return false;
    }
    if (opened.growing) {
      const book = opened.current();
      const now = book?.recording.events.length ?? 0;
      const changed = now !== rows;
      rows = now;
      return changed;
    }
    if (!indexed && indexing === undefined) indexing = opened.keepIndex();
    if (indexing === undefined || indexing.next().done === true) {
      indexing = undefined;
      indexed = true;
    }
    return false;
  }
}

/** A command waits for the load: says how far it is, until the returned function is called. */
function showLoading({ tty, opened }: InteractiveOptions): () => void {
  let shown = false;
  const timer = setInterval(() => {
    if (opened.loading === undefined) return clear();
    const part = Number.isNaN(opened.loading) ? "" : ` ${Math.floor(opened.loading * 100)}%`;
    shown = true;
    tty.write(`\r\x1b[Kloading${part}`);
  }, TICK);
  const clear = () => {
    clearInterval(timer);
    if (shown) tty.write("\r\x1b[K");
    shown = false;
  };
  void opened.settled.then(clear);
  return clear;
}

const MOST_FILES = 200;

/** Files whose names begin with what was typed; folders end in a slash. */
export function filesLike(typed: string): Candidate[] {
  const home = process.env["HOME"] ?? homedir();
  const path = typed.startsWith("~/") ? join(home, typed.slice(2)) + (typed.endsWith("/") ? "/" : "") : typed;
  const folder = path.endsWith("/") || path === "" ? path || "." : dirname(path);
  const start = path.endsWith("/") || path === "" ? "" : basename(path);
  const lead = typed.slice(0, typed.length - start.length);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const out: Candidate[] = [];
  for (const name of names.sort()) {
    if (!name.startsWith(start) || (name.startsWith(".") && !start.startsWith("."))) continue;
    // Names that a line cannot hold as they are.
    if (/[\s'"\\|>#\p{Cc}]/u.test(name)) continue;
    let isFolder = false;
    try {
      isFolder = statSync(join(folder, name)).isDirectory();
    } catch {
      // A link to nowhere.
    }
    out.push({ text: lead + name + (isFolder ? "/" : ""), open: isFolder });
    if (out.length >= MOST_FILES) break;
  }
  return out;
}
