// What Bash's xtrace wrote (lib/recorders/bash/bash_env.sh says how) to tracks: one for the shell and one for each of its subshells,
// which all write into the same file. Of a record only where and when counts. Bash says how deep a command stands and in which
// function; what called it is known from the records before.
import { closeSync, openSync, readSync } from "node:fs";
import { punchHole } from "../host/descriptors.ts";
import { BlockBuilder, enterWord, WORD } from "../lines/block_builder.ts";
import type { RunContext } from "./python_run.ts";
import { readSourceFile } from "./source_shelf.ts";

/** Why a shell was left alone, by the word that bash_env.sh has for it. */
const WHY: Readonly<Record<string, string>> = {
  version: "this Bash is older than 5.0",
  xtrace: "the script mentions xtrace (set -x, PS4, SHELLOPTS) itself, or was started with -x",
  settings: "PS4 or SHELLOPTS is exported, or BASH_XTRACEFD is set, by whoever started it",
  stdin: "the script comes through a pipe or a terminal, so it could not be looked at before it runs",
  reexec: "configure starts itself again with CONFIG_SHELL, which is not the shell that runs it",
  unread: "the script's file could not be read before it ran",
  closes: "the script closes descriptors by number, tk's among them",
};

interface Frame {
  readonly code: number;
  line: number;
}

interface Track {
  readonly pid: number;
  readonly builder: BlockBuilder;
  readonly defined: Set<number>;
  readonly frames: Frame[];
  last: number;
  /** A subshell that began after this track's last command: when, and for which line. */
  inside: { readonly at: number; readonly code: number; readonly line: number } | undefined;
}

const START = 2;
const SEPARATOR = 31;
const NEWLINE = 10;
const FIELDS = 6;
/** Bytes of a command that tell `set -x` and our own commands from others. */
const COMMAND = 24;
/** More than this before its command is no record. */
const MOST_PREFIX = 1 << 16;
/** Functions deeper than this are not followed one by one. */
const MOST_DEPTH = 1 << 16;
/** What has been read of the file is given back to the disk in steps of this. */
const HOLE = 1 << 20;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export class BashRun {
  readonly id: string;
  pid: number;
  startedAt: number | undefined;
  /** The shell itself has ended. */
  isOver = false;
  private readonly context: RunContext;
  private readonly piece = new Uint8Array(1 << 18);
  private at = 0;
  private freed = 0;
  private rest = new Uint8Array();
  private headed = false;
  /** The bytes to come belong to a command, up to the next record. */
  private inCommand = false;
  private script = "bash";
  private directory = "/";
  private executed: string | undefined;
  /** Its script is its standard input: then its functions are in a file that Bash calls `main`. */
  private fromInput = false;
  /** Added to Bash's depth: a script's own level counts there, that of `bash -c` does not. */
  private base = 0;
  private readonly codes = new Map<string, number>();
  private readonly codeInfo: { readonly source: string; readonly firstLine: number; readonly name: string }[] = [];
  /** By code: the file as Bash calls it. */
  private readonly fileNames: string[] = [];
  private readonly files = new Map<string, { readonly id: string; readonly text: string | undefined }>();
  private readonly tracks = new Map<number, Track>();
  private readonly streams = new Set<string>();
  private lastTrack: Track | undefined;
  private toldXtrace = false;

  constructor(id: string, context: RunContext) {
    this.id = id;
    this.context = context;
    this.pid = Number.parseInt(id, 10) || 0;
  }

  scan(): void {
    const path = `${this.context.directory}/${this.id}.bash`;
    let fd: number;
    try {
      fd = openSync(path, this.context.consumes ? "r+" : "r");
    } catch {
      return;
    }
    try {
      for (;;) {
        const n = readSync(fd, this.piece, 0, this.piece.length, this.at);
        if (n === 0) break;
        this.at += n;
        this.push(this.piece.subarray(0, n));
      }
      if (this.context.consumes && this.at - this.freed >= HOLE) {
        // The shell goes on appending; what is in front need not stay.
        punchHole(fd, 0, this.at);
        this.freed = this.at;
      }
    } catch {
      // What cannot be read now may be at the next look.
    } finally {
      closeSync(fd);
    }
  }

  flush(): void {
    for (const { builder } of this.tracks.values()) if (builder.pending > 0) builder.flush();
  }

  /** Whether any of its processes may still write. */
  get isOpen(): boolean {
    return this.tracks.size > 0;
  }

  /** One of its processes has ended. */
  processEnded(pid: number, at: number): void {
    const track = this.tracks.get(pid);
    if (track !== undefined) this.endTrack(track, at);
  }

  finish(at: number | undefined): void {
    for (const track of this.tracks.values()) this.endTrack(track, at);
  }

  private endTrack(track: Track, at: number | undefined): void {
    this.tracks.delete(track.pid);
    track.builder.flush(at);
  }

  private push(bytes: Uint8Array): void {
    let text = bytes;
    if (this.rest.length > 0) {
      text = new Uint8Array(this.rest.length + bytes.length);
      text.set(this.rest);
      text.set(bytes, this.rest.length);
    }
    let from = this.headed ? 0 : this.header(text);
    if (from < 0) return this.keep(text, 0);
    for (;;) {
      if (this.inCommand) {
        from = nextRecord(text, from);
        // The newline before the next record may be the last byte that there is.
        if (from < 0) return this.keep(text, Math.max(0, text.length - 1));
        this.inCommand = false;
      }
      if (from >= text.length) return this.keep(text, text.length);
      const end = this.record(text, from);
      if (end < 0) return this.keep(text, from);
      this.inCommand = true;
      from = end;
    }
  }

  private keep(text: Uint8Array, from: number): void {
    this.rest = text.slice(from);
  }

  /** Where the records begin; -1 when the header is not whole yet. */
  private header(text: Uint8Array): number {
    const end = text.indexOf(3);
    if (end < 0 || end + 1 >= text.length) {
      if (text.length > 1 << 22) this.noHeader();
      return this.headed ? 0 : -1;
    }
    const fields = split(text.subarray(0, end), SEPARATOR);
    if (fields.length < 10 || decoder.decode(fields[0]) !== "TKB1") {
      this.noHeader();
      return 0;
    }
    const field = (i: number) => decoder.decode(fields[i]);
    this.headed = true;
    this.inCommand = true;
    this.pid = Number(field(1)) || this.pid;
    this.script = field(5) || "bash";
    this.directory = field(6) || "/";
    const flags = field(7);
    const executed = decoder.decode(text.subarray(end - lengthFrom(fields, 9), end));
    this.fromInput = flags.includes("s") && !flags.includes("c");
    if (executed !== "") this.executed = executed;
    this.base = flags.includes("c") || flags.includes("s") ? 1 : 0;
    this.startedAt = this.wall(field(3));
    this.context.sink.reached(this.pid, this.startedAt);
    const why = field(8);
    if (why !== "") this.context.sink.note(this.pid, WHY[why] ?? `it was left alone (${why.slice(0, 40)})`);
    return end + 1;
  }

  private noHeader(): void {
    this.context.sink.problem(`${this.id}.bash`, "it does not begin with a header of tk's (TKB1)");
    this.headed = true;
    this.inCommand = true;
  }

  /** Microseconds since 1970 as Bash prints them, with the decimal point of the user's language or without. */
  private wall(text: string): number {
    const digits = text.replace(/\D/g, "");
    return this.context.axisOfWall(Number(digits));
  }

  /** Takes the record at `from`; where its command begins, or -1 when that is not there yet. */
  private record(text: Uint8Array, from: number): number {
    let p = from;
    while (text[p] === START) p++;
    const nesting = p - from;
    const { ends } = this;
    for (let i = 0; i < FIELDS; i++) {
      const end = text.indexOf(SEPARATOR, p);
      if (end < 0) {
        if (text.length - from < MOST_PREFIX) return -1;
        this.context.sink.problem(`${this.id}.bash`, "a record has no end, left out");
        return p;
      }
      ends[i] = end;
      p = end + 1;
    }
    // As much of the command as is looked at.
    if (text.length - p < COMMAND && text.indexOf(NEWLINE, p) < 0) return -1;
    const pid = wholeNumber(text, from + nesting, ends[0]!);
    const micros = wallMicros(text, ends[0]! + 1, ends[1]!);
    const line = wholeNumber(text, ends[1]! + 1, ends[2]!);
    const depth = wholeNumber(text, ends[2]! + 1, ends[3]!);
    if (pid < 1 || micros < 0 || line < 0 || depth < 0) {
      this.context.sink.problem(`${this.id}.bash`, "a record has no pid, time, line and depth, left out");
      return p;
    }
    if (isGuard(text, p)) return p;
    const code = this.codeAt(text, ends[3]! + 1, ends[4]!, ends[5]!, depth + this.base);
    if (text[p] === 115 && !this.toldXtrace) this.lookForXtrace(text.subarray(p, p + COMMAND), code, line);
    this.command(pid, this.context.axisOfWall(micros), Math.max(1, line), depth + this.base, code, nesting);
    return p;
  }

  private readonly ends = new Int32Array(FIELDS);
  /** Function and file of the last record, byte for byte, and what they came to. */
  private lastPlace = new Uint8Array();
  private lastTop = false;
  private lastCode = -1;

  /** The code of the function `text[from, middle)` of the file `text(middle, end)`. */
  private codeAt(text: Uint8Array, from: number, middle: number, end: number, depth: number): number {
    const isTop = depth <= 1;
    const { lastPlace } = this;
    if (this.lastCode >= 0 && this.lastTop === isTop && lastPlace.length === end - from) {
      let same = true;
      for (let i = lastPlace.length - 1; i >= 0 && same; i--) same = lastPlace[i] === text[from + i];
      if (same) return this.lastCode;
    }
    const name = decoder.decode(text.subarray(from, middle));
    const file = decoder.decode(text.subarray(middle + 1, end));
    this.lastPlace = text.slice(from, end);
    this.lastTop = isTop;
    this.lastCode = this.code(name || (isTop ? "main" : "source"), file);
    return this.lastCode;
  }

  private lookForXtrace(command: Uint8Array, code: number, line: number): void {
    if (!/^set [-+]([a-wyz]*x|o xtrace)/.test(decoder.decode(command))) return;
    this.toldXtrace = true;
    this.context.sink.note(
      0,
      `${this.fileNames[code]}:${line} uses set -x in a file that was sourced: what it would have printed is not on standard error, and after set +x nothing is recorded`,
    );
  }

  private command(pid: number, time: number, line: number, bashDepth: number, code: number, nesting: number): void {
    const depth = Math.min(Math.max(1, bashDepth), MOST_DEPTH);
    const track = this.tracks.get(pid) ?? this.newTrack(pid, time, depth, code, line, nesting);
    const { frames, builder, inside } = track;
    let now = time;
    // Bash writes a command after the substitutions in it have run: it began when they did.
    if (inside !== undefined) {
      if (inside.code === code && inside.line === line) now = Math.min(time, inside.at);
      track.inside = undefined;
    }
    now = Math.max(now, track.last);
    while (frames.length > depth || (frames.length === depth && frames[depth - 1]!.code !== code)) {
      frames.pop();
      builder.add(WORD.returned, now);
    }
    while (frames.length < depth) {
      const entered = frames.length === depth - 1 ? code : this.code("?", this.fileNames[code]!);
      this.define(track, entered);
      frames.push({ code: entered, line: 0 });
      builder.add(enterWord(entered), now);
    }
    frames[depth - 1]!.line = line;
    builder.add(line, now);
    track.last = now;
    this.lastTrack = track;
  }

  private newTrack(pid: number, time: number, depth: number, code: number, line: number, nesting: number): Track {
    const ofShell = pid === this.pid && !this.streams.has(this.id);
    let stream = ofShell ? this.id : `${this.id}.${pid}`;
    for (let i = 1; this.streams.has(stream); i++) stream = `${this.id}.${pid}.${i}`;
    this.streams.add(stream);
    const info = {
      stream,
      kind: "bash",
      pid,
      tid: pid,
      name: ofShell ? this.script : `${this.script} (subshell)`,
    } as const;
    const track: Track = {
      pid,
      builder: new BlockBuilder((block) => this.context.sink.block(info, block)),
      defined: new Set(),
      frames: [],
      last: time,
      inside: undefined,
    };
    this.tracks.set(pid, track);
    const parent = this.lastTrack;
    if (parent !== undefined) {
      // A subshell stands where its parent stood.
      for (const frame of parent.frames.slice(0, depth)) {
        if (track.frames.length === depth - 1 && frame.code !== code) break;
        this.define(track, frame.code);
        track.frames.push({ ...frame });
      }
      if (track.frames.length > 0) track.builder.open(track.frames, time);
      if (nesting > 1 && parent.inside === undefined) parent.inside = { at: time, code, line };
    }
    return track;
  }

  private define(track: Track, code: number): void {
    if (track.defined.has(code)) return;
    track.defined.add(code);
    track.builder.define(code, this.codeInfo[code]!);
  }

  private code(name: string, file: string): number {
    const key = `${name}\n${file}`;
    const known = this.codes.get(key);
    if (known !== undefined) return known;
    const { id, text } = this.file(file);
    const code = this.codeInfo.push({ source: id, firstLine: firstLineOf(name, text), name }) - 1;
    this.fileNames.push(file);
    this.codes.set(key, code);
    return code;
  }

  private file(name: string): { readonly id: string; readonly text: string | undefined } {
    const known = this.files.get(name);
    if (known !== undefined) return known;
    const place = this.place(name);
    const id = this.context.sources.add(encoder.encode(place.path), place.text);
    const file = { id, text: place.text === undefined ? undefined : decoder.decode(place.text) };
    this.files.set(name, file);
    return file;
  }

  private place(name: string): { readonly path: string; readonly text: Uint8Array | undefined } {
    if (name === "" || name === "environment" || (this.fromInput && name === "main")) {
      const path = this.fromInput ? "standard input" : "bash -c";
      if (this.executed !== undefined) return { path, text: encoder.encode(this.executed) };
      return { path: name === "environment" ? name : "standard input", text: undefined };
    }
    if (name.startsWith("/")) return { path: name, text: readSourceFile(name) };
    // As seen from where the script was started; a script that has moved since may mean another place.
    const path = normal(`${this.directory}/${name}`);
    const text = readSourceFile(path) ?? readSourceFile(`/proc/${this.pid}/cwd/${name}`);
    return { path, text };
  }
}

/** What bash_env.sh puts PS4 back with, in scripts that set it: no command of theirs. */
function isGuard(text: Uint8Array, at: number): boolean {
  return starts(text, at, GUARD_TEST) || starts(text, at, GUARD_END);
}

const GUARD_TEST = encoder.encode("[[ \x02$BASHPID");
const GUARD_END = encoder.encode("builtin trap - DEBUG\n");

function starts(text: Uint8Array, at: number, wanted: Uint8Array): boolean {
  return wanted.every((byte, i) => text[at + i] === byte);
}

function nextRecord(text: Uint8Array, from: number): number {
  for (let p = text.indexOf(START, from); p >= 0; p = text.indexOf(START, p + 1)) if (text[p - 1] === NEWLINE) return p;
  return -1;
}

function split(text: Uint8Array, by: number): Uint8Array[] {
  const fields: Uint8Array[] = [];
  let from = 0;
  for (let p = text.indexOf(by); p >= 0; p = text.indexOf(by, from)) {
    fields.push(text.subarray(from, p));
    from = p + 1;
  }
  fields.push(text.subarray(from));
  return fields;
}

/** Bytes from field `first` on, separators between them included. */
function lengthFrom(fields: readonly Uint8Array[], first: number): number {
  let n = -1;
  for (let i = first; i < fields.length; i++) n += fields[i]!.length + 1;
  return n;
}

/** The digits `text[from, to)`; -1 when they are none. */
function wholeNumber(text: Uint8Array, from: number, to: number): number {
  if (to <= from || to - from > 10) return -1;
  let n = 0;
  for (let i = from; i < to; i++) {
    const digit = text[i]! - 48;
    if (digit < 0 || digit > 9) return -1;
    n = n * 10 + digit;
  }
  return n <= 0x7fffffff ? n : -1;
}

/** `1795186628.131672`, with the decimal point of the user's language; -1 when it is no such time. */
function wallMicros(text: Uint8Array, from: number, to: number): number {
  if (to - from > 20) return -1;
  let n = 0;
  let digits = 0;
  for (let i = from; i < to; i++) {
    const digit = text[i]! - 48;
    if (digit < 0 || digit > 9) continue;
    n = n * 10 + digit;
    digits++;
  }
  return digits >= 7 && digits <= 16 ? n : -1;
}

function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/"))
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  return `/${parts.join("/")}`;
}

/** Where a function is defined, as far as its name can be found in the text; else the first line. */
function firstLineOf(name: string, text: string | undefined): number {
  if (text === undefined || name === "main" || name === "source" || name === "?") return 1;
  const quoted = name.replace(/[^\w]/g, "\\$&");
  const at = new RegExp(`^[ \\t]*(?:function[ \\t]+${quoted}\\b|${quoted}[ \\t]*\\([ \\t]*\\))`, "m").exec(text)?.index;
  return at === undefined ? 1 : text.slice(0, at).split("\n").length;
}
