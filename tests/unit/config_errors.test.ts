// What is told about wrong configurations: place, sentence, source line, caret; several at once; nearest names.
import { describe, expect, test } from "bun:test";
import { errorsOf, evaluate, tryEvaluate } from "../support/config_host.ts";

const first = (text: string) => errorsOf(text)[0]?.split("\n")[0] ?? "no error";

describe("errors", () => {
  test("a place, a sentence, the line and a caret under the column", () => {
    expect(errorsOf('log_level: "info"\n  exec.heartbeat_rate: "10 s"')).toEqual([
      `test.c4m:2:24: 'exec.heartbeat.rate' gets string, expected Duration, such as <<10 seconds>>
    exec.heartbeat_rate: "10 s"
                         ^`,
    ]);
  });

  test("several are told at once, whether words, statements or types", () => {
    const text = 'a b c\nexek.x: 1\nlog_level: @ "x"\nif 1 { }\nexec.use_path: "no"';
    expect(errorsOf(text).map((e) => e.split(":")[1])).toEqual(["3", "1", "2", "4", "5"]);
  });

  test("a hostile line cannot steer the terminal", () => {
    const [text] = errorsOf('exec.x\u001b[31m: "\u202e"');
    expect(text?.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  test.each([
    ["blah blah blah", "test.c4m:1:11: found 'blah', expected '{' or the end of the statement"],
    ["sink_config a\n{ }", "test.c4m:2:1: '{' stands on a line of its own, expected it on the line of 'sink_config'"],
    ["sink_config { }", "test.c4m:1:1: 'sink_config' needs a name, expected sink_config NAME { ... }"],
    ["exec main { }", "test.c4m:1:1: 'exec' takes no name, expected exec { ... }"],
    ["exec { hartbeat { } }", "test.c4m:1:8: unknown section 'hartbeat' of 'exec'; did you mean 'heartbeat'?"],
    ['exec.comand_name: "x"', "test.c4m:1:6: unknown attribute 'comand_name' of 'exec'; did you mean 'command_name'?"],
    ["exec.command_name.x: 1", "test.c4m:1:6: 'exec.command_name' is an attribute, but is used as a section here"],
    ["exec: true", "test.c4m:1:1: 'exec' is a section, expected exec { ... } or an attribute of it"],
    ["my-name: 1", "test.c4m:1:3: a name has no hyphen, expected letters, digits and '_'"],
    ["sink_config my-sink { }", 'test.c4m:1:15: a name has no hyphen; put it in double quotes: sink_config "..."'],
    ['log_level := "x"\nx := [1, "a"]', "test.c4m:2:10: a string in a list of int, expected elements of one type"],
    ['if "a" { }', "test.c4m:1:4: the condition is string, expected bool; bool(x) converts"],
    [
      "x := 1 + 1.5",
      "test.c4m:1:8: '+' between int and float, expected one type on both sides; float(x) or int(x) converts",
    ],
    [
      'x := "a" + 1',
      "test.c4m:1:10: '+' between string and int, expected one type on both sides; $(x) makes a text of anything",
    ],
    ["x := [1] == [1]", "test.c4m:1:10: '==' cannot compare list[int]"],
    ['exec.default_args: "a"', "test.c4m:1:20: 'exec.default_args' gets string, expected list[string]; put it in [ ]"],
    [
      "exec.command_name: 'a'",
      "test.c4m:1:20: 'exec.command_name' gets char, expected string; a text stands in double quotes",
    ],
    [
      "x := <<1.5 sec>>",
      "test.c4m:1:6: invalid literal <<1.5 sec>>, expected a duration (<<10 seconds>>), a size (<<10 mb>>), a date, a time or an address",
    ],
    ['x := subscibe("a", "b")', "test.c4m:1:6: no function 'subscibe'; did you mean 'subscribe' or 'unsubscribe'?"],
    [
      "x := len(1)",
      "test.c4m:1:6: len(int) does not fit, expected len(string) -> int, or len(list[`x]) -> int, or len(dict[`x, `y]) -> int",
    ],
    ["x := 1 / 0", "test.c4m:1:8: a division by zero"],
    ['x := {"a": 1}["b"]', 'test.c4m:1:15: the dictionary has no key "b"'],
    ["x := [1][1]", "test.c4m:1:10: no element 1, there are 1"],
    ["x := 9223372036854775807 + 1", "test.c4m:1:26: the number does not fit into 64 bits"],
    ["for i from 0 to 3 { i := 1 }", "test.c4m:1:21: 'i' is the index of the loop and cannot be set"],
    ["break", "test.c4m:1:1: 'break' outside of a loop"],
    ["return 1", "test.c4m:1:1: 'return' outside of a function"],
    ["if true { enum A }", "test.c4m:1:11: 'enum' inside a block, expected it at the top level of the file"],
    ["}", "test.c4m:1:1: '}' closes nothing"],
    ["exec {\n use_path: true", "test.c4m:1:6: the block does not end, expected '}'"],
    ["else { }", "test.c4m:1:1: 'else' without an 'if' before it on the line of its '}'"],
    ['abort("stop")', "test.c4m:1:1: abort: stop"],
    ["func f() { return 1 }\nfunc f() { return 2 }", "test.c4m:2:6: a second function 'f'"],
    ["func f(a) { return a }\nx := f(1, 2)", "test.c4m:2:6: f with 2 arguments, expected 1"],
    ["echo.x(1)", "test.c4m:1:1: a call cannot be a statement in this form, expected name(arguments), or name: value"],
    ["use nothing", "test.c4m:1:1: cannot read 'nothing'"],
  ])("%j", (text, expected) => {
    expect(first(text)).toBe(expected);
  });

  test("a lock holds against another value, and says where it was set", () => {
    expect(first('~log_level: "info"\nlog_level: "info"\nlog_level: "warn"')).toBe(
      `test.c4m:3:1: 'log_level' is locked since test.c4m:1:2, where it became "info"; it cannot become "warn"`,
    );
  });

  test("of two files the later one wins, and both are named", () => {
    const result = tryEvaluate([
      ["a.c4m", "exec.heartbeat: true"],
      ["b.c4m", "\nexec { heartbeat { run: false } }"],
    ]);
    if (Array.isArray(result) || !("settings" in result)) throw new Error("refused");
    expect(result.settings.exec.heartbeat.run).toBe(false);
    expect(result.notes.map((n) => [n.severity, n.place?.file, n.message])).toEqual([
      ["info", "b.c4m", "'exec.heartbeat.run' becomes false here, instead of true of a.c4m:1:1"],
    ]);
  });

  test("branches that are not taken are checked as well", () => {
    expect(first('if false { exec.use_path: "x" }')).toContain("expected bool");
  });

  test("the command line's word is the last", () => {
    const { settings } = evaluate("exec.heartbeat: false", {}, [
      { path: "exec.heartbeat.run", value: true },
      { path: "exec.heartbeat.rate", value: "3 sec" },
    ]);
    expect(settings.exec.heartbeat).toMatchObject({ run: true, rateMs: 3000 });
  });
});
