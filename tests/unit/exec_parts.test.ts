// The parts of lib/exec that need no program: beats, the plan, settings as text, which program is meant, messages, feed lines.
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { DEFAULT_SETTINGS, type Settings } from "../../lib/config/settings.ts";
import { Beats } from "../../lib/exec/beats.ts";
import { attemptsFor, expectedAttempt, programWords } from "../../lib/exec/command.ts";
import { ExecError } from "../../lib/exec/exec_error.ts";
import { readFedReport } from "../../lib/exec/fed_report.ts";
import { isShown } from "../../lib/exec/log.ts";
import { decodePlan, encodePlan, type Plan } from "../../lib/exec/plan.ts";
import { planReports } from "../../lib/exec/reports.ts";
import { settingsFrom, settingsText } from "../../lib/exec/settings_text.ts";
import { RUN } from "../support/reports.ts";
import { temporaryFolder } from "../support/programs.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (b: Uint8Array) => new TextDecoder().decode(b);

describe("beats", () => {
  test("stay on multiples of the rate, however long each takes", () => {
    const beats = new Beats(1000, 100);
    const due: number[] = [];
    for (const took of [0, 30, 99, 5, 0]) {
      due.push(beats.dueMs);
      beats.made(beats.dueMs + took);
    }
    expect(due).toEqual([1100, 1200, 1300, 1400, 1500]);
  });

  test("what was slept through is not made up for", () => {
    const beats = new Beats(0, 100);
    beats.made(100);
    beats.made(1050);
    expect(beats.dueMs).toBe(1100);
  });

  test("law: always later than the beat before, never more than a rate after now", () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 1e6 }), fc.array(fc.nat(1e7)), (start, rate, delays) => {
        const beats = new Beats(start, rate);
        let now = start;
        for (const delay of delays) {
          now = Math.max(now, beats.dueMs) + delay;
          const before = beats.dueMs;
          beats.made(now);
          expect(beats.dueMs).toBeGreaterThan(before);
          expect(beats.dueMs).toBeLessThanOrEqual(Math.max(now, before) + rate);
          expect((beats.dueMs - start) % rate).toBe(0);
        }
      }),
    );
  });
});

describe("the plan", () => {
  const plan: Plan = {
    programPid: 4711,
    handle: 7,
    run: RUN,
    look: { parts: [], clock: 0, script: 64 },
    keepsStdout: false,
    keepsStderr: true,
    asParent: false,
    adopted: false,
    request: { words: ["a\nb", "\u0000"] },
  };

  test("comes out as it went in, the environment byte for byte, the answers behind it", () => {
    const environment = [bytes("A=1"), Uint8Array.of(0x42, 0x3d, 0xff, 0x0a), bytes("C="), bytes("")];
    const file = new Uint8Array([...encodePlan(plan, environment), 1, 2, 3]);
    const told = decodePlan(file);
    expect(told.plan).toEqual(plan);
    expect(told.environment.map((b) => [...b])).toEqual(environment.map((b) => [...b]));
    expect([...told.answers]).toEqual([1, 2, 3]);
  });

  test("without an environment", () => {
    const told = decodePlan(encodePlan(plan, []));
    expect([told.environment.length, told.answers.length]).toEqual([0, 0]);
  });
});

test("settings come out as they went in, maps as maps; functions cannot be handed over", () => {
  expect(settingsFrom(settingsText(DEFAULT_SETTINGS)!)).toEqual(DEFAULT_SETTINGS);
  const own: Settings = {
    ...DEFAULT_SETTINGS,
    userKeys: new Map([["_X_A", { name: "_X_A", level: "host", doc: "", compute: () => 1 }]]),
  };
  expect(settingsText(own)).toBeUndefined();
});

describe("which program", () => {
  const exec = DEFAULT_SETTINGS.exec;
  const wanted = (name: string | undefined, ...args: string[]) => ({
    name: name === undefined ? undefined : bytes(name),
    args: args.map(bytes),
  });
  const words = (...given: Parameters<typeof programWords>) => {
    const { name, args } = programWords(...given);
    return [text(name), ...args.map(text)];
  };

  test("from words and settings", () => {
    expect(words(wanted(undefined, "ls", "-l"), exec)).toEqual(["ls", "-l"]);
    expect(words(wanted("ls", "-l"), exec)).toEqual(["ls", "-l"]);
    expect(words(wanted(undefined, "-l"), { ...exec, commandName: "ls" })).toEqual(["ls", "-l"]);
    expect(words(wanted("cat", "-l"), { ...exec, commandName: "ls" })).toEqual(["cat", "-l"]);
    expect(words(wanted(undefined), { ...exec, defaultArgs: ["a", "b"] })).toEqual(["a", "b"]);
    const appending = { ...exec, commandName: "x", defaultArgs: ["a"], appendCommandLineArgs: true, overrideOk: false };
    expect(words(wanted(undefined, "b"), appending)).toEqual(["x", "a", "b"]);
  });

  test("nothing, or what must not be changed, is refused", () => {
    expect(() => programWords(wanted(undefined), exec)).toThrow("No program was named");
    expect(() => programWords(wanted(undefined, "ls"), { ...exec, commandNameFromArgs: false })).toThrow(ExecError);
    expect(() => programWords(wanted(undefined, ""), exec)).toThrow(ExecError);
    expect(() => programWords(wanted("x", "a"), { ...exec, overrideOk: false })).toThrow("Cannot override");
  });

  test("found by PATH it is called as typed, found by exec.search_path by its path", () => {
    const environment = [bytes("PATH=/a:/b"), bytes("HOME=/home/me")];
    const listed = (name: string, settings: Parameters<typeof attemptsFor>[1]) =>
      attemptsFor(bytes(name), settings, environment).map((a) => [text(a.file), text(a.name)]);
    expect(listed("x", exec)).toEqual([
      ["/a/x", "x"],
      ["/b/x", "x"],
    ]);
    expect(listed("x", { searchPath: ["/s", "~/bin"], usePath: true })).toEqual([
      ["/s/x", "/s/x"],
      ["/home/me/bin/x", "/home/me/bin/x"],
      ["/a/x", "x"],
      ["/b/x", "x"],
    ]);
    expect(listed("x", { searchPath: ["/s"], usePath: false })).toEqual([["/s/x", "/s/x"]]);
    expect(listed("./x", { searchPath: ["/s"], usePath: true })).toEqual([["./x", "./x"]]);
  });

  test("the first that can be run; otherwise the error that execvp ends with", () => {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    writeFileSync(at("data"), "");
    writeFileSync(at("program"), "#!/bin/sh\n");
    chmodSync(at("program"), 0o755);
    mkdirSync(at("folder"));
    const attempts = (...names: string[]) => names.map((n) => ({ file: bytes(at(n)), name: bytes(n) }));
    expect(text(expectedAttempt(bytes("x"), attempts("no", "data", "program")).name)).toBe("program");
    const status = (command: string, ...names: string[]) => {
      try {
        expectedAttempt(bytes(command), attempts(...names));
        return 0;
      } catch (error) {
        return error instanceof ExecError ? error.exitStatus : error;
      }
    };
    expect(status("x", "no")).toBe(127);
    expect(status("x", "no", "data")).toBe(126);
    expect(status("x", "folder")).toBe(126);
    expect(status("./x", "no", "program")).toBe(127);
    expect(status("x")).toBe(127);
  });
});

test("which reports there are, and that a wrong template is told", () => {
  const topics = (settings: Settings, operation: "exec" | "heartbeat", terminal: boolean) =>
    planReports(settings, operation, terminal)
      ._unsafeUnwrap()
      .map((r) => r.topic);
  expect(topics(DEFAULT_SETTINGS, "exec", true)).toEqual(["report", "terminal_other_op"]);
  expect(topics(DEFAULT_SETTINGS, "exec", false)).toEqual(["report"]);
  expect(topics({ ...DEFAULT_SETTINGS, skipCommandReport: true, skipSummaryReport: true }, "exec", true)).toEqual([]);
  const custom = {
    name: "mine",
    enabled: true,
    reportTemplate: "report_all",
    sinkConfigs: [],
    useWhen: ["heartbeat"],
    perChalk: false,
  };
  const own: Settings = { ...DEFAULT_SETTINGS, customReports: [custom] };
  expect(topics(own, "exec", false)).toEqual(["report"]);
  expect(topics(own, "heartbeat", false)).toEqual(["report", "mine"]);
  expect(topics({ ...own, skipCustomReports: true }, "heartbeat", false)).toEqual(["report"]);
  const wrong: Settings = { ...own, customReports: [{ ...custom, reportTemplate: "nope" }] };
  expect(planReports(wrong, "heartbeat", false).isErr()).toBe(true);
});

test("messages at and above the level", () => {
  expect(isShown("warn", "warn")).toBe(true);
  expect(isShown("info", "warn")).toBe(false);
  expect(isShown("error", "none")).toBe(false);
  expect(isShown("trace", "trace")).toBe(true);
});

test("feed lines: what is cut or strange is nothing", () => {
  expect(readFedReport('{"at":5,"pid":7,"operation":"exec","report":{"a":1}}')).toEqual({
    at: 5,
    pid: 7,
    operation: "exec",
    report: { a: 1 },
  });
  for (const bad of ["", "{", "null", "[]", '{"at":"x"}', '{"at":5,"pid":7}'])
    expect(readFedReport(bad)).toBeUndefined();
});

test("errors say what to do", () => {
  const missing = new ExecError({ _tag: "CommandMissing", command: "ls | wc", searched: true });
  expect([missing.exitStatus, missing.hint]).toEqual([127, "for a line of shell say: tk exec -- sh -c '...'"]);
  expect(new ExecError({ _tag: "CommandRefused", command: "x", errno: 7 }).hint).toContain("too long");
  expect(new ExecError({ _tag: "StartFailed", step: "pipe", errno: 24 }).message).toBe(
    "Cannot start the program: pipe: Too many open files",
  );
  expect(new ExecError({ _tag: "BadSettings", problems: ["a", "b"] }).exitStatus).toBe(125);
});
