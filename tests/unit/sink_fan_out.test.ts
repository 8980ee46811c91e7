// All sinks together: who gets what in which order, failures that are told once, rest and recovery, what waits for a slow
// sink, and what happens to the rest at the end.
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { FILTERS, SINK_TYPES } from "../../lib/config/sink_fields.ts";
import { TERMINAL_REPORT, type CustomReport } from "../../lib/config/settings.ts";
import type { Delivery } from "../../lib/sink/sink.ts";
import { sinks } from "../../lib/sink/registry.ts";
import { Bench, lines, type NamedSink } from "../support/sinks.ts";

const bench = new Bench();
afterAll(() => bench.close());
beforeEach(() => {
  bench.told.length = 0;
  rmSync(dirname(bench.cachePath), { recursive: true, force: true });
});

const file = (filename: string): NamedSink => ({ sink: "file", fields: { filename, use_search_path: false } });

/** Empty as long as there is no such file. */
function textSoFar(name: string): string {
  try {
    return bench.text(name);
  } catch {
    return "";
  }
}

function numbers(text: string): number[][] {
  return lines(text).map((line) => (JSON.parse(line) as { n: number }[]).map((report) => report.n));
}

describe("the registry", () => {
  test("has a sink for every type that a configuration may name, sorted, each in its file", () => {
    const ids = sinks.entries.map((sink) => sink.id);
    expect(ids).toEqual([...ids].sort());
    expect(ids).toEqual(SINK_TYPES.map((type) => type.id).sort());
    const files = readdirSync(join(import.meta.dir, "../../lib/sink"));
    for (const sink of sinks.entries) {
      expect(files).toContain(`${sink.id}.ts`);
      expect(sink.summary.length).toBeGreaterThan(10);
      expect(sink.summary).not.toEndWith(".");
    }
  });
});

describe("who gets it", () => {
  test("every subscriber once, those of a custom report on its own topic, none that is disabled", async () => {
    const custom: CustomReport = {
      name: "mine",
      enabled: true,
      reportTemplate: "t",
      sinkConfigs: ["b", "b", "gone"],
      useWhen: ["*"],
      perChalk: false,
    };
    const set = bench.open(
      { a: file("who/a"), b: file("who/b"), off: { ...file("who/off"), enabled: false }, none: { sink: "" } },
      {
        subscriptions: ["a", "a", "b", "off", "none"].map((config) => ({ topic: "report", config })),
        customReports: [custom],
        terminalReport: { enabled: true, reportTemplate: "", sinkConfigs: ["a"], useWhen: ["exec"] },
      },
    );
    expect(["report", "mine", TERMINAL_REPORT, "audit"].map((topic) => set.listens(topic))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(await set.publish("report", "exec", { n: 1 })).toEqual({ delivered: ["a", "b"], kept: [], lost: [] });
    expect(await set.publish("mine", "exec", { n: 2 })).toEqual({ delivered: ["b"], kept: [], lost: [] });
    expect(await set.publish(TERMINAL_REPORT, "exec", { n: 3 })).toEqual({ delivered: ["a"], kept: [], lost: [] });
    expect(await set.publish("audit", "exec", { n: 4 })).toEqual({ delivered: [], kept: [], lost: [] });
    await set.close();
    expect(numbers(bench.text("who/a"))).toEqual([[1], [3]]);
    expect(numbers(bench.text("who/b"))).toEqual([[1], [2]]);
    expect(readdirSync(bench.path("who")).sort()).toEqual(["a", "b"]);
  });

  test("higher priority first, ties as subscribed; consoles keep that order", async () => {
    execFileSync("mkfifo", [bench.path("console")]);
    const fd = openSync(bench.path("console"), constants.O_RDWR);
    const cat = spawn("head", ["-n", "3"], { stdio: [fd, "pipe", "ignore"] });
    let seen = "";
    cat.stdout!.on("data", (chunk: Uint8Array) => (seen += Buffer.from(chunk).toString()));
    const ended = new Promise((done) => cat.on("close", done));
    const one = (priority: number, name: string): NamedSink => ({ sink: "stdout", priority, filters: [name] });
    const set = bench.open(
      { low: one(0, "github_log_group"), first: one(5, "none"), second: one(5, "add_topic") },
      {},
      { stdout: fd },
    );
    const delivery = await set.publish("report", "exec", { n: 1 });
    await set.close();
    await ended;
    closeSync(fd);
    expect(delivery.delivered).toEqual(["first", "second", "low"]);
    expect(lines(seen)).toEqual(['[{"n":1}]', "[[start report]]", '  [{"n":1}]']);
  });

  test("a type that does not exist is told and harms nobody", async () => {
    const set = bench.open({ odd: { sink: "carrier_pigeon" }, f: file("odd.log") });
    expect((await set.publish("report", "exec", { n: 1 })).delivered).toEqual(["f"]);
    await set.close();
    expect(bench.warnings()).toEqual(["warn: sink 'odd': there is no sink type 'carrier_pigeon'"]);
  });

  test("plain text goes through the filters of log messages and is never kept", async () => {
    const filters = ["log_level", "log_prefix", "fix_new_line"];
    const subscriptions = [{ topic: "logs", config: "f" }];
    const set = bench.open({ f: { ...file("logs.log"), filters } }, { subscriptions, logLevel: "warn" });
    await set.publishText("logs", "info", "quiet");
    await set.publishText("logs", "error", "loud");
    expect(bench.text("logs.log")).toBe("error: loud\n");
    rmSync(bench.path("logs.log"));
    mkdirSync(bench.path("logs.log"));
    expect((await set.publishText("logs", "error", "gone")).lost).toEqual(["f"]);
    await set.close();
    expect(bench.kept()).toEqual([]);
  });

  test("on_write_msg is told after each delivery, made printable", async () => {
    const set = bench.open({ f: { ...file("msg.log"), onWriteMessage: " done\x1b[31m \n" } });
    await set.publish("report", "exec", { n: 1 });
    await set.close();
    expect(bench.told).toEqual([String.raw`info: done\x1b[31m`]);
  });
});

describe("a sink that fails", () => {
  const FAST = { firstRestMs: 500 };
  const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

  test("is told once, rests after three failures, works again, and gets what was kept behind the next report", async () => {
    let isUp = false;
    const { received, origin } = await bench.collector((_, r) => {
      r.writeHead(isUp ? 200 : 500);
      r.end();
    });
    const set = bench.open(
      { p: { sink: "post", fields: { uri: origin, timeout: 10_000 } }, f: file("beside.log") },
      {},
      FAST,
    );
    for (let n = 1; n <= 4; n++)
      expect(await set.publish("report", "exec", { n })).toEqual({ delivered: ["f"], kept: ["p"], lost: [] });
    // Three deliveries of three attempts; the fourth was not tried.
    expect(received).toHaveLength(9);
    expect(bench.warnings()).toHaveLength(1);
    isUp = true;
    await pause(550);
    expect((await set.publish("report", "exec", { n: 5 })).delivered).toEqual(["p", "f"]);
    await set.publish("report", "exec", { n: 6 });
    while (bench.kept().length > 0) await pause(5);
    const arrived = received.slice(9).flatMap(({ body }) => JSON.parse(body) as { n: number }[]);
    // The newest goes first, one kept report shows that they get through, the others follow by themselves.
    expect(arrived.map(({ n }) => n).filter((n) => n < 5)).toEqual([1, 2, 3, 4]);
    expect(arrived.map(({ n }) => n).filter((n) => n >= 5)).toEqual([5, 6]);
    const told = bench.told.filter((line) => line.startsWith("info:"));
    expect(told[0]).toBe(`info: sink 'p': ${origin} takes reports again`);
    expect(told.slice(1).every((line) => /kept reports? (was|were) delivered$/.test(line))).toBe(true);
    await set.close();
    expect(numbers(bench.text("beside.log"))).toEqual([[1], [2], [3], [4], [5], [6]]);
    expect(bench.kept()).toEqual([]);
  });

  test("one failed delivery silences it for nothing: the next report is tried", async () => {
    let first = true;
    const { origin } = await bench.collector((_, r) => {
      r.writeHead(first ? 404 : 200);
      first = false;
      r.end();
    });
    const set = bench.open({ p: { sink: "post", fields: { uri: origin, timeout: 10_000 } } }, {}, { firstRestMs: 1 });
    expect((await set.publish("report", "exec", { n: 1 })).kept).toEqual(["p"]);
    await pause(10);
    expect((await set.publish("report", "exec", { n: 2 })).delivered).toEqual(["p"]);
    await set.close();
  });

  test("the next tk delivers what this one kept; one at a time, each report once", async () => {
    writeFileSync(bench.path("blocked"), "");
    const first = bench.open({ f: file("blocked/x.log") });
    for (let n = 1; n <= 3; n++) await first.publish("report", "exec", { n });
    await first.close();
    rmSync(bench.path("blocked"));
    const sets = Array.from({ length: 4 }, () => bench.open({ f: file("blocked/x.log") }));
    await Promise.all(sets.map((set, i) => set.publish("report", "exec", { n: 10 + i })));
    for (const set of sets) await set.close();
    const all = numbers(bench.text("blocked/x.log"));
    expect(all.flat().sort((a, b) => a - b)).toEqual([1, 2, 3, 10, 11, 12, 13]);
    expect(bench.kept()).toEqual([]);
  });

  test("a kept report that the receiver cannot take does not hold up the others for ever", async () => {
    const { received, origin } = await bench.collector((request, r) => {
      r.writeHead(request.body.includes("poison") ? 413 : 200);
      r.end();
    });
    const set = bench.open({ p: { sink: "post", fields: { uri: origin, timeout: 10_000 } } }, {}, { firstRestMs: 1 });
    expect((await set.publish("report", "exec", { n: 1, poison: true })).kept).toEqual(["p"]);
    for (let n = 2; n < 12; n++) {
      await pause(5);
      expect((await set.publish("report", "exec", { n })).delivered).toEqual(["p"]);
    }
    await set.close();
    expect(bench.kept()).toEqual([]);
    expect(received.filter(({ body }) => body.includes("poison")).length).toBeLessThanOrEqual(5);
    expect(bench.warnings().join("\n")).toContain("refused a kept report 3 times, so it was dropped");
  });

  test("a batch that is too long for it becomes shorter", async () => {
    let limit = 0;
    const { received, origin } = await bench.collector((request, r) => {
      if (request.body.length <= limit) r.end();
      else r.destroy();
    });
    const set = bench.open({
      p: { sink: "post", fields: { uri: origin, timeout: 10_000, disable_after_errors: 100 } },
    });
    for (let n = 100; n < 105; n++) await set.publish("report", "exec", { n });
    limit = 50;
    for (let n = 110; n < 116; n++) await set.publish("report", "exec", { n });
    await set.close();
    const arrived = received
      .filter(({ body }) => body.length <= limit)
      .flatMap(({ body }) => JSON.parse(body) as { n: number }[]);
    expect(arrived.length).toBeGreaterThan(4);
    expect(arrived.map(({ n }) => n)).toContain(100);
  }, 20_000);

  test("without a cache the loss is told, and the first report is shown", async () => {
    execFileSync("mkfifo", [bench.path("err")]);
    const fd = openSync(bench.path("err"), constants.O_RDWR | constants.O_NONBLOCK);
    const off = { reportCache: { use: false, location: "", lockTimeoutMs: 1 } };
    const set = bench.open({ f: file("blocked2/\0") }, off, { stderr: fd });
    for (let n = 1; n <= 3; n++) expect((await set.publish("report", "exec", { n })).lost).toEqual(["f"]);
    await set.close();
    const shown = execFileSync("head", ["-n", "1"], { stdio: [fd, "pipe", "inherit"], encoding: "utf8" });
    closeSync(fd);
    expect(shown).toBe('[{"n":1}]\n');
    expect(bench.told.filter((line) => line.startsWith("error:"))).toHaveLength(1);
    expect(bench.warnings().at(-1)).toBe("warn: sink 'f': 3 reports were lost");
  });

  test("force_output_on_reporting_fails: false shows nothing", async () => {
    const off = { reportCache: { use: false, location: "", lockTimeoutMs: 1 }, forceOutputOnReportingFails: false };
    const set = bench.open({ f: file("blocked3/\0") }, off, { stderr: -1 });
    await set.publish("report", "exec", { n: 1 });
    await set.close();
    expect(bench.told.filter((line) => line.startsWith("error:"))).toEqual([]);
  });

  test("report_cache_location may be named, with `~` and relative", async () => {
    const at = (location: string) => ({ reportCache: { use: true, location, lockTimeoutMs: 100 } });
    for (const location of ["./kept.jsonl", "~/kept.jsonl"]) {
      const set = bench.open({ f: file("blocked4/\0") }, at(location));
      await set.publish("report", "exec", { n: 1 });
      await set.close();
    }
    expect(lines(bench.text("kept.jsonl"))).toHaveLength(1);
    expect(lines(bench.text("home/kept.jsonl"))).toHaveLength(1);
  });
});

describe("a sink that is slow", () => {
  test("delays neither the others nor whoever publishes; the oldest do not wait for ever", async () => {
    const { origin } = await bench.collector(() => undefined);
    const set = bench.open({ p: { sink: "post", fields: { uri: origin, timeout: 0 } }, f: file("fast.log") });
    const deliveries: Promise<Delivery>[] = [];
    for (let n = 0; n < 40; n++) {
      const started = performance.now();
      deliveries.push(set.publish("report", "heartbeat", { n }));
      expect(performance.now() - started).toBeLessThan(100);
      while (numbers(textSoFar("fast.log")).length <= n) await new Promise((done) => setTimeout(done, 1));
    }
    expect(bench.warnings()).toEqual([
      "warn: sink 'p': it is slower than its reports come: the oldest do not wait any longer",
    ]);
    await set.close(100);
    const outcomes = await Promise.all(deliveries);
    expect(outcomes.every(({ delivered, kept }) => delivered.includes("f") && kept.includes("p"))).toBe(true);
    expect(bench.kept()).toHaveLength(40);
  });

  test("undelivered heartbeats: the newest are kept, and as many as make sense", async () => {
    const set = bench.open({ f: file("blocked5/\0") }, {}, { firstRestMs: 60_000 });
    for (let n = 0; n < 200; n++) await set.publish("report", "heartbeat", { n });
    await set.close();
    const kept = bench.kept().map((line) => (JSON.parse(line.$message as string) as { n: number }).n);
    expect(kept.length).toBeLessThan(64);
    expect(kept.length).toBeGreaterThanOrEqual(32);
    expect(kept.at(-1)).toBe(199);
  });

  test("a console whose reader has gone ends quietly, and nothing is kept for it", async () => {
    execFileSync("mkfifo", [bench.path("gone")]);
    const reader = openSync(bench.path("gone"), constants.O_RDONLY | constants.O_NONBLOCK);
    const fd = openSync(bench.path("gone"), constants.O_WRONLY);
    closeSync(reader);
    const set = bench.open({ out: { sink: "stdout" } }, {}, { stdout: fd });
    for (let n = 0; n < 3; n++) expect((await set.publish("report", "exec", { n })).lost).toEqual(["out"]);
    await set.close();
    closeSync(fd);
    expect(bench.kept()).toEqual([]);
    expect(bench.warnings()).toEqual([]);
    expect(bench.told.filter((line) => line.startsWith("verbose:"))).toEqual([
      "verbose: sink 'out': standard output: its reader is gone; what it does not take is lost",
      "verbose: sink 'out': 3 reports were lost",
    ]);
  });

  test("a console whose reader does not read holds up nothing; closing gives it up", async () => {
    execFileSync("mkfifo", [bench.path("stuck")]);
    const reader = openSync(bench.path("stuck"), constants.O_RDONLY | constants.O_NONBLOCK);
    const fd = openSync(bench.path("stuck"), constants.O_WRONLY);
    const set = bench.open({ out: { sink: "stdout" }, f: file("unstuck.log") }, {}, { stdout: fd });
    const delivery = set.publish("report", "exec", { n: 1, fill: "x".repeat(1 << 20) });
    while (lines(textSoFar("unstuck.log")).length < 1) await new Promise((done) => setTimeout(done, 5));
    const started = performance.now();
    await set.close(50);
    expect(performance.now() - started).toBeLessThan(1500);
    expect(await delivery).toEqual({ delivered: ["f"], kept: [], lost: ["out"] });
    closeSync(reader);
    closeSync(fd);
  });

  test("nothing is taken after close, and closing twice is once", async () => {
    const set = bench.open({ f: file("closed.log") }, { forceOutputOnReportingFails: false });
    await set.close();
    await set.close();
    expect((await set.publish("report", "exec", { n: 1 })).lost).toEqual(["f"]);
  });
});

test("docs/sinks.md has every sink, field and filter", () => {
  const text = readFileSync(join(import.meta.dir, "../../docs/sinks.md"), "utf8");
  const sectionOf = (id: string) =>
    text.split(/^## /m).find((part) => part.split("\n")[0]!.split(" and ").includes(id));
  for (const type of SINK_TYPES) {
    const section = sectionOf(type.id);
    if (type.id === "presign") expect(section).toContain("The fields of `post`");
    else for (const field of type.fields) expect(section).toContain(`\`${field.name}\``);
  }
  for (const filter of FILTERS) expect(sectionOf("Filters")).toContain(`\`${filter}\``);
});
