// The values between << and >>: durations, sizes, dates, times and addresses. The text alone decides the type, tried in the
// order DateTime, Date, Time, Duration, Size, IPAddr, CIDR. Pure text to value; the calendar is checked, the clock never asked.

export type Literal =
  | { readonly kind: "Duration"; readonly us: bigint }
  | { readonly kind: "Size"; readonly bytes: bigint }
  /** `text` is the one written form: `2004-01-06`, `--03-02`, `--03`, `2007-01`. */
  | { readonly kind: "Date"; readonly text: string }
  /** `HH:MM`, `HH:MM:SS`, `HH:MM:SS.5`, then nothing, `Z` or `+HH:MM`. */
  | { readonly kind: "Time"; readonly text: string }
  | { readonly kind: "DateTime"; readonly text: string }
  | { readonly kind: "IPAddr"; readonly text: string }
  | { readonly kind: "CIDR"; readonly text: string };

export type LiteralKind = Literal["kind"];

/** Exact up to here in the original, whose durations and sizes have 64 bits. */
const LIMIT = 1n << 63n;

const SECOND = 1_000_000n;
/** The original has no singular words; they are what people type. */
const DURATION_UNITS: ReadonlyMap<string, readonly [string, bigint]> = new Map(
  (
    [
      ["us", 1n, "us usec usecs"],
      ["ms", 1000n, "ms msec msecs"],
      ["sec", SECOND, "s sec secs second seconds"],
      ["min", 60n * SECOND, "m min mins minute minutes"],
      ["hr", 3600n * SECOND, "h hr hrs hour hours"],
      ["day", 86_400n * SECOND, "d day days"],
      ["week", 604_800n * SECOND, "w wk wks week weeks"],
      ["year", 31_536_000n * SECOND, "y yr yrs year years"],
    ] as const
  ).flatMap(([unit, us, words]) => words.split(" ").map((word) => [word, [unit, us]] as const)),
);

export function parseDuration(text: string): Literal | undefined {
  const parts = /\s*(\d+) *([a-zA-Z]+)(?:\s*,\s*|\s+|$|(?=\d))/y;
  const used = new Set<string>();
  let us = 0n;
  let at = 0;
  const end = text.trimEnd().length;
  while (at < end) {
    parts.lastIndex = at;
    const part = parts.exec(text);
    if (part === null || part[1]!.length > 19) return undefined;
    const unit = DURATION_UNITS.get(part[2]!.toLowerCase());
    if (unit === undefined || used.has(unit[0])) return undefined;
    used.add(unit[0]);
    us += BigInt(part[1]!) * unit[1];
    at = parts.lastIndex;
  }
  return used.size === 0 || us >= LIMIT ? undefined : { kind: "Duration", us };
}

const SIZE = /^(\d{1,19}) *(?:([bB]|bytes|Bytes)|([kKmMgGtT])(?:b|B|(i|ib|iB|IB))?)$/;
const POWERS = "kmgt";

export function parseSize(text: string): Literal | undefined {
  const m = SIZE.exec(text.trim());
  if (m === null) return undefined;
  const power = m[3] === undefined ? 0n : BigInt(POWERS.indexOf(m[3].toLowerCase()) + 1);
  const bytes = BigInt(m[1]!) * (m[4] === undefined ? 1000n : 1024n) ** power;
  return bytes >= LIMIT ? undefined : { kind: "Size", bytes };
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH_NAMES = /^(?:january|february|march|april|may|june|july|august|september|sept|october|november|december)$/;

function monthOf(word: string): number {
  const lower = word.toLowerCase();
  const month = MONTHS.indexOf(lower.slice(0, 3)) + 1;
  return lower.length === 3 || MONTH_NAMES.test(lower) ? month : 0;
}

const two = (n: number) => String(n).padStart(2, "0");

function dateOf(year: number | undefined, month: number, day: number | undefined): Literal | undefined {
  if (month < 1 || month > 12) return undefined;
  if (day !== undefined) {
    const leap = year === undefined || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
    const last = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
    if (day < 1 || day > last) return undefined;
  }
  const head = year === undefined ? "--" : `${String(year).padStart(4, "0")}-`;
  return { kind: "Date", text: head + two(month) + (day === undefined ? "" : `-${two(day)}`) };
}

const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));

export function parseDate(text: string): Literal | undefined {
  const s = text.trim();
  const iso = /^(\d{4})-(\d\d)-(\d\d)$/.exec(s) ?? /^(\d{4})(\d\d)(\d\d)$/.exec(s);
  if (iso) return dateOf(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const yearless = /^--(\d\d)(?:-(\d\d))?$/.exec(s);
  if (yearless) return dateOf(undefined, Number(yearless[1]), number(yearless[2]));
  const american = /^([a-zA-Z]{3,9}) *(?:(\d{1,2})(?: *, *| +|$))?,? *(\d{4})?$/.exec(s);
  if (american) return dateOf(number(american[3]), monthOf(american[1]!), number(american[2]));
  const european = /^(\d{1,2}) +([a-zA-Z]{3,9})(?:,? +(\d{4}))?$/.exec(s);
  if (european) return dateOf(number(european[3]), monthOf(european[2]!), Number(european[1]));
  return undefined;
}

const TIME = /^(\d{1,2}):(\d\d)(?::(\d\d)(\.\d{1,9})?)? *([aApP][mM])?(Z|z|[+-]\d{1,2}:\d\d)?$/;

export function parseTime(text: string): Literal | undefined {
  const m = TIME.exec(text.trim());
  if (m === null) return undefined;
  let hour = Number(m[1]);
  const half = m[5]?.toLowerCase();
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + (half === "pm" ? 12 : 0);
  }
  if (hour > 23 || Number(m[2]) > 59 || Number(m[3] ?? 0) > 60) return undefined;
  const zone = m[6] === undefined ? "" : m[6].length === 5 ? m[6][0]! + "0" + m[6].slice(1) : m[6].toUpperCase();
  if (zone.length === 6 && (Number(zone.slice(1, 3)) > 15 || Number(zone.slice(4)) > 59)) return undefined;
  return {
    kind: "Time",
    text: `${two(hour)}:${m[2]}${m[3] === undefined ? "" : `:${m[3]}${m[4] ?? ""}`}${zone}`,
  };
}

export function parseDateTime(text: string): Literal | undefined {
  const at = Math.max(text.lastIndexOf("T"), text.lastIndexOf("t"));
  if (at < 0) return undefined;
  const date = parseDate(text.slice(0, at));
  const time = parseTime(text.slice(at + 1));
  if (date?.kind !== "Date" || time?.kind !== "Time") return undefined;
  return { kind: "DateTime", text: `${date.text}T${time.text}` };
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((p) => /^\d{1,3}$/.test(p) && Number(p) <= 255);
}

function isIpv6(text: string): boolean {
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text)) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1);
  const hasV4 = last !== undefined && last.includes(".");
  if (hasV4 && !isIpv4(last)) return false;
  const words = hasV4 ? groups.slice(0, -1) : groups;
  if (!words.every((g) => /^[0-9a-fA-F]{1,4}$/.test(g))) return false;
  const count = words.length + (hasV4 ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}

export function parseIpAddress(text: string): Literal | undefined {
  const s = text.trim();
  return isIpv4(s) || isIpv6(s) ? { kind: "IPAddr", text: s.toLowerCase() } : undefined;
}

export function parseCidr(text: string): Literal | undefined {
  const m = /^([^/]+)\/(\d{1,3})$/.exec(text.trim());
  if (m === null) return undefined;
  const limit = isIpv4(m[1]!) ? 32 : isIpv6(m[1]!) ? 128 : -1;
  return Number(m[2]) <= limit ? { kind: "CIDR", text: `${m[1]!.toLowerCase()}/${Number(m[2])}` } : undefined;
}

/** In the order in which a text without a type is tried. */
export const LITERAL_PARSERS: Readonly<Record<LiteralKind, (text: string) => Literal | undefined>> = {
  DateTime: parseDateTime,
  Date: parseDate,
  Time: parseTime,
  Duration: parseDuration,
  Size: parseSize,
  IPAddr: parseIpAddress,
  CIDR: parseCidr,
};

/** Longer texts are no literal; the patterns above are not meant for them. */
const MAX_LITERAL = 256;

export function parseLiteral(text: string): Literal | undefined {
  if (text.length > MAX_LITERAL) return undefined;
  for (const parse of Object.values(LITERAL_PARSERS)) {
    const literal = parse(text);
    if (literal !== undefined) return literal;
  }
  return undefined;
}

export function parseLiteralAs(kind: LiteralKind, text: string): Literal | undefined {
  return text.length > MAX_LITERAL ? undefined : LITERAL_PARSERS[kind](text);
}

const PRINTED_UNITS = ["week", "day", "hr", "min", "sec", "ms", "us"] as const;

/** A text that parses back to the same value, without << and >>. */
export function printLiteral(literal: Literal): string {
  if (literal.kind === "Duration") {
    let rest = literal.us;
    const parts: string[] = [];
    for (const unit of PRINTED_UNITS) {
      const us = DURATION_UNITS.get(unit)![1];
      if (rest >= us) parts.push(`${rest / us} ${unit}`);
      rest %= us;
    }
    return parts.length === 0 ? "0 sec" : parts.join(" ");
  }
  if (literal.kind === "Size") {
    let { bytes } = literal;
    let power = 0;
    while (power < 4 && bytes > 0n && bytes % 1000n === 0n) {
      bytes /= 1000n;
      power++;
    }
    return power === 0 ? `${bytes} bytes` : `${bytes}${POWERS[power - 1]}b`;
  }
  return literal.text;
}

function clockParts(text: string): number {
  const m = /^(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(Z|[+-]\d\d:\d\d)?$/.exec(text)!;
  const zone = m[4] === undefined || m[4] === "Z" ? 0 : Number(m[4].slice(0, 3)) * 60 + Number(m[4][0] + m[4].slice(4));
  return Number(m[1]) * 3600 + Number(m[2]) * 60 + Number(m[3] ?? 0) - zone * 60;
}

function dayNumber(text: string): number {
  const m = /^(?:--|(\d{4})-)(\d\d)(?:-(\d\d))?$/.exec(text)!;
  return Date.UTC(Number(m[1] ?? 0), Number(m[2]) - 1, Number(m[3] ?? 1)) / 1000;
}

function groupsOf(address: string): bigint {
  if (!address.includes(":")) return address.split(".").reduce((n, part) => n * 256n + BigInt(part), 0n);
  const v4 = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (a: string, b: string) => (Number(a) * 256 + Number(b)).toString(16);
  const plain = v4 ? `${v4[1]}${hex(v4[2]!, v4[3]!)}:${hex(v4[4]!, v4[5]!)}` : address;
  const [head, tail] = plain.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - head!.length - tail.length }, () => "0");
  return [...head!, ...zeros, ...(tail ?? [])].reduce((n, group) => n * 65_536n + BigInt(`0x${group}`), 1n);
}

/** Below 0, 0, above 0; both of the same kind. */
export function compareLiterals(a: Literal, b: Literal): number {
  const sign = (x: bigint | number, y: bigint | number) => (x < y ? -1 : x > y ? 1 : 0);
  if (a.kind === "Duration" && b.kind === "Duration") return sign(a.us, b.us);
  if (a.kind === "Size" && b.kind === "Size") return sign(a.bytes, b.bytes);
  if (a.kind === "Date" && b.kind === "Date") return sign(dayNumber(a.text), dayNumber(b.text));
  if (a.kind === "Time" && b.kind === "Time") return sign(clockParts(a.text), clockParts(b.text));
  if (a.kind === "DateTime" && b.kind === "DateTime") {
    const instant = ({ text }: { readonly text: string }) => {
      const [date, time] = text.split("T") as [string, string];
      return dayNumber(date) + clockParts(time);
    };
    return sign(instant(a), instant(b));
  }
  if (a.kind === "IPAddr" && b.kind === "IPAddr") return sign(groupsOf(a.text), groupsOf(b.text));
  if (a.kind === "CIDR" && b.kind === "CIDR") {
    const [left, leftBits] = a.text.split("/") as [string, string];
    const [right, rightBits] = b.text.split("/") as [string, string];
    return sign(groupsOf(left), groupsOf(right)) || sign(Number(leftBits), Number(rightBits));
  }
  return sign(a.kind.length, b.kind.length);
}
