// Bash's trace to tracks: nesting, subshells, substitutions, and text that is none of ours.
import { afterAll, describe, expect, test } from "bun:test";
import { RawRun, Seen, dropRuns } from "../support/raw_streams.ts";

afterAll(dropRuns);

const header = (flags = "hB", why = "", text = "") =>
  ["TKB1", "42", "1", "1000000000", "5.2", "s.sh", "/nowhere", flags, why, text].join("\x1f") + "\x03\n";

/** `at`: milliseconds. */
const record = (pid: number, at: number, line: number, depth: number, name = "", command = ":", nesting = 1) =>
  `${"\x02".repeat(nesting)}${pid}\x1f${Math.floor(1000 + at / 1000)}.${String((at % 1000) * 1000).padStart(6, "0")}\x1f${line}\x1f${depth}\x1f${name}\x1fs.sh\x1f${command}\n`;

const MS = 1e6;
const BASE = 1e12;

function read(text: string, end?: number): Seen {
  const run = new RawRun();
  const seen = new Seen();
  run.write("42-1000000000.bash", text);
  run.reader(seen).finish(end);
  return seen;
}

describe("a shell's track", () => {
  test("functions open and close by their depth; the last line lasts to the end", () => {
    const text =
      header() +
      record(42, 0, 1, 1) +
      record(42, 10, 9, 1, "", "f") +
      record(42, 20, 3, 2, "f") +
      record(42, 50, 10, 1);
    const { blocks } = read(text, BASE + 100 * MS);
    expect(blocks).toMatchObject([{ kind: "bash", pid: 42, name: "s.sh", stream: "42-1000000000", events: 4 }]);
    expect(blocks[0]!.self).toEqual({
      "main:1": 10 * MS,
      "main:9": 10 * MS,
      "f:3": 30 * MS,
      "main:10": 50 * MS,
    });
  });

  test("commands of several lines, and whatever they say, are not looked at", () => {
    const text =
      header() +
      record(42, 0, 1, 1, "", "echo 'a\nb\n1\x1f2\x1f3'\n++ echo x") +
      record(42, 5, 2, 1, "", "x=\x02y") +
      record(42, 6, 3, 1);
    expect(read(text).blocks[0]!.counts).toEqual({ "main:1": 1, "main:2": 1, "main:3": 1 });
  });

  test("a record that has no end yet waits for it", () => {
    const run = new RawRun();
    const seen = new Seen();
    const reader = run.reader(seen);
    const text = header() + record(42, 0, 1, 1) + record(42, 5, 2, 1);
    for (const byte of text) {
      run.append("42-1000000000.bash", byte);
      reader.scan();
    }
    reader.finish(undefined);
    expect(seen.blocks[0]!.counts).toEqual({ "main:1": 1, "main:2": 1 });
    expect(seen.told).toEqual(["reached 42"]);
  });

  test("what puts PS4 back is not the script's", () => {
    const guard = "[[ \x02$BASHPID\x1f == \x02* ]]";
    const text =
      header() +
      record(42, 0, 1, 1, "", guard, 2) +
      record(42, 1, 1, 1) +
      record(42, 2, 2, 1, "", "builtin trap - DEBUG");
    expect(read(text).blocks[0]!.counts).toEqual({ "main:1": 1 });
  });
});

describe("subshells", () => {
  test("stand where their parent stood, and end when their process does", () => {
    const run = new RawRun();
    const seen = new Seen();
    const reader = run.reader(seen);
    const text = header() + record(42, 0, 7, 1, "", "f") + record(42, 1, 2, 2, "f") + record(43, 2, 3, 2, "f", ":", 2);
    run.write("42-1000000000.bash", text);
    reader.processEnded(43, BASE + 30 * MS);
    reader.scan();
    expect(seen.blocks).toMatchObject([
      { pid: 43, name: "s.sh (subshell)", end: BASE + 30 * MS, stack: ["main:7", "f:2"], events: 1 },
    ]);
    expect(seen.blocks[0]!.self["f:3"]).toBe(28 * MS);
  });

  test("a command begins when its substitution does", () => {
    const text =
      header() +
      record(42, 0, 1, 1) +
      record(43, 10, 5, 1, "", "sleep 1", 2) +
      record(42, 60, 5, 1, "", "x=") +
      record(42, 70, 6, 1);
    const main = read(text).blocks.find((b) => b.pid === 42)!;
    expect(main.self).toEqual({ "main:1": 10 * MS, "main:5": 60 * MS, "main:6": 0 });
  });
});

describe("shells that are left alone", () => {
  test("say why", () => {
    const seen = read(header("hB", "closes"));
    expect(seen.blocks).toEqual([]);
    expect(seen.told).toEqual(["reached 42", "note 42 the script closes descriptors by number, tk's among them"]);
  });

  test("set -x of a sourced file is told once", () => {
    const text = header() + record(42, 0, 1, 1, "", "set -ex") + record(42, 0, 1, 1, "", "set +x");
    expect(read(text).told.filter((t) => t.includes("set -x in a file that was sourced"))).toHaveLength(1);
  });
});

describe("bash -c", () => {
  test("has its text as source, and functions one level deeper", () => {
    const text = (header("hBc", "", "f() {\n:; }; f") + record(42, 0, 1, 0) + record(42, 1, 2, 1, "f")).replaceAll(
      "s.sh\x1f:",
      "\x1f:",
    );
    const seen = read(text);
    expect(new TextDecoder().decode(seen.sources[0]!.text)).toBe("f() {\n:; }; f");
    expect(seen.blocks[0]!.counts).toEqual({ "main:1": 1, "f:2": 1 });
  });
});

test("a script on standard input has its text, and its functions are in the same place", () => {
  const text = (header("hBs", "", "f() {\n:; }; f") + record(42, 0, 1, 0) + record(42, 1, 2, 1, "f"))
    .replace("s.sh\x1f:", "\x1f:")
    .replace("s.sh\x1f:", "main\x1f:");
  const seen = read(text);
  expect(seen.sources.map((source) => new TextDecoder().decode(source.text))).toEqual(["f() {\n:; }; f"]);
  expect(seen.blocks[0]!.counts).toEqual({ "main:1": 1, "f:2": 1 });
});

test("a file of something else is a problem, not a crash", () => {
  const seen = read("#!/bin/bash\n" + "\x02nonsense\n".repeat(10) + "\x03\n\x02\x1f\x1f\x1f\x1f\x1f\x1f\n");
  expect(seen.blocks).toEqual([]);
  expect(seen.told[0]).toContain("does not begin with a header");
});
