// The two names in a mark and how they come about: CHALK_ID from the artifact's hash, METADATA_ID from the mark itself.
// Format: the original's base-32 alphabet and its canonical encoding of marks, version 1.2.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { Float, type MarkObject, type MarkValue } from "./mark_json.ts";

/** Digits and capital letters without I, L, O and U. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const ID = /^[0-9A-HJKMNP-TV-Z]{6}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{6}$/;

export function isId(text: unknown): text is string {
  return typeof text === "string" && ID.test(text);
}

/** The first 100 bits as 20 digits of five bits, in groups of 6, 4, 4 and 6. */
export function formatId(bytes: Uint8Array): string {
  let digits = "";
  for (let bit = 0; digits.length < 20; bit += 5) {
    const word = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    digits += ALPHABET[(word >> (11 - (bit & 7))) & 31]!;
  }
  return `${digits.slice(0, 6)}-${digits.slice(6, 10)}-${digits.slice(10, 14)}-${digits.slice(14)}`;
}

/** CHALK_ID of an artifact whose unmarked file has this SHA-256: made from the text of the hash, not from its bytes. */
export function chalkIdOf(sha256Hex: string): string {
  return formatId(new TextEncoder().encode(sha256Hex));
}

/** Not part of what METADATA_ID is computed from. */
const IGNORED: ReadonlySet<string> = new Set([
  "MAGIC",
  "METADATA_HASH",
  "METADATA_ID",
  "SIGNING",
  "SIGNATURE",
  "EMBEDDED_CHALK",
]);

const encoder = new TextEncoder();

/**
 * Two generations of the encoding. `current` since May 2024; before that (`first`) the mark itself had no type byte, and
 * objects inside it kept the order in which they were written.
 */
export type Generation = "current" | "first";

/** Collects the canonical encoding: a type byte, then 32-bit lengths and 64-bit integers, little-endian. */
class Canonical {
  private readonly generation: Generation;
  private readonly hash = createHash("sha256");
  private readonly word = new DataView(new ArrayBuffer(9));

  constructor(generation: Generation) {
    this.generation = generation;
  }

  private sized(type: number, size: number): void {
    this.word.setUint8(0, type);
    this.word.setUint32(1, size, true);
    this.hash.update(new Uint8Array(this.word.buffer, 0, 5));
  }

  text(s: string): void {
    const b = encoder.encode(s);
    this.sized(1, b.length);
    this.hash.update(b);
  }

  /** False when the value is of a kind for which the encoding is not defined. */
  value(v: MarkValue): boolean {
    if (typeof v === "string") this.text(v);
    else if (typeof v === "bigint") {
      if (v < -(1n << 63n) || v >= 1n << 64n) return false;
      this.word.setUint8(0, 2);
      this.word.setBigUint64(1, BigInt.asUintN(64, v), true);
      this.hash.update(new Uint8Array(this.word.buffer, 0, 9));
    } else if (typeof v === "boolean") this.hash.update(Uint8Array.of(3, v ? 1 : 0));
    else if (v === null || v instanceof Float) return false;
    else if (Array.isArray(v)) {
      this.sized(4, v.length);
      for (const item of v as readonly MarkValue[]) if (!this.value(item)) return false;
    } else {
      const object = v as MarkObject;
      this.sized(5, object.size);
      return this.members(object, this.generation === "current" ? sorted(object.keys()) : [...object.keys()]);
    }
    return true;
  }

  mark(o: MarkObject): boolean {
    const names = sorted(o.keys()).filter((name) => !IGNORED.has(name));
    if (this.generation === "current") this.sized(5, names.length);
    else {
      this.word.setUint32(0, names.length, true);
      this.hash.update(new Uint8Array(this.word.buffer, 0, 4));
    }
    return this.members(o, names);
  }

  private members(o: MarkObject, names: readonly string[]): boolean {
    for (const name of names) {
      this.text(name);
      if (!this.value(o.get(name)!)) return false;
    }
    return true;
  }

  digest(): Uint8Array {
    return this.hash.digest();
  }
}

/** Sorted as bytes, which for UTF-8 is the order of code points and not that of UTF-16. */
function sorted(names: Iterable<string>): string[] {
  return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** SHA-256 of the canonical encoding; undefined when the mark holds a value that has none (a float, null). */
export function metadataHash(mark: MarkObject, generation: Generation = "current"): Uint8Array | undefined {
  const canonical = new Canonical(generation);
  return canonical.mark(mark) ? canonical.digest() : undefined;
}

export interface Validation {
  /** Undefined when it cannot be recomputed. */
  readonly valid: boolean | undefined;
  readonly problems: readonly string[];
}

/** Whether the names in a mark are what its content makes them. */
export function validateMark(mark: MarkObject): Validation {
  const problems: string[] = [];
  for (const name of ["CHALK_ID", "METADATA_ID"]) {
    const id = mark.get(name);
    if (id === undefined) problems.push(`The chalk mark has no ${name}`);
    else if (!isId(id)) problems.push(`${name} of the chalk mark is not an id such as X6VRPZ-C828-KDNS-QDXRT0`);
  }
  const hash = mark.get("HASH");
  if (problems.length === 0 && typeof hash === "string" && chalkIdOf(hash.toLowerCase()) !== mark.get("CHALK_ID"))
    problems.push("CHALK_ID of the chalk mark does not follow from its HASH");
  const computed = (["current", "first"] as const).flatMap((generation) => metadataHash(mark, generation) ?? []);
  if (problems.length === 0 && computed.length > 0) {
    const hash = computed.find((h) => formatId(h) === mark.get("METADATA_ID"));
    const told = mark.get("METADATA_HASH");
    if (hash === undefined) problems.push("METADATA_ID of the chalk mark does not follow from its content");
    else if (told !== undefined && told !== Buffer.from(hash).toString("hex"))
      problems.push("METADATA_HASH of the chalk mark does not follow from its content");
  }
  return { valid: problems.length > 0 ? false : computed.length === 0 ? undefined : true, problems };
}
