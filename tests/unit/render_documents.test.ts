// The tree and the Mermaid chart of every drawing, as golden files, and what holds for all of them.
import { afterAll, expect, test } from "bun:test";
import * as fc from "fast-check";
import { displayWidth } from "../../lib/base/text.ts";
import { KIND } from "../../lib/model/event.ts";
import { argvOf } from "../../lib/model/event_at.ts";
import { quoteArgv } from "../../lib/model/argv.ts";
import type { Recording } from "../../lib/model/recording.ts";
import { mermaid } from "../../lib/render/mermaid.ts";
import type { DocumentRenderer, RenderOptions } from "../../lib/render/renderer.ts";
import { renderToText } from "../../lib/render/to_text.ts";
import { tree } from "../../lib/render/tree.ts";
import { DRAWINGS } from "../support/drawings.ts";
import { expectGolden } from "../support/golden.ts";
import { tasksOf, unloadMermaid } from "../support/mermaid.ts";
import { timeline } from "../support/timeline.ts";

function draw(renderer: DocumentRenderer, recording: Recording, options: Partial<RenderOptions> = {}): string {
  return renderToText(renderer, recording, { width: 100, ...options });
}

afterAll(unloadMermaid);

for (const [name, drawing] of Object.entries(DRAWINGS)) {
  test(`tree: ${name}`, () => expectGolden(`tree_${name}`, draw(tree, timeline(drawing))));

  test(`mermaid: ${name}`, async () => {
    const text = draw(mermaid, timeline(drawing));
    expectGolden(`mermaid_${name}`, text);
    const asTold = text.split("\n").filter((l) => / :(active|crit), \d+, \d+ms$/.test(l));
    const { tasks } = await tasksOf(text);
    expect(tasks.length).toBe(asTold.length);
  });
}

test("tree: whatever the width, no line is wider and none steers the terminal", () => {
  for (const drawing of Object.values(DRAWINGS)) {
    const recording = timeline(drawing);
    for (const unicode of [true, false])
      for (let width = 20; width <= 120; width += 7) {
        const text = draw(tree, recording, { width, unicode });
        for (const line of text.split("\n")) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
          expect(line).toMatch(unicode ? /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u : /^[\x20-\x7e]*$/);
        }
      }
  }
});

test("tree: colours are the only escapes, and only when asked for", () => {
  const recording = timeline(DRAWINGS["hostile"]!);
  const text = draw(tree, recording, { color: true });
  expect(text).toContain("\x1b[");
  let bare = text;
  for (const code of [0, 1, 2, 31, 33]) bare = bare.replaceAll(`\x1b[${code}m`, "");
  expect(bare).not.toContain("\x1b");
  expect(bare).toBe(draw(tree, recording));
});

test("tree: full leaves nothing out", () => {
  const long = "x".repeat(10_000);
  const recording = timeline(`0ms 10 exec /nix/store/lm10ywzflq9qfhr4fl0zqxrhiksf28ks-a-1/bin/a ${long} end`);
  expect(draw(tree, recording, { full: true, width: 80 })).toContain(
    `/nix/store/lm10ywzflq9qfhr4fl0zqxrhiksf28ks-a-1/bin/a ${long} end\n`,
  );
  expect(draw(tree, recording)).toContain("<store>/a xxx");
  expect(draw(tree, recording)).toContain("xx…\n");
});

test("tree: a limit states the remainder", () => {
  const lines = Array.from({ length: 1500 }, (_, i) => `${i + 1}ms 10 fork ${i + 11}`);
  const recording = timeline(`0ms 10 exec sh\n${lines.join("\n")}`);
  const text = draw(tree, recording, { limit: 3 });
  expect(text).toContain("1,501 processes");
  expect(text).toContain("… and 1,498 more processes (--limit N shows more, --limit 0 all)\n");
  expect(text.split("\n").length).toBe(8);
  expect(draw(tree, recording, { limit: Infinity }).split("\n").length).toBe(1505);
  expect(draw(tree, recording, { limit: 0 })).toContain("1,501 more processes");
});

test("tree: ten thousand levels keep the width and say how deep they are", () => {
  const lines = ["0us 1 exec sh"];
  for (let i = 1; i < 10_000; i++) lines.push(`${i}us ${i} fork ${i + 1}`);
  const recording = timeline(lines.join("\n"));
  const text = draw(tree, recording, { width: 80, limit: Infinity });
  const out = text.trimEnd().split("\n");
  expect(out.length).toBe(10_003);
  expect(Math.max(...out.map(displayWidth))).toBeLessThanOrEqual(80);
  expect(out.at(-1)).toContain("[9999] (sh)");
});

test("mermaid: labels and times as in proctrace's README", () => {
  expect(draw(mermaid, timeline(DRAWINGS["exec_chain"]!))).toBe(`gantt
    title Process Trace
    dateFormat x
    axisFormat %S.%L
    todayMarker off

    section flox execs
    flox activate -- curl -X GET http#58;//example.com :active, 0, 34ms
    <store>/bash /home/me/activate -c 'curl -X GET http#58;//example.com' :active, 34, 17ms
    /bin/bash --noprofile --rcfile /home/me/activate.d/bash -c 'curl -X GET http#58;//example.com' :active, 51, 1ms
    curl -X GET http#58;//example.com :active, 51, 57ms
    section other
    flox-watchdog :active, 33, 85ms
`);
});

test("mermaid: every label is what was run, whatever it holds", async () => {
  const recording = timeline(DRAWINGS["hostile"]!);
  const { events } = recording;
  const expected: string[] = [];
  for (let row = 0; row < events.length; row++) {
    if (events.kind[row] === KIND.exec) expected.push(quoteArgv(argvOf(recording, row)!));
  }
  const { title, tasks } = await tasksOf(draw(mermaid, recording, { full: true }));
  expect(title).toBe("Process Trace");
  expect(tasks.map((t) => t.label).sort()).toEqual(expected.sort());
  expect(new Set(tasks.map((t) => t.section))).toEqual(new Set(["section execs", "other"]));
  // The same from ASCII alone.
  const ascii = draw(mermaid, recording, { full: true, unicode: false });
  expect(ascii).toMatch(/^[\x20-\x7e\n]*$/);
  expect((await tasksOf(ascii)).tasks.length).toBe(tasks.length);
});

test("mermaid: no words make it refuse the chart, lose a letter or see a statement", async () => {
  const word = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.string({ maxLength: 12 }),
    fc
      .array(
        fc.constantFrom(
          ..."%#;:{}<>\"'`$&,-/\\ ".split(""),
          "section ",
          "click ",
          "%%",
          "%%{init",
          "title ",
          "\n",
          "end",
          "ﬂ°",
          "¶ß",
          "60",
        ),
        {
          maxLength: 8,
        },
      )
      .map((parts) => parts.join("")),
  );
  const samples = fc.sample(fc.array(word, { minLength: 1, maxLength: 4 }), { numRuns: 400, seed: 11 });
  const words = samples.map((w) => w.map((x) => x.replace(/\p{Cs}/gu, "")));
  const lines = words.map((w, i) => `${i}ms ${i + 1} exec ${w.map((x) => JSON.stringify(x)).join(" ")}`);
  const recording = timeline(lines.join("\n"));
  const { tasks } = await tasksOf(draw(mermaid, recording, { limit: Infinity, full: true }));
  const labels = words.map((w) => `${quoteArgv({ words: w, joined: false })} (no end)`);
  expect(tasks.map((t) => t.label)).toEqual(labels.map((l) => l.trim()));
  expect(tasks.every((t) => t.section === "other")).toBe(true);
});

test("mermaid: the longest tasks are drawn, the rest is counted, and Mermaid's size is kept", async () => {
  const lines = ["0ms 10 exec make"];
  for (let i = 0; i < 3000; i++) {
    lines.push(`${i}ms 10 fork ${i + 11}`, `${i}ms ${i + 11} exec cc -c file${i}.c -o ${"o".repeat(150)}`);
    lines.push(`${i + 1 + (i % 7)}ms ${i + 11} exit 0`);
  }
  lines.push("3010ms 10 exit 0");
  const recording = timeline(lines.join("\n"));
  const text = draw(mermaid, recording);
  expect(text.length).toBeLessThan(50_000);
  const { tasks } = await tasksOf(text);
  const left = 3001 - (tasks.length - 1);
  expect(tasks.at(-1)!.label).toContain(`... and ${left.toLocaleString("en")} more tasks, each at most 7.00ms`);
  expect(tasks[0]!.label).toBe("make");
  expect(text).toContain(`    %% ${left.toLocaleString("en")} more tasks`);

  const ten = await tasksOf(draw(mermaid, recording, { limit: 10 }));
  expect(ten.tasks.length).toBe(11);
  const all = draw(mermaid, recording, { limit: Infinity });
  expect(all).toContain("maxTextSize");
  expect(all.split("\n").filter((l) => l.includes(":active")).length).toBe(3001);
});

test("mermaid: labels that no chart has room for keep their beginning and their end", () => {
  const words = `cc ${"-I".repeat(300)} last.c`;
  const label = (drawing: string, full = false) =>
    draw(mermaid, timeline(drawing), { full })
      .split("\n")
      .find((l) => l.includes("last.c"))!;
  const whole = label(`0ms 10 exec ${words}\n100ms 10 exit 0`);
  expect(whole).toMatch(/^ {4}cc -I-I.*…I?(-I)+ last\.c :active, 0, 100ms$/);
  expect(whole.indexOf(" :")).toBe(4 + 160);
  // A short bar in the middle has half a chart on either side.
  const short = label(`0ms 9 exec x\n50ms 10 exec ${words}\n51ms 10 exit 0\n100ms 9 exit 0`);
  expect(short.indexOf(" :")).toBe(4 + 80);
  expect(label(`0ms 10 exec ${words}\n100ms 10 exit 0`, true)).toContain(words);
});

test("renderers take recordings without order, header or sense", async () => {
  const soup = fc.sample(
    fc.array(fc.constantFrom(...Object.values(DRAWINGS).join("\n").split("\n")), { maxLength: 40 }),
    {
      numRuns: 60,
      seed: 3,
    },
  );
  for (const lines of soup) {
    const recording = timeline(lines.filter((l) => !l.includes("ppid=")).join("\n"));
    const text = draw(tree, recording);
    expect(text).toMatch(/^[^\p{Cc}\p{Cf}]*$/mu);
    await tasksOf(draw(mermaid, recording));
  }
});
