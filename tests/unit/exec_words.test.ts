// The words of `tk exec`: where the program's begin, what the flags come to, what is refused.
import { describe, expect, test } from "bun:test";
import { parseExecWords } from "../../cmd/exec_words.ts";
import { verbAt } from "../../cmd/verb.ts";
import { parseReports, withUnit } from "../../cmd/record_reports.ts";

const parsed = (...words: string[]) => parseExecWords(words)._unsafeUnwrap();
const refused = (...words: string[]) => parseExecWords(words)._unsafeUnwrapErr();

describe("where the program begins", () => {
  test.each<[string[], number]>([
    [["ls", "-la"], 0],
    [["--", "ls"], 1],
    [["--heartbeat", "ls", "--heartbeat"], 1],
    [["--heartbeat", "--", "--heartbeat"], 2],
    [["-f", "x", "ls"], 2],
    [["-fx", "ls"], 1],
    [["--config-file=x", "ls"], 1],
    [["--report-template", "t", "ls"], 2],
    [["--exec-command-name=ls", "-la"], 1],
    [["--exec-command-name", "ls", "-la"], 2],
    [["--exec-command-name=", "ls", "-la"], 2],
    [["--exec-command-name=ls", "--heartbeat", "-la"], 2],
    [["--exec-command-name=ls", "--heartbeat", "--", "--heartbeat"], 3],
    [["--exec-command-name=ls", "--help"], 1],
    [["--exec-command-name=ls", "--exec-command-name=x"], 1],
    [["-"], 0],
    [[], 0],
  ])("%j", (words, args) => {
    expect(parsed(...words).args).toBe(args);
  });

  test("the name is a place in the words, so that its bytes can be asked for", () => {
    expect(parsed("--heartbeat", "--exec-command-name=ls").name).toEqual({ word: 1, from: 20 });
    expect(parsed("--exec-command-name", "ls").name).toEqual({ word: 1, from: 0 });
    expect(parsed("ls").name).toBeUndefined();
  });
});

describe("flags", () => {
  test("set what configurations call by longer names", () => {
    const { overrides } = parsed(
      ..."--heartbeat --heartbeat-rate=5 --no-pg13 --report-template t --no-env-vars --log-level:warn --info".split(
        " ",
      ),
      "--heartbeat-rate",
      "10 minutes",
    );
    expect(overrides).toEqual([
      { path: "exec.heartbeat.run", value: true },
      { path: "exec.heartbeat.rate", value: "5 seconds" },
      { path: "exec.chalk_as_parent", value: false },
      { path: "outconf.exec.report_template", value: "t" },
      { path: "env_vars", value: false },
      { path: "log_level", value: "warn" },
      { path: "log_level", value: "info" },
      { path: "exec.heartbeat.rate", value: "10 minutes" },
    ]);
  });

  test.each(["--chalk-as-parent", "--as-parent", "--pg13", "--pg-13"])("%s", (flag) => {
    expect(parsed(flag, "x").overrides).toEqual([{ path: "exec.chalk_as_parent", value: true }]);
  });

  test("what only this run wants", () => {
    const words = parsed("-o", "f", "--format=ndjson", "--no-use-embedded-config", "--no-use-external-config", "x");
    expect(words).toMatchObject({ output: "f", format: "ndjson", useEmbedded: false, useExternal: false });
    expect(parsed("--enable-report=a,b", "--disable-report", "c", "x")).toMatchObject({
      enableReports: ["a", "b"],
      disableReports: ["c"],
    });
    expect(parsed("-h").help).toBe(true);
  });

  test("are noted for the report as they were resolved", () => {
    expect(parsed("--heartbeat", "-f", "x", "ls").flags).toEqual(["--heartbeat=true", "-f=x"]);
  });

  test("what the original has besides changes nothing", () => {
    expect(parsed("--no-color", "-C", "--run-sbom-tools", "--follow", "--virtual", "x").overrides).toEqual([]);
  });
});

test.each<[string[], RegExp]>([
  [["--heartbeet", "x"], /Unknown option '--heartbeet'.*did you mean --heartbeat\?/],
  [["-x", "y"], /Unknown option '-x'/],
  [["--report-template"], /--report-template needs a value/],
  [["--exec-command-name"], /needs the name of a program/],
  [["--heartbeat=maybe", "x"], /--heartbeat takes no value/],
  [["--format=xml", "x"], /--format is 'xml', expected json or ndjson/],
])("%j is refused", (words, said) => {
  expect(refused(...words)).toMatch(said);
});

test("the verb stands behind flags that are good for all of them", () => {
  expect(verbAt(["exec", "ls"])).toBe(0);
  expect(verbAt(["--trace", "-f", "exec", "exec", "ls"])).toBe(3);
  expect(verbAt(["--config-file=x", "exec"])).toBe(1);
  expect(verbAt(["--version"])).toBe(1);
  expect(verbAt(["--", "exec"])).toBe(0);
  expect(verbAt(["-f"])).toBe(1);
  expect(verbAt([])).toBe(0);
});

test("record --report", () => {
  expect(parseReports("exec,heartbeat=1s")._unsafeUnwrap()).toEqual({ exec: true, heartbeat: "1s" });
  expect(parseReports("heartbeat")._unsafeUnwrap()).toEqual({ exec: false, heartbeat: "" });
  expect(parseReports("exec")._unsafeUnwrap()).toEqual({ exec: true, heartbeat: undefined });
  for (const bad of ["", "exec=1", "heartbeat=", "x", "exec,,heartbeat"]) expect(parseReports(bad).isErr()).toBe(true);
  expect([withUnit("5"), withUnit("5 ms")]).toEqual(["5 seconds", "5 ms"]);
});
