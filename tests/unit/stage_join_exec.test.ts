// Execs that proctrace recorded in parts: which parts belong to which exec, and what its words are then.
import { expect, test } from "bun:test";
import { argvOf, filenameOf } from "../../lib/model/event_at.ts";
import { KIND } from "../../lib/model/event.ts";
import { decodeRecording } from "../../lib/pipeline/decode_recording.ts";

/** Lines such as `5 10 Exec ["a"]`: time, pid, tag, and its value; what the execs of the recording are. */
function execs(drawing: string): { execs: string[]; orphans: number[] } {
  const field: Record<string, string> = {
    Exec: "cmdline",
    ExecArgs: "args",
    ExecFilename: "filename",
    BadExec: "x",
    Exit: "x",
  };
  const lines = drawing
    .trim()
    .split("\n")
    .map((line) => {
      const [, ts, pid, tag = "", value] = /^\s*(\d+) (\d+) (\w+) ?(.*)$/.exec(line)!;
      return `{"${tag}":{"timestamp":${ts},"pid":${pid}${value ? `,"${field[tag]}":${value}` : ""}}}\n`;
    });
  const r = decodeRecording(new TextEncoder().encode(lines.join("")));
  const found: string[] = [];
  for (let row = 0; row < r.events.length; row++) {
    const kind = r.events.kind[row];
    expect(kind).not.toBe(KIND.exec_part);
    if (kind !== KIND.exec && kind !== KIND.exec_failed) continue;
    const argv = argvOf(r, row);
    const name = filenameOf(r, row)?.text;
    found.push(
      `${r.events.pid[row]} ${name === undefined ? "" : name + " "}${argv ? JSON.stringify(argv.joined ? argv.words[0] : argv.words) : "?"}`,
    );
  }
  return { execs: found, orphans: r.problems.kept.filter((p) => p.code === "orphan-args").map((p) => p.line) };
}

test("an array is better than a string, and the longer string than the shorter", () => {
  expect(execs('1 10 Exec ["a b","c"]\n1 10 ExecArgs "a b c and more"').execs).toEqual(['10 ["a b","c"]']);
  expect(execs('1 10 Exec "a"\n1 10 ExecArgs "a b"').execs).toEqual(['10 "a b"']);
  expect(execs('1 10 Exec "a b c"\n1 10 ExecArgs "a b"').execs).toEqual(['10 "a b c"']);
  expect(execs('1 10 Exec []\n1 10 ExecArgs "a"').execs).toEqual(['10 "a"']);
  expect(execs('1 10 Exec null\n1 10 ExecArgs "a"').execs).toEqual(['10 "a"']);
  expect(execs("1 10 Exec []").execs).toEqual(["10 []"]);
  expect(execs("1 10 Exec null").execs).toEqual(["10 ?"]);
});

test("events of other processes in between do not matter, those of the same process do", () => {
  expect(
    execs(`
      1 10 Exec null
      1 11 Exec null
      1 11 ExecArgs "eleven"
      1 10 ExecArgs "ten"`),
  ).toEqual({ execs: ['10 "ten"', '11 "eleven"'], orphans: [] });
  expect(execs('1 10 Exec null\n2 10 Exit\n3 10 ExecArgs "late"')).toEqual({ execs: ["10 ?"], orphans: [3] });
});

test("one exec after the other, the parts before or behind", () => {
  expect(execs('1 10 Exec null\n1 10 ExecArgs "a"\n2 10 Exec null\n2 10 ExecArgs "b"').execs).toEqual([
    '10 "a"',
    '10 "b"',
  ]);
  expect(
    execs(`
      1 10 ExecFilename "/a"
      1 10 ExecArgs "a"
      2 10 BadExec
      3 10 ExecFilename "/b"
      3 10 ExecArgs "b"
      3 10 Exec
      4 10 ExecFilename "/c"
      4 10 ExecArgs "c"
      4 10 Exec`),
  ).toEqual({ execs: ['10 /a "a"', '10 /b "b"', '10 /c "c"'], orphans: [] });
});

test("lines out of order are joined by their times", () => {
  expect(execs('5 10 Exec null\n2 10 ExecArgs "a"\n2 10 Exec null\n5 10 ExecArgs "b"').execs).toEqual([
    '10 "b"',
    '10 "a"',
  ]);
});

test("a second ExecArgs at the same time is another view of the same words; later ones belong to nothing", () => {
  expect(execs('1 10 Exec null\n1 10 ExecArgs "a"\n1 10 ExecArgs "a b"')).toEqual({ execs: ['10 "a b"'], orphans: [] });
  expect(execs('1 10 Exec null\n1 10 ExecArgs "a"\n9 10 ExecArgs "b"')).toEqual({ execs: ['10 "a"'], orphans: [3] });
});

test("parts without their exec are told with their lines, and stop nothing", () => {
  expect(execs('1 10 ExecArgs "a"\n2 10 ExecArgs "b"\n3 11 ExecFilename "/c"\n4 12 Exec ["d"]')).toEqual({
    execs: ['12 ["d"]'],
    orphans: [1, 2, 3],
  });
});

test("thousands of parts for one exec cost no more than they are", () => {
  const many = Array.from({ length: 20_000 }, () => '1 10 ExecArgs "x"').join("\n");
  const started = performance.now();
  const { execs: found, orphans } = execs(`1 10 Exec null\n${many}`);
  expect(found).toEqual(['10 "x"']);
  expect(orphans.length).toBe(20);
  expect(performance.now() - started).toBeLessThan(3000);
});
