// The words of an exec: of one that has just succeeded from the new program's own stack, where the kernel has put its
// copy; of one that failed from the caller's memory. Writes them to the recording as bytes, without making strings.
import type { RecordingWriter } from "../../format/recording_writer.ts";
import { readSmallFile } from "../../host/descriptors.ts";
import { splitNul } from "../../host/proc.ts";
import type { TraceeMemory } from "./tracee_memory.ts";

const AT_EXECFN = 31;
const FIRST_READ = 16384;
const LONGEST_PATH = 4096;
/** The kernel's own limits: one word, and how many pointers we are willing to follow for a call that failed. */
const LONGEST_WORD = 131072;
const MOST_WORDS = 1 << 20;

/** Offsets of a fresh stack's parts in the window. */
interface FreshStack {
  readonly width: number;
  readonly argc: number;
  /** Bytes that were read. */
  readonly size: number;
  /** Address of AT_EXECFN's text; 0 when it was not found. */
  readonly filename: number;
}

export class ExecWords {
  private readonly memory: TraceeMemory;
  private readonly out: RecordingWriter;

  constructor(memory: TraceeMemory, out: RecordingWriter) {
    this.memory = memory;
    this.out = out;
  }

  /** Writes `filename` and `args` of a program that has not run yet; `stack` is its stack pointer. */
  writeFresh(pid: number, stack: number, width: number): void {
    const fresh = this.readFresh(pid, stack, width);
    if (fresh.size === 0) return this.writeUnreadable(pid);
    const { out, memory } = this;
    if (fresh.filename > 0) this.writeFilename(fresh.filename - stack, fresh.size);
    out.beginArgs();
    for (let i = 0; i < fresh.argc; i++) {
      const from = memory.word((i + 1) * width, width) - stack;
      const to = this.endOfText(from, fresh.size);
      if (to < 0) break;
      out.arg(memory.bytes, from, to);
    }
    out.endArgs();
  }

  /** The memory of a program whose file its user may run but not read is closed to us; the kernel still tells its words. */
  private writeUnreadable(pid: number): void {
    this.out.beginArgs();
    for (const word of splitNul(readSmallFile(`/proc/${pid}/cmdline`) ?? new Uint8Array()))
      this.out.arg(word, 0, word.length);
    this.out.endArgs();
  }

  private writeFilename(from: number, size: number): void {
    const to = this.endOfText(from, size);
    if (to >= 0) this.out.filename(this.memory.bytes, from, to);
  }

  /** Where the text at `from` ends in a window of `size` bytes; -1 when it does not lie in it. */
  private endOfText(from: number, size: number): number {
    if (from < 0 || from >= size) return -1;
    const nul = this.memory.bytes.indexOf(0, from);
    return nul >= 0 && nul < size ? nul : size;
  }

  /**
   * From the stack pointer upwards lie argc, argv, envp, the auxiliary vector, and behind them the texts, the file's
   * name last. One read holds all of it for almost every program; else as much is read as is there.
   */
  private readFresh(pid: number, stack: number, width: number): FreshStack {
    let asked = FIRST_READ;
    for (;;) {
      const size = this.memory.read(pid, stack, asked);
      const fresh = this.scanFresh(width, size);
      const nameOffset = fresh.filename - stack;
      const complete = fresh.filename > 0 && this.endOfText(nameOffset, size) < size && nameOffset < size;
      // A short read is the end of the stack: there is no more.
      if (complete || size < asked) return fresh;
      const needed = fresh.filename > 0 ? nameOffset + LONGEST_PATH + 1 : asked * 4;
      if (needed <= asked) return fresh;
      asked = needed;
    }
  }

  private scanFresh(width: number, size: number): FreshStack {
    const { memory } = this;
    const words = Math.floor(size / width);
    const argc = words > 0 ? memory.word(0, width) : 0;
    let at = 1 + argc + 1;
    while (at < words && memory.word(at * width, width) !== 0) at++;
    at++;
    for (; at + 1 < words && memory.word(at * width, width) !== 0; at += 2) {
      if (memory.word(at * width, width) !== AT_EXECFN) continue;
      return { width, argc, size, filename: memory.word((at + 1) * width, width) };
    }
    return { width, argc: Math.min(argc, Math.max(0, words - 1)), size, filename: 0 };
  }

  /** Writes `filename` and `args` of a call that failed, as far as they can be read. */
  writeCall(pid: number, filename: number, argv: number, width: number): void {
    const { out, memory } = this;
    const end = filename === 0 ? -1 : memory.text(pid, filename, 0, LONGEST_PATH);
    if (end >= 0) out.filename(memory.bytes, 0, end);
    if (argv === 0) return;
    const pointers = this.readPointers(pid, argv, width);
    if (pointers === undefined) return;
    out.beginArgs();
    for (const pointer of pointers) {
      const to = memory.text(pid, pointer, 0, LONGEST_WORD);
      if (to < 0) break;
      out.arg(memory.bytes, 0, to);
    }
    out.endArgs();
  }

  /** The words of a `char *[]`; undefined when not even its first word can be read. */
  private readPointers(pid: number, argv: number, width: number): number[] | undefined {
    const pointers: number[] = [];
    const page = 4096;
    for (let at = argv; pointers.length < MOST_WORDS;) {
      const size = page - (at % page) < width ? width : page - (at % page);
      const n = this.memory.read(pid, at, size);
      if (n < width) return at === argv ? undefined : pointers;
      const words = Math.floor(n / width);
      for (let i = 0; i < words; i++) {
        const pointer = this.memory.word(i * width, width);
        if (pointer === 0) return pointers;
        pointers.push(pointer);
      }
      at += words * width;
    }
    return pointers;
  }
}
