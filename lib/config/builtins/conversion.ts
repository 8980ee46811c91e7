// Built-in conversions between types, parts of dates and addresses, and bit arithmetic.
import { builtin, type Builtin, type Call } from "../builtin.ts";
import { type Literal, type LiteralKind, parseLiteralAs } from "../literal.ts";
import { parseTypeText } from "../type_text.ts";
import { ConfigFault } from "../diagnostic.ts";
import { char, print, type Value } from "../value.ts";

const EXPECTED: Readonly<Record<LiteralKind, string>> = {
  Duration: "10 seconds",
  Size: "10 mb",
  Date: "2024-03-05",
  Time: "14:35:22",
  DateTime: "2024-03-05T14:35:22",
  IPAddr: "10.0.0.1",
  CIDR: "10.0.0.0/8",
};

function toLiteral(kind: LiteralKind): Builtin {
  return builtin(`${kind}(string) -> ${kind}`, `A ${kind} from a text such as "${EXPECTED[kind]}"`, ([a], call) => {
    const text = a as string;
    return (
      parseLiteralAs(kind, text.trim()) ??
      call.fail(`${kind}: "${text.slice(0, 60)}" is none, expected something like "${EXPECTED[kind]}"`)
    );
  });
}

function toInt(value: number, call: Call): bigint {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) return call.fail("int: the number is too large");
  return BigInt(Math.trunc(value));
}

function parseInteger(text: string, call: Call): bigint {
  const trimmed = text.trim();
  if (!/^[+-]?\d{1,19}$/.test(trimmed)) return call.fail(`int: "${trimmed.slice(0, 60)}" is no number`);
  const value = BigInt(trimmed);
  return BigInt.asIntN(64, value) === value ? value : call.fail("int: the number is too large");
}

function parseFloating(text: string, call: Call): number {
  const trimmed = text.trim();
  const value = Number(trimmed);
  return trimmed !== "" && Number.isFinite(value) && trimmed.length < 64
    ? value
    : call.fail(`float: "${trimmed.slice(0, 60)}" is no number`);
}

const us = (v: Value | undefined) => (v as Extract<Literal, { readonly kind: "Duration" }>).us;
const text = (v: Value | undefined) => (v as { readonly text: string }).text;

/** One part of a written date or time as a number; -1 when it is not there. */
function part(written: string, pattern: RegExp): bigint {
  const found = pattern.exec(written)?.[1];
  return found === undefined ? -1n : BigInt(found);
}

const YEAR = /^(\d{4})-/;
const MONTH = /^(?:--|\d{4}-)(\d\d)/;
const DAY = /^(?:--|\d{4}-)\d\d-(\d\d)/;
const HOUR = /(?:^|T)(\d\d):/;
const MINUTE = /(?:^|T)\d\d:(\d\d)/;
const SECOND = /(?:^|T)\d\d:\d\d:(\d\d)/;

/** The same for a kind of value and for a moment. */
function both(name: string, kind: "Date" | "Time", doc: string, pattern: RegExp): Builtin[] {
  return [kind, "DateTime"].map((type) => builtin(`${name}(${type}) -> int`, doc, ([a]) => part(text(a), pattern)));
}

const zone = (written: string) => /(?:Z|[+-]\d\d:\d\d)$/.exec(written.replace(/^[^T:]*T/, ""))?.[0] ?? "";

function microseconds(written: string): bigint {
  const digits = /:\d\d\.(\d{1,9})/.exec(written)?.[1];
  return digits === undefined ? 0n : BigInt(digits.padEnd(6, "0").slice(0, 6));
}

/** Shifts beyond the width give what is left: nothing. */
function shift(value: bigint, by: bigint, left: boolean, call: Call): bigint {
  if (by < 0n) return call.fail("a shift by a negative number");
  if (by > 63n) return 0n;
  return BigInt.asIntN(64, left ? value << by : BigInt.asUintN(64, value) >> by);
}

export const CONVERSION_BUILTINS: readonly Builtin[] = [
  builtin("bool(int) -> bool", "Whether it is not 0", ([a]) => a !== 0n),
  builtin("bool(float) -> bool", "Whether it is not 0", ([a]) => a !== 0),
  builtin("bool(string) -> bool", "Whether it is not empty", ([a]) => a !== ""),
  builtin("bool(list[`x]) -> bool", "Whether it is not empty", ([a]) => (a as readonly Value[]).length > 0),
  builtin("bool(dict[`x, `y]) -> bool", "Whether it is not empty", ([a]) => (a as ReadonlyMap<never, never>).size > 0),
  builtin("bool(bool) -> bool", "The same", ([a]) => a),
  builtin("int(int) -> int", "The same", ([a]) => a),
  builtin("int(float) -> int", "Without what follows the point", ([a], call) => toInt(a as number, call)),
  builtin("int(char) -> int", "The number of the character", ([a]) => BigInt(text(a).codePointAt(0) ?? 0)),
  builtin("int(string) -> int", "The number that a text is", ([a], call) => parseInteger(a as string, call)),
  builtin("float(int) -> float", "The number", ([a]) => Number(a as bigint)),
  builtin("float(float) -> float", "The same", ([a]) => a),
  builtin("float(string) -> float", "The number that a text is", ([a], call) => parseFloating(a as string, call)),
  builtin("char(int) -> char", "The character of a number", ([a], call) => {
    const code = Number(a as bigint);
    if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
      return call.fail(`char: ${code} is no character`);
    return char(String.fromCodePoint(code));
  }),
  builtin("$(`t) -> string", "Any value as a text", ([a]) => print(a!)),
  builtin("string(`t) -> string", "Any value as a text", ([a]) => print(a!)),
  ...(Object.keys(EXPECTED) as LiteralKind[]).map(toLiteral),
  builtin("to_usec(Duration) -> int", "Microseconds", ([a]) => us(a)),
  builtin("to_msec(Duration) -> int", "Milliseconds", ([a]) => us(a) / 1000n),
  builtin("to_sec(Duration) -> int", "Seconds", ([a]) => us(a) / 1_000_000n),
  builtin("to_type(string) -> typespec", "The type that a text names", ([a], call) => {
    try {
      const written = a as string;
      if (written.length > 200) return call.fail("to_type: the text is too long");
      return { kind: "type", type: parseTypeText(written) };
    } catch (error) {
      if (error instanceof ConfigFault) return call.fail(`to_type: ${error.diagnostic.message}`);
      throw error;
    }
  }),
  ...both("get_year", "Date", "The year; -1 when it has none", YEAR),
  ...both("get_month", "Date", "The month", MONTH),
  ...both("get_day", "Date", "The day; -1 when it has none", DAY),
  ...both("get_hour", "Time", "The hour", HOUR),
  ...both("get_min", "Time", "The minute", MINUTE),
  ...both("get_sec", "Time", "The second; -1 when it has none", SECOND),
  ...["Time", "DateTime"].flatMap((type) => [
    builtin(`fractsec(${type}) -> int`, "Microseconds of the second", ([a]) => microseconds(text(a))),
    builtin(`tz_offset(${type}) -> string`, "The zone as written; empty when it has none", ([a]) => zone(text(a))),
  ]),
  builtin("ip_part(CIDR) -> IPAddr", "The address of a network", ([a]) => ({
    kind: "IPAddr",
    text: text(a).split("/")[0]!,
  })),
  builtin("net_size(CIDR) -> int", "The bits of a network", ([a]) => BigInt(text(a).split("/")[1]!)),
  builtin(
    "to_CIDR(IPAddr, int) -> CIDR",
    "A network of an address and its bits",
    ([a, bits], call) =>
      parseLiteralAs("CIDR", `${text(a)}/${print(bits!)}`) ?? call.fail(`to_CIDR: no network has ${print(bits!)} bits`),
  ),
  builtin("bitor(int, int) -> int", "Bits of either", ([a, b]) => (a as bigint) | (b as bigint)),
  builtin("bitand(int, int) -> int", "Bits of both", ([a, b]) => (a as bigint) & (b as bigint)),
  builtin("xor(int, int) -> int", "Bits of one but not both", ([a, b]) => (a as bigint) ^ (b as bigint)),
  builtin("shl(int, int) -> int", "Bits moved up", ([a, b], call) => shift(a as bigint, b as bigint, true, call)),
  builtin("shr(int, int) -> int", "Bits moved down", ([a, b], call) => shift(a as bigint, b as bigint, false, call)),
  builtin("bitnot(int) -> int", "All bits turned", ([a]) => ~(a as bigint)),
  builtin("high() -> int", "The largest number", () => (1n << 63n) - 1n),
  builtin("low() -> int", "The smallest number", () => -(1n << 63n)),
];
