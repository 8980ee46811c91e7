// Literals between << and >>: the reference's forms, the ones that tk adds, and what is none.
import { describe, expect, test } from "bun:test";
import { compareLiterals, type Literal, parseLiteral, parseLiteralAs, printLiteral } from "../../lib/config/literal.ts";

function shown(text: string): string {
  const literal = parseLiteral(text);
  return literal === undefined ? "none" : `${literal.kind} ${printLiteral(literal)}`;
}

describe("parseLiteral", () => {
  test.each([
    ["10 seconds", "Duration 10 sec"],
    ["1 minute", "Duration 1 min"], // The original refuses the singular.
    ["1 second", "Duration 1 sec"],
    ["2 hour", "Duration 2 hr"],
    ["1 hr, 30 min 5sec", "Duration 1 hr 30 min 5 sec"],
    ["90 MIN", "Duration 1 hr 30 min"],
    ["500ms", "Duration 500 ms"],
    ["1 year", "Duration 52 week 1 day"],
    ["10m", "Duration 10 min"],
    ["10M", "Duration 10 min"], // Durations come before sizes.
    ["10mb", "Size 10mb"],
    ["10 MiB", "Size 10485760 bytes"],
    ["4k", "Size 4kb"],
    ["512 bytes", "Size 512 bytes"],
    ["2004-01-06", "Date 2004-01-06"],
    ["20040106", "Date 2004-01-06"],
    ["--03-02", "Date --03-02"],
    ["--03", "Date --03"],
    ["Jan 7, 2007", "Date 2007-01-07"],
    ["7 Jan 2007", "Date 2007-01-07"],
    ["January 2007", "Date 2007-01"],
    ["2:03", "Time 02:03"],
    ["12:23:01.5Z", "Time 12:23:01.5Z"],
    ["12:23:01+2:00", "Time 12:23:01+02:00"],
    ["2:03 pm", "Time 14:03"],
    ["12:00 am", "Time 00:00"],
    ["2024-03-05T14:35:22", "DateTime 2024-03-05T14:35:22"],
    ["10.0.0.1", "IPAddr 10.0.0.1"],
    ["2001:DB8::1", "IPAddr 2001:db8::1"],
    ["::ffff:192.0.2.1", "IPAddr ::ffff:192.0.2.1"],
    ["10.0.0.0/8", "CIDR 10.0.0.0/8"],
    ["2001:db8::/32", "CIDR 2001:db8::/32"],
  ])("<<%s>> is %s", (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test.each([
    "",
    "10",
    "1.5 seconds",
    "1 sec 2 sec",
    "10 parsecs",
    "2023-02-29",
    "2004-13-01",
    "25:00",
    "13:00 pm",
    "256.0.0.1",
    "1:2:3:4:5:6:7",
    "10.0.0.0/33",
    "99999999999999999999 sec",
    "9".repeat(300),
  ])("<<%s>> is none", (text) => {
    expect(shown(text)).toBe("none");
  });

  test("what is printed parses back to the same", () => {
    for (const text of ["3 days 4 ms", "7 us", "1 gb", "1025 bytes", "0 sec", "2004-01-06", "12:23:01.5Z"]) {
      const literal = parseLiteral(text)!;
      const again = parseLiteralAs(literal.kind, printLiteral(literal))!;
      expect(again).toEqual(literal);
    }
  });

  test("order is that of what they stand for, not of their letters", () => {
    const order = (a: string, b: string) => compareLiterals(parseLiteral(a) as Literal, parseLiteral(b) as Literal);
    expect(order("90 sec", "1 min")).toBeGreaterThan(0);
    expect(order("9.0.0.1", "10.0.0.1")).toBeLessThan(0);
    expect(order("::1", "::2")).toBeLessThan(0);
    expect(order("12:00Z", "12:30+01:00")).toBeGreaterThan(0);
    expect(order("2023-12-31", "2024-01-01")).toBeLessThan(0);
    expect(order("2024-01-01T00:00Z", "2024-01-01T01:00+01:00")).toBe(0);
  });
});
