// Bytes of a terminal to keys. A key is a chord, the word that bindings use, and the text that it types, if any:
//   a, A, é, space          themselves, with their text          enter tab backspace escape
//   up down left right home end pageup pagedown insert delete f1 ... f12
//   C-a  M-b  S-tab  C-M-up                                       control, alt, shift before the key
//   paste                    a bracketed paste, with its text     C-space C-\ C-] C-^ C-_
// Follows xterm's control sequences, rxvt's and the Linux console's where they differ, and kitty's `u` form.
// Sequences that are cut over reads are put together; what is no key is swallowed whole.

export interface Key {
  readonly chord: string;
  /** What it would insert into a line; empty for keys that type nothing. */
  readonly text: string;
}

const ESC = 0x1b;
const BEL = 0x07;
const DEL = 0x7f;

/** A control sequence longer than this is none: its bytes are dropped. */
const MOST_SEQUENCE = 64;
/** More than this is not pasted at once. */
const MOST_PASTE = 1 << 20;
const PASTE_END = Uint8Array.of(ESC, 0x5b, 0x32, 0x30, 0x31, 0x7e);

const LETTERS: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
  P: "f1",
  Q: "f2",
  R: "f3",
  S: "f4",
  M: "enter",
  // rxvt: with shift.
  a: "S-up",
  b: "S-down",
  c: "S-right",
  d: "S-left",
};

const NUMBERS: Readonly<Record<number, string>> = {
  1: "home",
  2: "insert",
  3: "delete",
  4: "end",
  5: "pageup",
  6: "pagedown",
  7: "home",
  8: "end",
  11: "f1",
  12: "f2",
  13: "f3",
  14: "f4",
  15: "f5",
  17: "f6",
  18: "f7",
  19: "f8",
  20: "f9",
  21: "f10",
  23: "f11",
  24: "f12",
};

const CONTROLS: Readonly<Record<number, string>> = {
  0x00: "C-space",
  0x09: "tab",
  0x0d: "enter",
  0x1b: "escape",
  0x1c: "C-\\",
  0x1d: "C-]",
  0x1e: "C-^",
  0x1f: "C-_",
  0x7f: "backspace",
};

function controlName(byte: number): string {
  return CONTROLS[byte] ?? `C-${String.fromCharCode(byte + 0x60)}`;
}

/** `C-M-S-` before a name; `modifiers` as terminals send it, one more than the bits shift 1, alt 2, control 4. */
function modified(name: string, modifiers: number): string {
  const bits = modifiers > 0 ? modifiers - 1 : 0;
  return `${(bits & 4) !== 0 ? "C-" : ""}${(bits & 2) !== 0 ? "M-" : ""}${(bits & 1) !== 0 ? "S-" : ""}${name}`;
}

function characterKey(code: number): Key {
  const text = String.fromCodePoint(code);
  return { chord: text === " " ? "space" : text, text };
}

/** What a terminal means that sends a key as a number: `CSI code ; modifiers u`. */
function numberedKey(code: number, modifiers: number): Key | undefined {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
  // Private codes of keypads, media keys and modifiers alone.
  if (code >= 0xe000 && code <= 0xf8ff) return undefined;
  const name = code < 0x20 || code === DEL ? controlName(code) : characterKey(code).chord;
  if (modifiers <= 2 && code >= 0x20 && code !== DEL) return characterKey(code);
  // Shift is in the character already.
  return { chord: modified(name, code < 0x20 || code === DEL ? modifiers : ((modifiers - 1) & ~1) + 1), text: "" };
}

export class KeyDecoder {
  private held: Uint8Array = new Uint8Array(0);
  /** The bytes of a paste that has begun; undefined outside one. */
  private pasted: number[] | undefined;
  private readonly utf8 = new TextDecoder();

  /** Bytes are held that may begin a longer key: when nothing more comes within some 50 ms, call `flush`. */
  get pending(): boolean {
    return this.held.length > 0 && this.pasted === undefined;
  }

  feed(bytes: Uint8Array): Key[] {
    const b = new Uint8Array(this.held.length + bytes.length);
    b.set(this.held);
    b.set(bytes, this.held.length);
    return this.decode(b, false);
  }

  /** Nothing more came: an escape that stood alone is the key. */
  flush(): Key[] {
    const b = this.held;
    return this.pasted === undefined ? this.decode(b, true) : [];
  }

  private decode(b: Uint8Array, final: boolean): Key[] {
    const keys: Key[] = [];
    let at = 0;
    while (at < b.length) {
      const used = this.pasted === undefined ? this.one(b, at, final, keys) : this.paste(b, at, this.pasted, keys);
      if (used === 0) break;
      at += used;
    }
    this.held = b.slice(at);
    return keys;
  }

  /** One key at `at`; how many bytes it took, 0 when more have to come. */
  private one(b: Uint8Array, at: number, final: boolean, keys: Key[]): number {
    const byte = b[at]!;
    if (byte === ESC) return this.escape(b, at, final, keys);
    if (byte < 0x20 || byte === DEL) {
      keys.push({ chord: controlName(byte), text: "" });
      return 1;
    }
    if (byte < 0x80) {
      keys.push(characterKey(byte));
      return 1;
    }
    const length = sequenceLength(b, at);
    if (length === 0) {
      if (!final) return 0;
      keys.push(characterKey(0xfffd));
      return b.length - at;
    }
    const text = this.utf8.decode(b.subarray(at, at + length));
    const code = text.codePointAt(0) ?? 0xfffd;
    // The upper controls are no keys.
    if (code >= 0xa0) keys.push(characterKey(code));
    return length;
  }

  private escape(b: Uint8Array, at: number, final: boolean, keys: Key[]): number {
    const alone = () => {
      keys.push({ chord: "escape", text: "" });
      return 1;
    };
    if (at + 1 >= b.length) return final ? alone() : 0;
    const next = b[at + 1]!;
    if (next === 0x5b) return this.sequence(b, at, final, keys);
    if (next === 0x4f) {
      // SS3, with a modifier before the letter on some terminals.
      let end = at + 2;
      while (end < b.length && b[end]! >= 0x30 && b[end]! <= 0x3b) end++;
      if (end >= b.length) return final ? this.altKey(b, at, final, keys) : 0;
      const name = LETTERS[String.fromCharCode(b[end]!)];
      const modifiers = Number(
        new TextDecoder()
          .decode(b.subarray(at + 2, end))
          .split(";")
          .at(-1),
      );
      if (name !== undefined) keys.push({ chord: modified(name, modifiers || 0), text: "" });
      return end + 1 - at;
    }
    // Reports (DCS, OSC, SOS, PM, APC) end with ST or BEL; what does not end in time was typed with alt.
    if (next === 0x50 || next === 0x5d || next === 0x58 || next === 0x5e || next === 0x5f) {
      for (let end = at + 2; end < b.length; end++) {
        if (b[end] === BEL) return end + 1 - at;
        if (b[end] === ESC && b[end + 1] === 0x5c) return end + 2 - at;
      }
      return final || b.length - at > 1024 ? this.altKey(b, at, final, keys) : 0;
    }
    if (next === ESC) return alone();
    return this.altKey(b, at, final, keys);
  }

  /** ESC and a character: the character with alt. */
  private altKey(b: Uint8Array, at: number, final: boolean, keys: Key[]): number {
    const inner: Key[] = [];
    const used = this.one(b, at + 1, final, inner);
    if (used === 0) return 0;
    for (const key of inner)
      keys.push({ chord: key.chord.startsWith("C-") ? `C-M-${key.chord.slice(2)}` : `M-${key.chord}`, text: "" });
    return used + 1;
  }

  /** CSI parameters intermediates final. */
  private sequence(b: Uint8Array, at: number, final: boolean, keys: Key[]): number {
    // The Linux console's F1 to F5: CSI [ A.
    if (b[at + 2] === 0x5b) {
      if (at + 3 >= b.length) return final ? 3 : 0;
      const nth = b[at + 3]! - 0x40;
      if (nth >= 1 && nth <= 5) keys.push({ chord: `f${nth}`, text: "" });
      return 4;
    }
    let end = at + 2;
    // rxvt ends a key with $ (shift), which belongs inside a sequence everywhere else; also with ^ (control) and @ (both).
    const isPart = (byte: number) => byte >= 0x20 && byte <= 0x3f && (byte !== 0x24 || b[at + 2] === 0x3f);
    while (end < b.length && isPart(b[end]!) && end - at < MOST_SEQUENCE) end++;
    if (end >= b.length) {
      if (!final) return 0;
      // ESC [ and nothing more: alt with a bracket.
      if (end === at + 2) keys.push({ chord: "M-[", text: "" });
      return end - at;
    }
    const last = b[end]!;
    const used = end + 1 - at;
    // A byte that no sequence has ends it, and is looked at again.
    if ((last < 0x40 && last !== 0x24) || last > 0x7e) return end - at;
    const parameters = new TextDecoder().decode(b.subarray(at + 2, end));
    if (/^[<=>?]/.test(parameters)) return used;
    const numbers = parameters.split(";").map((part) => Number(part.split(":")[0] || 0));
    const letter = String.fromCharCode(last);
    const first = numbers[0] ?? 0;
    const modifiers = numbers[1] ?? 0;
    if (letter === "~" && first === 200) {
      this.pasted = [];
      return used;
    }
    const key = this.named(letter, first, modifiers, numbers[2] ?? 0);
    if (key !== undefined) keys.push(key);
    return used;
  }

  private named(letter: string, first: number, modifiers: number, third: number): Key | undefined {
    if (letter === "Z") return { chord: "S-tab", text: "" };
    if (letter === "u") return numberedKey(first, modifiers || 1);
    if (letter === "~" && first === 27) return numberedKey(third, modifiers || 1);
    if (letter === "~" || letter === "^" || letter === "$" || letter === "@") {
      const name = NUMBERS[first];
      const rxvt = letter === "^" ? 5 : letter === "$" ? 2 : letter === "@" ? 6 : modifiers;
      return name === undefined ? undefined : { chord: modified(name, rxvt), text: "" };
    }
    const name = letter === "M" ? undefined : LETTERS[letter];
    return name === undefined ? undefined : { chord: modified(name, modifiers), text: "" };
  }

  private paste(b: Uint8Array, at: number, pasted: number[], keys: Key[]): number {
    for (let i = at; i < b.length; i++) {
      if (b[i] === ESC) {
        const rest = Math.min(PASTE_END.length, b.length - i);
        let same = 0;
        while (same < rest && b[i + same] === PASTE_END[same]) same++;
        if (same === PASTE_END.length) {
          keys.push({ chord: "paste", text: this.utf8.decode(Uint8Array.from(pasted)) });
          this.pasted = undefined;
          return i + same - at;
        }
        // Perhaps the beginning of the end.
        if (same === rest && i + rest === b.length) return i - at;
      }
      if (pasted.length < MOST_PASTE) pasted.push(b[i]!);
    }
    return b.length - at;
  }
}

/** Bytes of the UTF-8 character at `at`, or of what is none; 0 when its end has not come yet. */
function sequenceLength(b: Uint8Array, at: number): number {
  const first = b[at]!;
  const length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
  if (first >= 0xf5) return 1;
  for (let i = 1; i < length; i++) {
    if (at + i >= b.length) return 0;
    if ((b[at + i]! & 0xc0) !== 0x80) return i;
  }
  return length;
}
