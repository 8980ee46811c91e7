// Members of a tar archive as its bytes come along (ustar, pax and GNU long names). Nothing is unpacked: a name is a name, never a path
// to write to. Pure; holds at most one header and one extended record.

export interface TarMember {
  /** From 0. */
  readonly index: number;
  readonly name: string;
  readonly size: number;
  /** What a symbolic or hard link points to, as written. */
  readonly link: { readonly kind: "symbolic" | "hard"; readonly target: string } | undefined;
}

export interface TarTaker {
  /** A member begins. Returns whether its bytes are wanted. */
  member(member: TarMember): boolean;
  /** Some of the wanted bytes; the chunk is valid during the call only. */
  bytes(chunk: Uint8Array): void;
  /** All bytes of the wanted member have come. */
  end(): void;
}

const BLOCK = 512;
/** An extended record or a long name beyond this is not kept. */
const MOST_EXTENDED = 1 << 16;

/** What the bytes that come now are. */
const READING = { header: 0, body: 1, extended: 2, skipped: 3, over: 4 } as const;

export class TarReader {
  /** Members that began. */
  members = 0;
  /** Why reading stopped before the end. */
  fault: string | undefined;
  private readonly taker: TarTaker;
  private state: number = READING.header;
  private readonly header = new Uint8Array(BLOCK);
  private filled = 0;
  /** Bytes of the present body that are still to come, and of the padding after it. */
  private left = 0;
  private padding = 0;
  private extended: Uint8Array[] = [];
  private extendedKind = "";
  private pax = new Map<string, string>();
  private longName: string | undefined;
  private longLink: string | undefined;

  constructor(taker: TarTaker) {
    this.taker = taker;
  }

  /** The archive's end was seen, or there is no use in giving more. */
  get over(): boolean {
    return this.state === READING.over;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.state !== READING.over) {
      if (this.state === READING.header) {
        const n = Math.min(BLOCK - this.filled, chunk.length - at);
        this.header.set(chunk.subarray(at, at + n), this.filled);
        this.filled += n;
        at += n;
        if (this.filled === BLOCK) {
          this.filled = 0;
          this.begin();
        }
        continue;
      }
      if (this.left > 0) {
        const n = Math.min(this.left, chunk.length - at);
        const part = chunk.subarray(at, at + n);
        if (this.state === READING.body) this.taker.bytes(part);
        else if (this.state === READING.extended) this.extended.push(part.slice());
        this.left -= n;
        at += n;
        if (this.left === 0) this.finishBody();
        continue;
      }
      const n = Math.min(this.padding, chunk.length - at);
      this.padding -= n;
      at += n;
      if (this.padding === 0) this.state = READING.header;
    }
  }

  /** No more bytes will come. A whole archive ends with two empty blocks, of which one is asked for. */
  end(): void {
    if (this.state !== READING.over) this.fault ??= "the archive is cut off";
    this.state = READING.over;
  }

  private begin(): void {
    const h = this.header;
    if (h.every((byte) => byte === 0)) {
      this.state = READING.over;
      return;
    }
    if (!checksumHolds(h)) {
      this.fault = "a header's checksum is wrong";
      this.state = READING.over;
      return;
    }
    const size = this.sizeOf(h);
    if (size === undefined) {
      this.fault = "a header has no valid size";
      this.state = READING.over;
      return;
    }
    this.left = size;
    this.padding = (BLOCK - (size % BLOCK)) % BLOCK;
    const type = String.fromCharCode(h[156]!);
    if ("xgLK".includes(type)) {
      this.extended = [];
      this.extendedKind = type;
      this.state = size <= MOST_EXTENDED && type !== "g" ? READING.extended : READING.skipped;
    } else this.state = this.take(h, type, size) ? READING.body : READING.skipped;
    if (this.left === 0) this.finishBody();
  }

  private sizeOf(h: Uint8Array): number | undefined {
    const type = String.fromCharCode(h[156]!);
    const longer = "xgLK".includes(type) ? undefined : this.pax.get("size");
    const size = longer !== undefined && /^\d{1,15}$/.test(longer) ? Number(longer) : numberAt(h, 124, 12);
    if (size === undefined || size > Number.MAX_SAFE_INTEGER - BLOCK) return undefined;
    // Only files and what is like them have a body; a link's size is that of the file it stands for.
    return "123456".includes(type) ? 0 : size;
  }

  private take(h: Uint8Array, type: string, size: number): boolean {
    const prefix = textAt(h, 257, 5) === "ustar" && h[262] === 0 ? textAt(h, 345, 155) : "";
    const short = textAt(h, 0, 100);
    const name = this.longName ?? this.pax.get("path") ?? (prefix === "" ? short : `${prefix}/${short}`);
    const target = this.longLink ?? this.pax.get("linkpath") ?? textAt(h, 157, 100);
    this.pax = new Map();
    this.longName = undefined;
    this.longLink = undefined;
    const kind = type === "2" ? "symbolic" : type === "1" ? "hard" : undefined;
    const link = kind === undefined ? undefined : ({ kind, target } as const);
    return this.taker.member({ index: this.members++, name, size, link });
  }

  private finishBody(): void {
    if (this.state === READING.body) this.taker.end();
    else if (this.state === READING.extended) this.takeExtended();
    this.state = this.padding > 0 ? READING.skipped : READING.header;
  }

  private takeExtended(): void {
    const bytes = joined(this.extended);
    this.extended = [];
    if (this.extendedKind === "x") this.pax = paxRecords(bytes);
    else {
      const end = bytes.indexOf(0);
      const text = decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
      if (this.extendedKind === "L") this.longName = text;
      else this.longLink = text;
    }
  }
}

const decoder = new TextDecoder();

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function textAt(h: Uint8Array, at: number, length: number): string {
  const field = h.subarray(at, at + length);
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, or the base-256 form that GNU tar uses for what does not fit. */
function numberAt(h: Uint8Array, at: number, length: number): number | undefined {
  if ((h[at]! & 0x80) !== 0) {
    let value = h[at]! & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + h[at + i]!;
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const text = textAt(h, at, length).trim();
  if (text === "") return 0;
  return /^[0-7]+$/.test(text) ? parseInt(text, 8) : undefined;
}

function checksumHolds(h: Uint8Array): boolean {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : h[i]!;
  return sum === numberAt(h, 148, 8);
}

/** `length key=value\n`, one after the other; ends at the first that is none. */
function paxRecords(bytes: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(32, at);
    if (space < 0 || space - at > 8) break;
    const length = Number(decoder.decode(bytes.subarray(at, space)));
    if (!Number.isInteger(length) || length < space - at + 3 || at + length > bytes.length) break;
    const record = decoder.decode(bytes.subarray(space + 1, at + length - 1));
    const equals = record.indexOf("=");
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}
