// Where settings come from: layers and their order, the search path, trust in files, the store of `tk load`.
import { afterAll, describe, expect, test } from "bun:test";
import { Effect } from "effect";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ConfigError } from "../../lib/settings/config_error.ts";
import { dumpText, readLoaded, useLine } from "../../lib/settings/dump.ts";
import { type Loaded, loadFile, type LoadOptions } from "../../lib/settings/load_file.ts";
import { type LoadedSettings, readSettings, type SettingsOptions } from "../../lib/settings/load_settings.ts";
import { searchPath, userStore } from "../../lib/settings/places.ts";
import { parseStore, storeText } from "../../lib/settings/store.ts";
import { whyDistrusted } from "../../lib/settings/trusted_file.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: giving a file to another user needs root");

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

interface World {
  readonly home: string;
  readonly work: string;
  readonly env: Record<string, string>;
  write(path: string, text: string, mode?: number): string;
}

function world(): World {
  const home = mkdtempSync(join(tmpdir(), "tk-settings-"));
  made.push(home);
  const work = join(home, "work");
  mkdirSync(work);
  return {
    home,
    work,
    env: { HOME: home, PATH: "/usr/bin" },
    write: (path, text, mode = 0o644) => {
      const whole = join(home, path);
      mkdirSync(dirname(whole), { recursive: true });
      writeFileSync(whole, text);
      chmodSync(whole, mode);
      return whole;
    },
  };
}

function settingsOf(w: World, more: Partial<SettingsOptions> = {}): LoadedSettings {
  const result = readSettings({ commandName: "exec", environment: w.env, directory: w.work, ...more });
  if (result.isErr()) throw result.error;
  return result.value;
}

function refusal(w: World, more: Partial<SettingsOptions> = {}): ConfigError {
  const result = readSettings({ commandName: "exec", environment: w.env, directory: w.work, ...more });
  return result._unsafeUnwrapErr();
}

function load(w: World, what: string, more: Partial<LoadOptions> = {}): Promise<Loaded> {
  return Effect.runPromise(
    loadFile({
      what,
      replace: false,
      all: false,
      answers: {},
      ask: undefined,
      environment: w.env,
      directory: w.work,
      ...more,
    }),
  );
}

async function loadError(w: World, what: string, more: Partial<LoadOptions> = {}): Promise<ConfigError> {
  const exit = await Effect.runPromise(
    Effect.flip(
      loadFile({
        what,
        replace: false,
        all: false,
        answers: {},
        ask: undefined,
        environment: w.env,
        directory: w.work,
        ...more,
      }),
    ),
  );
  expect(exit).toBeInstanceOf(ConfigError);
  return exit;
}

const loadedNames = (w: World) =>
  readLoaded(w.env)
    .components.filter((c) => c.loaded)
    .map((c) => c.name);

describe("readSettings", () => {
  test("without any file the defaults hold", () => {
    const w = world();
    const { settings, files, notes } = settingsOf(w);
    expect(files).toEqual([]);
    expect(notes).toEqual([]);
    expect(settings.exec.heartbeat.run).toBe(false);
  });

  test("the search path has the user's and the system's places, and not the current directory", () => {
    const path = searchPath({ HOME: "/h" });
    expect(path).toEqual(["/etc/tk", "/etc/chalk", "/etc", "/h/.config/tk", "/h/.config/chalk", "/h"]);
    expect(searchPath({ HOME: "/h", XDG_CONFIG_HOME: "/x" })[3]).toBe("/x/tk");
  });

  test.each([".config/tk/tk.c4m", ".config/chalk/chalk.c4m", "chalk.c4m", ".config/tk/chalk.c4m"])(
    "%s is found",
    (path) => {
      const w = world();
      const whole = w.write(path, "exec.heartbeat.run: true");
      const { settings, files, external } = settingsOf(w);
      expect(settings.exec.heartbeat.run).toBe(true);
      expect(files).toEqual([whole]);
      expect(external?.text).toBe("exec.heartbeat.run: true");
    },
  );

  test("only the first file counts", () => {
    const w = world();
    w.write(".config/tk/tk.c4m", 'log_level: "info"');
    w.write("chalk.c4m", 'log_level: "trace"\nskip_custom_reports: true');
    expect(settingsOf(w).settings).toMatchObject({ logLevel: "info", skipCustomReports: false });
  });

  test("a file in the current directory is somebody else's: it is named, not read", () => {
    const w = world();
    const path = w.write("work/chalk.c4m", 'abort("never")');
    const { notes, files } = settingsOf(w);
    expect(files).toEqual([]);
    expect(notes).toEqual([
      expect.objectContaining({
        severity: "info",
        message: `'${path}' is not read by itself; --config-file chalk.c4m or tk load uses it`,
      }),
    ]);
    w.write(
      ".config/tk/loaded.json",
      storeText({ components: [{ name: "a", from: "/a", text: 'config_path: ["."]', loaded: true }], parameters: {} }),
    );
    expect(refusal(w).details.join()).toContain("abort: never");
  });

  test("--config-file is the only external file, and must be there", () => {
    const w = world();
    w.write(".config/tk/tk.c4m", 'log_level: "info"');
    w.write("work/mine.c4m", "skip_custom_reports: true");
    const { settings } = settingsOf(w, { configFile: "mine.c4m" });
    expect(settings).toMatchObject({ logLevel: undefined, skipCustomReports: true });
    expect(refusal(w, { configFile: "other.c4m" }).message).toBe(
      "Cannot read the configuration 'other.c4m': there is no such file",
    );
    expect(refusal(w, { configFile: "." }).message).toContain("it is a directory");
  });

  test("loaded first, then the file, then the command line", () => {
    const w = world();
    const text = "exec.heartbeat.nice: 1\nexec.reporting_probability: 1\nexec.heartbeat.run: true";
    w.write(
      ".config/tk/loaded.json",
      storeText({ components: [{ name: "a", from: "/a", text, loaded: true }], parameters: {} }),
    );
    w.write(".config/tk/tk.c4m", "exec.heartbeat.nice: 2\nexec.reporting_probability: 2");
    const overrides = [{ path: "exec.heartbeat.nice", value: 3 }];
    const { exec } = settingsOf(w, { overrides }).settings;
    expect([exec.heartbeat.nice, exec.reportingProbability, exec.heartbeat.run]).toEqual([3, 2, true]);
    expect(settingsOf(w, { useLoaded: false }).settings.exec.heartbeat.run).toBe(false);
    expect(settingsOf(w, { useExternal: false }).settings.exec.heartbeat.nice).toBe(1);
  });

  test("an override that is none is refused", () => {
    const w = world();
    expect(refusal(w, { overrides: [{ path: "exec.hartbeat", value: true }] }).details).toEqual([
      "unknown attribute 'hartbeat' of 'exec'; did you mean 'heartbeat'?",
    ]);
    expect(refusal(w, { overrides: [{ path: "exec.heartbeat.rate", value: "soon" }] }).details[0]).toContain(
      "expected Duration",
    );
  });

  test("a file that others may write to, or that belongs to somebody else, is not believed", () => {
    expect(whyDistrusted({ uid: 0, mode: 0o100644 }, 1000)).toBeUndefined();
    expect(whyDistrusted({ uid: 1000, mode: 0o100600 }, 1000)).toBeUndefined();
    expect(whyDistrusted({ uid: 1001, mode: 0o100644 }, 1000)).toContain("it belongs to user 1001");
    expect(whyDistrusted({ uid: 1000, mode: 0o100644 }, 0)).toContain("it belongs to user 1000");
    const w = world();
    const path = w.write(".config/tk/tk.c4m", "exec.heartbeat.run: true", 0o666);
    const { settings, notes } = settingsOf(w);
    expect(settings.exec.heartbeat.run).toBe(false);
    expect(notes[0]).toMatchObject({
      severity: "warning",
      message: `'${path}' is not used: others may write to it (mode 666), expected at most 755: chmod go-w`,
    });
  });

  test.skipIf(!isRoot)("root does not believe another user's store", () => {
    const w = world();
    const text = storeText({
      components: [{ name: "a", from: "/a", text: "exec.heartbeat.run: true", loaded: true }],
      parameters: {},
    });
    chownSync(w.write(".config/tk/loaded.json", text, 0o600), 4711, 4711);
    const { settings, notes } = settingsOf(w);
    expect(settings.exec.heartbeat.run).toBe(false);
    expect(notes[0]?.message).toContain("it belongs to user 4711, expected root or yourself");
  });

  test("a loaded file that no longer makes sense says how to get out", () => {
    const w = world();
    w.write(
      ".config/tk/loaded.json",
      storeText({ components: [{ name: "a", from: "/a", text: "exek: 1", loaded: true }], parameters: {} }),
    );
    const error = refusal(w);
    expect(error.details).toEqual(["/a/a.c4m:1:1: unknown attribute 'exek'; did you mean 'exec'?\n  exek: 1\n  ^"]);
    expect(error.hint).toContain("tk load default");
    expect(error.exitStatus).toBe(1);
  });

  test.each(["", "{", "[]", '{"version":2}', '{"version":1,"components":[{"name":1}]}'])(
    "a damaged store %j is refused",
    (text) => {
      const w = world();
      w.write(".config/tk/loaded.json", text);
      expect(refusal(w).message).toContain("Cannot read what was loaded from");
      expect(typeof parseStore(text)).toBe("string");
    },
  );

  test("what a configuration says is collected with its level", () => {
    const w = world();
    const file = w.write("m.c4m", 'info("one")\nwarn("two")\necho("three")');
    expect(settingsOf(w, { configFile: file }).messages).toEqual([
      { level: "info", text: "one" },
      { level: "warn", text: "two" },
      { level: "echo", text: "three" },
    ]);
  });
});

describe("loadFile", () => {
  test("files add up in a private store; the source may go; the same file again is refreshed and is the last", async () => {
    const w = world();
    const a = w.write("work/a-b.c4m", "exec.heartbeat: true");
    w.write("work/c.c4m", "exec.heartbeat_rate: <<7 sec>>");
    await load(w, "a-b.c4m");
    await load(w, "c.c4m");
    rmSync(a);
    expect(settingsOf(w).settings.exec.heartbeat).toMatchObject({ run: true, rateMs: 7000 });
    expect(loadedNames(w)).toEqual(["a-b", "c"]);
    w.write("work/a-b.c4m", "exec.heartbeat: true\nexec.heartbeat_rate: <<8 sec>>");
    await load(w, "a-b");
    expect(loadedNames(w)).toEqual(["c", "a-b"]);
    expect(settingsOf(w).settings.exec.heartbeat.rateMs).toBe(8000);
    const store = userStore(w.env);
    expect(statSync(store).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(store)).mode & 0o777).toBe(0o700);
  });

  test("--replace forgets the others, default forgets all", async () => {
    const w = world();
    w.write("work/a.c4m", "exec.heartbeat: true");
    w.write("work/b.c4m", "skip_custom_reports: true");
    await load(w, "a.c4m");
    await load(w, "b.c4m", { replace: true });
    expect(loadedNames(w)).toEqual(["b"]);
    await load(w, "default");
    expect(loadedNames(w)).toEqual([]);
  });

  test("a file that is wrong, by itself or together with the others, changes nothing", async () => {
    const w = world();
    w.write("work/a.c4m", '~log_level: "info"');
    await load(w, "a.c4m");
    const before = readFileSync(userStore(w.env), "utf8");
    w.write("work/b.c4m", 'log_level: "trace"');
    const error = await loadError(w, "b.c4m");
    expect(error.details[0]).toContain(`'log_level' is locked since ${w.work}/a.c4m:1:2`);
    expect(error.message).toBe(`Could not load '${w.work}/b.c4m', nothing was changed`);
    expect((await loadError(w, "none.c4m")).message).toBe("Cannot load 'none.c4m': there is no such file");
    expect((await loadError(w, "http://example.com/a.c4m")).message).toContain("expected https");
    expect(readFileSync(userStore(w.env), "utf8")).toBe(before);
  });

  test("files that it uses are kept too, and a file that is missing is told with its place", async () => {
    const w = world();
    w.write("work/main.c4m", 'use part from "sub"\nuse "hy-phen" from "sub"');
    w.write("work/sub/part.c4m", "exec.heartbeat: true\nuse deep");
    w.write("work/sub/deep.c4m", "exec.heartbeat.nice: 7");
    w.write("work/sub/hy-phen.c4m", "skip_custom_reports: true");
    await load(w, "main.c4m");
    rmSync(join(w.work, "sub"), { recursive: true });
    expect(settingsOf(w).settings).toMatchObject({
      skipCustomReports: true,
      exec: { heartbeat: { run: true, nice: 7 } },
    });
    expect(readLoaded(w.env).components.map((c) => [c.name, c.loaded])).toEqual([
      ["main", true],
      ["part", false],
      ["deep", false],
      ["hy-phen", false],
    ]);
    w.write("work/bad.c4m", '\nuse nowhere from "/none"');
    expect((await loadError(w, "bad.c4m")).details[0]).toStartWith(
      `${w.work}/bad.c4m:2:1: cannot read '/none/nowhere.c4m': there is no such file`,
    );
  });

  test("loading a changed file reads anew what it uses", async () => {
    const w = world();
    w.write("work/main.c4m", "use part");
    w.write("work/part.c4m", "exec.heartbeat.nice: 1");
    await load(w, "main.c4m");
    w.write("work/part.c4m", "exec.heartbeat.nice: 2");
    expect(settingsOf(w).settings.exec.heartbeat.nice).toBe(1);
    await load(w, "main.c4m");
    expect(settingsOf(w).settings.exec.heartbeat.nice).toBe(2);
  });

  test("parameters: given, asked, by default, or missing", async () => {
    const w = world();
    w.write(
      "work/p.c4m",
      `func check(s) { if s == "" { return "empty" }
 return "" }
parameter sink_config.web.uri { shortdoc: "where to"
 validator: func check(string) -> string }
parameter var rate { default: 5 }
sink_config web { sink: "post" }
exec.heartbeat.rate: Duration($(rate) + " sec")`,
    );
    expect((await loadError(w, "p.c4m")).message).toBe(
      "Cannot load: the parameter 'sink_config.web.uri' has no answer and no default",
    );
    await load(w, "p.c4m", { answers: { "sink_config.web.uri": "https://a/" } });
    const first = settingsOf(w).settings;
    expect([first.sinkConfigs.get("web")?.fields["uri"], first.exec.heartbeat.rateMs]).toEqual(["https://a/", 5000]);
    await load(w, "default");
    const questions: string[] = [];
    await load(w, "p.c4m", {
      ask: (p) => {
        questions.push(p.path);
        return Promise.resolve(p.path === "rate" ? "9" : "https://b/");
      },
    });
    expect(questions).toEqual(["sink_config.web.uri", "rate"]);
    const second = settingsOf(w).settings;
    expect([second.sinkConfigs.get("web")?.fields["uri"], second.exec.heartbeat.rateMs]).toEqual(["https://b/", 9000]);
    expect((await loadError(w, "p.c4m", { answers: { "sink_config.web.uri": "" } })).details[0]).toContain(
      "is refused: empty",
    );
    expect((await loadError(w, "p.c4m", { answers: { rate: "soon" } })).details[0]).toContain("is no int");
  });

  test("a dump loads again: `use` lines, and everything as JSON", async () => {
    const w = world();
    w.write("work/a-b.c4m", "exec.heartbeat: true");
    await load(w, "a-b.c4m");
    const uses = dumpText(readLoaded(w.env), "uses");
    expect(uses).toBe(`use "a-b" from "${w.work}"\n`);
    const all = dumpText(readLoaded(w.env), "all");
    w.write("work/uses.c4m", uses);
    w.write("work/all.json", all);
    await load(w, "default");
    expect(dumpText(readLoaded(w.env), "uses")).toStartWith("# Nothing is loaded");
    await load(w, "uses.c4m");
    expect(settingsOf(w).settings.exec.heartbeat.run).toBe(true);
    rmSync(join(w.work, "a-b.c4m"));
    await load(w, "all.json", { all: true });
    expect(dumpText(readLoaded(w.env), "all")).toBe(all);
    expect((await loadError(w, "uses.c4m", { all: true })).message).toContain("as a dump: it is no JSON");
  });

  test("names in dumps are written so that they mean themselves", () => {
    expect(useLine({ name: "plain_1", from: "/d" })).toBe('use plain_1 from "/d"');
    expect(useLine({ name: 'q"x', from: "/a\\b\n" })).toBe('use "q\\"x" from "/a\\\\b\\n"');
  });

  test("many loads at once all arrive", async () => {
    const w = world();
    const names = Array.from({ length: 12 }, (_, i) => `f${i}`);
    for (const name of names) w.write(`work/${name}.c4m`, `env_never_show: ["${name}"]`);
    await Promise.all(names.map((name) => load(w, `${name}.c4m`)));
    expect(loadedNames(w).sort()).toEqual(names.sort());
  });

  test("a store that cannot be written is told, and what was there stays", async () => {
    const w = world();
    w.write("work/a.c4m", "exec.heartbeat: true");
    w.write("file", "");
    const env = { ...w.env, XDG_CONFIG_HOME: join(w.home, "file") };
    expect((await loadError(w, "a.c4m", { environment: env })).message).toStartWith(
      `Cannot keep configurations in '${join(w.home, "file")}/tk': a part of the path is not a directory`,
    );
    expect(existsSync(userStore(w.env))).toBe(false);
  });
});
