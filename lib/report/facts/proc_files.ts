// Reads of /proc below a root that tests may replace. Nothing here throws: what cannot be read is undefined, since a process
// may end between two reads and much of /proc may be hidden from us.
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";

const decoder = new TextDecoder();

/** Text of other people: what is not UTF-8 becomes U+FFFD. */
export function lossy(b: Uint8Array): string {
  return decoder.decode(b);
}

/** The parts of what /proc keeps NUL-terminated. */
export function splitNul(b: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let from = 0; from < b.length;) {
    let to = b.indexOf(0, from);
    if (to < 0) to = b.length;
    parts.push(b.slice(from, to));
    from = to + 1;
  }
  return parts;
}

/** No file under /proc that is read whole is larger than this; a recorded tree that claims more is cut off here. */
const LARGEST = 1 << 26;

export class ProcFiles {
  readonly root: string;
  private buffer = new Uint8Array(1 << 14);

  constructor(root = "/proc") {
    this.root = root;
  }

  bytes(path: string): Uint8Array | undefined {
    let fd: number;
    try {
      fd = openSync(`${this.root}/${path}`, "r");
    } catch {
      return undefined;
    }
    try {
      let length = 0;
      for (;;) {
        if (length === this.buffer.length) {
          if (length >= LARGEST) break;
          const larger = new Uint8Array(length * 4);
          larger.set(this.buffer);
          this.buffer = larger;
        }
        const n = readSync(fd, this.buffer, length, this.buffer.length - length, null);
        if (n === 0) break;
        length += n;
      }
      return this.buffer.slice(0, length);
    } catch {
      return undefined;
    } finally {
      closeSync(fd);
      if (this.buffer.length > 1 << 18) this.buffer = new Uint8Array(1 << 14);
    }
  }

  text(path: string): string | undefined {
    const b = this.bytes(path);
    return b === undefined ? undefined : lossy(b);
  }

  /** The text's lines that are not empty. */
  lines(path: string): string[] | undefined {
    return this.text(path)
      ?.split("\n")
      .filter((line) => line !== "");
  }

  link(path: string): Uint8Array | undefined {
    try {
      return readlinkSync(`${this.root}/${path}`, { encoding: "buffer" });
    } catch {
      return undefined;
    }
  }

  list(path: string): string[] | undefined {
    try {
      return readdirSync(`${this.root}/${path}`);
    } catch {
      return undefined;
    }
  }
}

/** Decimal digits as a number; undefined when it is something else, or not exact as a number. */
export function decimal(text: string | undefined): number | undefined {
  if (text === undefined || !/^-?\d+$/.test(text)) return undefined;
  const n = Number(text);
  return Number.isSafeInteger(n) ? n : undefined;
}

/** Hex digits as a number, or undefined. */
export function hexadecimal(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:0x)?[0-9a-fA-F]+$/.test(text)) return undefined;
  const n = Number.parseInt(text, 16);
  return Number.isSafeInteger(n) ? n : undefined;
}
