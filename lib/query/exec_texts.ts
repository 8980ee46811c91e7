// Program, words, file and directory of execs, as bytes straight from the recording's text. A line in the form that tk writes is read in
// place; any other goes through the event as an object, and both ways give the same bytes.
import { endOfPlain, programOf, valueAt } from "../derive/exec_keys.ts";
import { argvOf, eventAt, filenameOf, type Rows } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";
import type { TextSource } from "./text_pool.ts";

export type ExecText = "exe" | "argv" | "file" | "cwd";

const encoder = new TextEncoder();
const ARGS = encoder.encode('"args":[');
const FILE = encoder.encode('"filename":"');
const CWD = encoder.encode('"cwd":"');
const QUOTE = 34;
const COMMA = 44;
const SLASH = 47;
const BLANK = 32;
const BRACKET_END = 93;

export class ExecTexts implements TextSource {
  private readonly rows: Rows;
  private readonly what: ExecText;
  private joined = new Uint8Array(4096);

  constructor(rows: Rows, what: ExecText) {
    this.rows = rows;
    this.what = what;
  }

  bytesOf(row: number): Uint8Array | undefined {
    const { events, text } = this.rows;
    if (events.mate[row] === ABSENT) {
      const found = this.inPlace(text.read(events.at[row]!, events.len[row]!));
      if (found !== undefined) return found;
    }
    const read = this.carefully(row);
    return read === undefined ? undefined : encoder.encode(read);
  }

  /** Undefined when the line is in another form, or without such a text: then it is looked at again with care. */
  private inPlace(line: Uint8Array): Uint8Array | undefined {
    if (this.what === "argv") return this.words(line);
    if (this.what === "exe") return program(line);
    const from = valueAt(line, this.what === "file" ? FILE : CWD);
    if (from < 0) return undefined;
    const end = endOfPlain(line, from);
    return end <= from ? undefined : line.subarray(from, end);
  }

  private words(line: Uint8Array): Uint8Array | undefined {
    let i = valueAt(line, ARGS);
    if (i < 0 || line[i] !== QUOTE) return undefined;
    if (line.length > this.joined.length) this.joined = new Uint8Array(line.length * 2);
    const { joined } = this;
    let n = 0;
    for (;;) {
      if (line[i] !== QUOTE) return undefined;
      const end = endOfPlain(line, i + 1);
      if (end < 0) return undefined;
      for (let k = i + 1; k < end; k++) joined[n++] = line[k]!;
      i = end + 1;
      if (line[i] === BRACKET_END) return joined.subarray(0, n);
      if (line[i] !== COMMA) return undefined;
      joined[n++] = BLANK;
      i++;
    }
  }

  private carefully(row: number): string | undefined {
    const { rows } = this;
    const some = (text: string | undefined) => (text === "" ? undefined : text);
    switch (this.what) {
      case "exe":
        return some(programOf(argvOf(rows, row), () => filenameOf(rows, row)?.text));
      case "argv": {
        const words = argvOf(rows, row)?.words;
        return words === undefined || words.length === 0 ? undefined : words.join(" ");
      }
      case "file":
        return some(filenameOf(rows, row)?.text);
      case "cwd": {
        const event = eventAt(rows, row);
        return event.kind === "exec" ? some(event.cwd?.text) : undefined;
      }
    }
  }
}

function program(line: Uint8Array): Uint8Array | undefined {
  const list = valueAt(line, ARGS);
  if (list < 0 || line[list] !== QUOTE) return undefined;
  const end = endOfPlain(line, list + 1);
  let from = end;
  while (from > list + 1 && line[from - 1] !== SLASH) from--;
  // No name, or a folder's: the careful way knows what stands for it.
  return end < 0 || from === end ? undefined : line.subarray(from, end);
}
