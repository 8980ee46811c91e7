// What configurations mean: expressions, statements, functions, scopes; shown through what `echo` says.
import { describe, expect, test } from "bun:test";
import { Configuration } from "../../lib/config/configuration.ts";
import { formatDiagnostic } from "../../lib/config/diagnostic.ts";
import { SourceText } from "../../lib/config/source_text.ts";
import { errorsOf, evaluate, type FakeWorld, fakeHost, KNOWN } from "../support/config_host.ts";

/** Everything a text says with `echo`. */
function said(text: string, world: FakeWorld = {}): string[] {
  const host = fakeHost(world);
  const configuration = new Configuration(host);
  configuration.add(new SourceText("t.c4m", text));
  const result = configuration.finish(KNOWN);
  if (result.isErr()) throw new Error(result.error.map(formatDiagnostic).join("\n"));
  return host.logged.map((line) => line.replace(/^echo: /, ""));
}

const value = (expression: string, world: FakeWorld = {}) => said(`echo(${expression})`, world)[0];

describe("expressions", () => {
  test.each([
    ["1 + 2 * 3", "7"],
    ["10 - 3 - 2", "5"], // 9 in the original; told as a remark.
    ["8 / 4 / 2", "1.0"],
    ["7 % 4", "3"],
    ["7 / 2", "3.5"],
    ["-3 + 1", "-2"],
    ["not false and false", "false"],
    ["true or 1 / 0 == 1.0", "true"],
    ["1 < 2 and 2 >= 2", "true"],
    ["1 is 1", "true"],
    ["!true || true && true", "true"],
    ['"a" + "b" + $(3)', "ab3"],
    ["'a' + 'b'", "ab"],
    ["<<1 min>> + <<30 sec>> == <<90 sec>>", "true"],
    ["<<1 min>> > <<59 sec>>", "true"],
    ["[1, 2, 3][1]", "2"],
    ['{"a": 1, "b": 2}["b"]', "2"],
    ['("x", 2)[0]', "x"],
    ['"héllo"[1]', "é"],
    ['"abc".upper().len()', "3"],
    ["[\n1,\n2\n]", "[1, 2]"],
    ["[1, 2,]", "[1, 2]"], // A comma at the end is tolerated.
    ['{"a": [1]}', '{"a" : [1]}'],
    ["<<1 hr 90 sec>>", "1 hr 1 min 30 sec"],
    ["list[string]", "list[string]"],
    ["typeof([1])", "list[int]"],
    ["10.0.0.1 < 10.0.0.2", "true"],
  ])("%s is %s", (expression, expected) => {
    expect(value(expression)).toBe(expected);
  });
});

describe("built-in functions", () => {
  test.each([
    ['contains("abc", "b")', "true"],
    ["contains([1, 2], 3)", "false"],
    ['contains({"a": 1}, "a")', "true"],
    ['starts_with("abc", "ab") and ends_with("abc", "bc")', "true"],
    ['find("héllo", "l")', "2"],
    ['slice("abcdef", 1, -1)', "bcde"],
    ['split("a,b", ",")', '["a", "b"]'],
    ['join(["a", "b"], "-")', "a-b"],
    ['pad("a", 3) + "|"', "a  |"],
    ['replace("aXbX", "X", "yy")', "ayybyy"],
    ['base64("hé") + " " + debase64("aMOp")', "aMOp hé"],
    ['hex("é") + dehex("c3a9")', "c3a9é"],
    ["hex(255)", "00000000000000ff"],
    ['sha256("")', "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ['mime_to_dict("A: b\\nC: d")', '{"A" : "b", "C" : "d"}'],
    ['to_json(parse_json("{\\"a\\": [1, 2.5, true]}"))', '{"a":[1,2.5,true]}'],
    ['keys({"a": 1})', '["a"]'],
    ['items({"a": 1})', '[("a", 1)]'],
    ["set([1, 2], 0, 9)", "[9, 2]"],
    ['len(delete({"a": 1}, "a"))', "0"],
    ["remove([1, 2], 0)", "[2]"],
    ["array_add([1], [2])", "[1, 2]"],
    ['int(3.9) + int("4")', "7"],
    ["to_msec(<<2 sec>>)", "2000"],
    ['Duration("5 min") == <<300 sec>>', "true"],
    ["bitand(6, 3) + shl(1, 4) + bitnot(0)", "17"],
    ["get_month(<<2024-03-05>>)", "3"],
    ["net_size(<<10.0.0.0/8>>)", "8"],
    ['path_split("/a/b")', '("/a", "b")'],
    ["version()", "1.2.3"],
    ["command_argv()", '["ls", "-la"]'],
    ["now()", "1709667322781"],
    ['quote("it\'s")', `'it'"'"'s'`],
  ])("%s is %s", (expression, expected) => {
    expect(value(expression)).toBe(expected);
  });

  test("env, env_exists and using_tty go through the host", () => {
    const world = { env: { A: "x" }, terminal: true };
    expect(said('echo(env("A"), env("B"), env_exists("B"), using_tty())', world)).toEqual(["x  false true"]);
  });

  test("format sees variables, attributes and defaults", () => {
    expect(said('n := 3\necho(format("{{{n}}} {exec.heartbeat.nice}"))')).toEqual(["{3} 5"]);
  });

  test.each(["run", "system", "url_get", "write_file", "set_env"])("%s is refused with a reason", (name) => {
    expect(errorsOf(`x := ${name}("a")`)[0]).toContain(`${name}() cannot be called: a configuration cannot`);
  });
});

describe("statements", () => {
  test("for counts up to and without the end, and down", () => {
    expect(
      said('for i from 1 to 4 { echo(i) }\nfor i from 3 to 1 { echo("d" + $(i)) }\nfor i from 2 to 2 { echo(i) }'),
    ).toEqual(["1", "2", "3", "d2", "d1"]);
  });

  test("break and continue", () => {
    expect(said("for i from 0 to 9 {\n if i == 1 { continue }\n if i == 3 { break }\n echo(i) }")).toEqual(["0", "2"]);
  });

  test("if, elif, else; else may stand on the next line", () => {
    const text = (n: number) =>
      `x := ${n}\nif x == 1 { echo("one") } elif x == 2 { echo("two") }\nelse { echo("many") }`;
    expect([1, 2, 3].map((n) => said(text(n))[0])).toEqual(["one", "two", "many"]);
  });

  test("a variable belongs to the block that first set it", () => {
    expect(errorsOf("if true { x := 1 }\necho(x)")[0]).toContain("'x' is used before it is defined");
    expect(said("x := 0\nfor i from 0 to 3 { x := x + i }\necho(x)")).toEqual(["3"]);
  });

  test("functions: result, return, recursion, use before definition", () => {
    const text = `
echo(fact(5), twice("ab"))
func fact(n) { if n <= 1 { return 1 }
  return n * fact(n - 1) }
func twice(s: string) { result := s + s }`;
    expect(said(text)).toEqual(["120 abab"]);
  });

  test("functions see only their arguments and what is exported", () => {
    expect(errorsOf("x := 1\nfunc f() { return x }\necho(f())")[0]).toContain("'x' is used before it is defined");
    expect(said("export x\nx := 1\nfunc f() { return x }\necho(f())")).toEqual(["1"]);
  });

  test("enums count from 0; tuples are taken apart", () => {
    expect(said('enum A, B, C\na, b := (C, "x")\necho(a, b)')).toEqual(["2 x"]);
  });

  test("an attribute is read from the enclosing section first, then the top; defaults count", () => {
    expect(said('log_level: "info"\nexec { command_name: "x"\n echo(command_name, log_level, use_path) }')).toEqual([
      "x info true",
    ]);
  });

  test("a component's functions and exports are there after use", () => {
    const components = { lib: 'export greeting\ngreeting := "hi"\nfunc hello(n) { return greeting + n }' };
    expect(said('use lib from "."\necho(hello("!"), greeting)', { components })).toEqual(["hi! hi"]);
  });

  test("components that use each other are told", () => {
    const components = { a: "use b", b: "use a" };
    expect(errorsOf("use a", { components })[0]).toContain("uses itself");
  });

  test("parameters: the default, an answer, and the validator's word", () => {
    const text = `
func check(s) { if s == "bad" { return "not bad" }
  return "" }
parameter sink_config.x.uri { default: "https://a/"  validator: func check(string) -> string }
parameter var minutes { default: 2.5 }
sink_config x { sink: "post" }
echo(sink_config.x.uri, minutes)`.replace("  validator", "\nvalidator");
    expect(said(text)).toEqual(["https://a/ 2.5"]);
    expect(said(text, { parameters: { "sink_config.x.uri": "https://b/", "var minutes": 4 } })).toEqual([
      "https://b/ 4.0",
    ]);
    expect(errorsOf(text, { parameters: { "sink_config.x.uri": "bad" } })[0]).toContain("is refused: not bad");
  });

  test("`not a and b` is told, since the original reads it otherwise", () => {
    const { notes } = evaluate("if not true and false { }");
    expect(notes.map((n) => n.severity)).toEqual(["warning"]);
    expect(notes[0]?.message).toContain("add parentheses");
    expect(evaluate("if (not true) and false { }").notes).toEqual([]);
  });
});
