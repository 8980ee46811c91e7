// Words of the c4m language: every rule of how they are written, and what is told about the rest.
import { describe, expect, test } from "bun:test";
import { Diagnostics } from "../../lib/config/diagnostic.ts";
import { lex } from "../../lib/config/lexer.ts";
import { SourceText } from "../../lib/config/source_text.ts";

function words(text: string): string[] {
  const problems = new Diagnostics();
  const tokens = lex(new SourceText("t.c4m", text), problems);
  expect(problems.list.map((d) => d.message)).toEqual([]);
  return tokens.map((t) => `${t.kind}:${t.text}`);
}

function errors(text: string): string[] {
  const problems = new Diagnostics();
  lex(new SourceText("t.c4m", text), problems);
  return problems.list.map((d) => `${d.place?.line}:${d.place?.column} ${d.message}`);
}

describe("lex", () => {
  test("comments of all three kinds are blanks", () => {
    expect(words("a # one\nb // two\n/* three\n */ c")).toEqual([
      "name:a",
      "eos:\n",
      "name:b",
      "eos:\n",
      "name:c",
      "end:",
    ]);
  });

  test("a line end counts once, and not after what cannot be over", () => {
    expect(words("a:\n\n  1 +\n  2\n\n\nb")).toEqual([
      "name:a",
      "operator::",
      "int:1",
      "operator:+",
      "int:2",
      "eos:\n",
      "name:b",
      "end:",
    ]);
  });

  test("names have letters of any script, digits, _ and $, but no hyphen", () => {
    expect(words("_größe $ a1 a-b")).toEqual([
      "name:_größe",
      "name:$",
      "name:a1",
      "name:a",
      "operator:-",
      "name:b",
      "end:",
    ]);
  });

  test("numbers, and bare addresses and times", () => {
    expect(words("12 1.5 2e3 1.0e-3 10.0.0.1 10.0.0.0/8 12:30:00")).toEqual([
      "int:12",
      "float:1.5",
      "float:2e3",
      "float:1.0e-3",
      "other:10.0.0.1",
      "other:10.0.0.0/8",
      "other:12:30:00",
      "end:",
    ]);
  });

  test("escapes mean what they say, in both kinds of texts", () => {
    expect(words('"\\n\\t\\\\\\"\\x41\\u00e9\\U0001F600\\q"')).toEqual(['string:\n\t\\"Aé😀q', "end:"]);
    expect(words(`"""a\n"b" \\x42"""`)).toEqual([`string:a\n"b" B`, "end:"]);
    expect(words("'x' '\\n' '😀'")).toEqual(["char:x", "char:\n", "char:😀", "end:"]);
  });

  test("other literals are free text", () => {
    expect(words("<< 10 seconds >>")).toEqual(["other:10 seconds", "end:"]);
  });

  test("a byte order mark and CR LF are nothing", () => {
    expect(words("\ufeffa\r\nb\r\n")).toEqual(["name:a", "eos:\n", "name:b", "eos:\n", "end:"]);
  });

  test.each([
    ["a\rb", "1:2 a carriage return without a line feed, expected a line end"],
    ['x: "abc', '1:4 the text does not end on its line, expected "'],
    ['x: """abc\n', '1:4 the text does not end, expected """'],
    ["/* a", "1:1 the comment does not end, expected */"],
    ["<<10 sec", "1:1 the literal does not end, expected >>"],
    ["'abc'", "1:1 expected one character between ' and '; a text stands in double quotes"],
    ["''", "1:1 expected one character between ' and '; a text stands in double quotes"],
    ["9223372036854775808", "1:1 the number is too large, expected at most 9223372036854775807"],
    ["10s", "1:1 '10s' is neither a number nor a name; a duration or a size stands in << >>"],
    ["a @ b", "1:3 '@' means nothing here, expected a name, a value or an operator"],
    ["a \u0000", "1:3 '\\x00' means nothing here, expected a name, a value or an operator"],
    [String.raw`"\xZZ"`, "1:2 \\x needs 2 hexadecimal digits"],
    [String.raw`"\ud800"`, "1:2 \\ud800 is no character"],
  ])("%j is told with its place", (text, expected) => {
    expect(errors(text)[0]).toBe(expected);
  });
});
