// Where output goes: the terminal, through the user's pager when it is longer than the screen, a shell command, or a file. Piece by piece, so
// that Ctrl-C stops what is being made, and a reader that has gone (`head`, a pager that was left) ends it quietly.
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { Out } from "../host/out.ts";
import { openDestination } from "../host/destination.ts";
import type { Turn } from "../pipeline/turn.ts";

export type Piece = string | Uint8Array;
export type Pieces = Iterable<Piece> | AsyncIterable<Piece>;

/** What a terminal has to do with somebody else's having it. */
export interface Lender {
  /** Gives the terminal away, and takes it back. */
  leave(): void;
  enter(): void;
  /** Rows of the terminal. */
  readonly rows: number;
}

export interface OutletOptions {
  readonly turn: Turn;
  /** Undefined in scripts. */
  readonly lender: Lender | undefined;
  readonly tell: (sentence: string) => void;
}

const encoder = new TextEncoder();

/** Time between two looks at the keys, milliseconds. */
const SLICE = 8;

export class Outlet {
  private readonly options: OutletOptions;
  /** Whoever reads our standard output has gone. */
  readerGone = false;
  private pagerTold = false;

  constructor(options: OutletOptions) {
    this.options = options;
  }

  /** To standard output: of a terminal, paged when it is long. */
  async show(pieces: Pieces, turn: Turn): Promise<void> {
    const { lender } = this.options;
    const pager = lender === undefined ? undefined : this.pager();
    if (lender === undefined || pager === undefined) return this.print(pieces, turn);
    const held: Piece[] = [];
    let rows = 0;
    const source = iterate(pieces);
    for (;;) {
      const next = await source.next();
      if (next.done === true) break;
      held.push(next.value);
      rows += rowsOf(next.value);
      if (rows >= lender.rows) {
        await this.feed(pager, chain(held, source), turn, true);
        return;
      }
      await turn();
    }
    await this.print(held, turn);
  }

  private async print(pieces: Pieces, turn: Turn): Promise<void> {
    const out = new Out();
    try {
      await pour(
        pieces,
        (piece) => put(out, piece),
        () => out.closed,
        turn,
        () => out.flush(),
      );
    } finally {
      out.flush();
      this.readerGone ||= out.closed;
    }
  }

  /** Through a command of the user's shell; its status. */
  pipe(command: string, pieces: Pieces, turn: Turn): Promise<number> {
    return this.feed(command, pieces, turn, false);
  }

  /** Into a file, which appears whole or not at all. Throws OutputError. */
  async save(path: string, pieces: Pieces, turn: Turn): Promise<void> {
    const destination = openDestination(path);
    try {
      const { out } = destination;
      await pour(
        pieces,
        (piece) => put(out, piece),
        () => out.closed,
        turn,
        () => {},
      );
      destination.commit();
    } finally {
      destination.abandon();
    }
  }

  /** Undefined: no pager, as when $PAGER is empty, cat, or not there, which is told once. */
  private pager(): string | undefined {
    const named = process.env["PAGER"];
    const command = (named ?? "less").trim();
    const [program = ""] = command.split(/\s+/);
    if (program === "" || command === "cat") return undefined;
    if (isThere(program)) return command;
    if (named !== undefined && !this.pagerTold) this.options.tell(`the pager '${command}' is not there; see $PAGER`);
    this.pagerTold = true;
    return undefined;
  }

  /** Runs a command with its input from us; its status. */
  private async feed(command: string, pieces: Pieces, turn: Turn, isPager: boolean): Promise<number> {
    const { lender } = this.options;
    const env = isPager ? { LESS: "FRX", LV: "-c", ...process.env } : process.env;
    lender?.leave();
    try {
      const child = spawn("/bin/sh", ["-c", command], { stdio: ["pipe", "inherit", "inherit"], env });
      const ended = ending(child);
      const { stdin } = child;
      let gone = false;
      stdin.on("error", () => (gone = true));
      stdin.on("close", () => (gone = true));
      try {
        await pour(
          pieces,
          async (piece) => {
            if (!stdin.write(typeof piece === "string" ? encoder.encode(piece) : piece.slice()))
              await Promise.race([new Promise((resume) => stdin.once("drain", resume)), ended]);
          },
          () => gone,
          turn,
          () => {},
        );
      } finally {
        stdin.end();
        await ended;
      }
      return await ended;
    } finally {
      lender?.enter();
    }
  }
}

/** The end of a child, as a shell's `$?`; 127 when it could not be started. */
export function ending(child: ChildProcess): Promise<number> {
  return new Promise((resume) => {
    child.on("error", () => resume(127));
    child.on("exit", (code, signal) => resume(code ?? (signal === null ? 1 : 129)));
  });
}

/** A program by its path, or to be found in $PATH; a name with shell's signs in it is believed. */
function isThere(program: string): boolean {
  if (/["'$`\\;&|<>()=]/.test(program)) return true;
  const folders = program.includes("/") ? [""] : (process.env["PATH"] ?? "").split(":").map((f) => `${f || "."}/`);
  return folders.some((folder) => {
    try {
      accessSync(folder + program, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function put(out: Out, piece: Piece): void {
  if (typeof piece === "string") out.text(piece);
  else out.bytes(piece);
}

async function* iterate(pieces: Pieces): AsyncGenerator<Piece, void> {
  yield* pieces;
}

async function* chain(first: readonly Piece[], rest: AsyncGenerator<Piece, void>): AsyncGenerator<Piece, void> {
  yield* first;
  yield* rest;
}

async function pour(
  pieces: Pieces,
  take: (piece: Piece) => void | Promise<void>,
  isOver: () => boolean,
  turn: Turn,
  pause: () => void,
): Promise<void> {
  let last = performance.now();
  for await (const piece of pieces) {
    if (isOver()) return;
    await take(piece);
    const now = performance.now();
    if (now - last < SLICE) continue;
    pause();
    await turn();
    last = performance.now();
  }
}

function rowsOf(piece: Piece): number {
  let rows = 0;
  if (typeof piece === "string") for (let i = piece.indexOf("\n"); i >= 0; i = piece.indexOf("\n", i + 1)) rows++;
  else for (let i = piece.indexOf(10); i >= 0; i = piece.indexOf(10, i + 1)) rows++;
  return rows;
}
