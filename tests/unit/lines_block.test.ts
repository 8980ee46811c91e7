// The block codec: what goes into a builder comes out of the blocks, event by event, and the costs in the heads are those that a
// plain walk over all events finds. Damaged bytes never throw.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type BuiltBlock, BlockBuilder, enterWord, WORD } from "../../lib/lines/block_builder.ts";
import { type BlockHead, decodeHead } from "../../lib/lines/block_head.ts";
import { decodeEvents } from "../../lib/lines/block_events.ts";

function headOf(block: BuiltBlock): BlockHead {
  const head = decodeHead(block.head);
  if (typeof head === "string") throw new Error(head);
  return head;
}

interface Stream {
  readonly words: readonly number[];
  readonly times: readonly number[];
}

const CODES = 5;
/** Codes 0 and 1 share a file; 4 has none. */
const fileOf = (code: number) => (code === 4 ? undefined : code < 2 ? "a" : `f${code}`);

function build(stream: Stream, flushAt: ReadonlySet<number> = new Set(), end?: number): BuiltBlock[] {
  const blocks: BuiltBlock[] = [];
  const builder = new BlockBuilder((block) => blocks.push(block));
  for (let code = 0; code < CODES; code++)
    builder.define(code, { source: fileOf(code), firstLine: code * 10, name: `c${code}` });
  stream.words.forEach((word, i) => {
    if (flushAt.has(i)) builder.flush();
    builder.add(word, stream.times[i]!);
  });
  builder.flush(end);
  return blocks;
}

/** Words that a recorder could write: every leave has its enter, every line a frame. */
const streams: fc.Arbitrary<Stream> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 5000 })), {
    maxLength: 300,
  })
  .map((steps) => {
    const words: number[] = [enterWord(0)];
    const times: number[] = [1000];
    let depth = 1;
    let now = 1000;
    for (const [what, n, wait] of steps) {
      now += wait;
      if (what < 6 && depth > 0) words.push(1 + n);
      else if (what < 8 || depth === 0) {
        words.push(enterWord(n % CODES));
        depth++;
      } else {
        words.push(-1 - (n % 3));
        depth--;
      }
      times.push(now);
    }
    return { words, times };
  });

interface Cost {
  count: number;
  self: number;
  cumulated: number;
  everyLevel: number;
}

/** Costs by `code:line`, found the plain way: for every interval between two events, who is on the stack. */
function plainCosts(stream: Stream, end: number): Map<string, Cost> {
  const costs = new Map<string, Cost>();
  const of = (code: number, line: number) => {
    const key = `${code}:${line}`;
    const cost = costs.get(key) ?? { count: 0, self: 0, cumulated: 0, everyLevel: 0 };
    costs.set(key, cost);
    return cost;
  };
  const suspended = new Map<number, number>();
  /** Codes of the open frames; what each has open: a line, -1 for a frame that has none yet. */
  const stack: number[] = [];
  const opened: { line: number; from: number; order: number }[] = [];
  const all: { code: number; line: number; from: number; to: number; order: number }[] = [];
  let order = 0;
  const closeTop = (depth: number, now: number) => {
    const o = opened[depth]!;
    all.push({ code: stack[depth]!, line: o.line, from: o.from, to: now, order: o.order });
  };
  const settle = () => {
    const top = stack.length - 1;
    if (top >= 0 && opened[top]!.line < 0) opened[top]!.line = suspended.get(stack[top]!) ?? 0;
  };
  let last = stream.times[0]!;
  stream.words.forEach((word, i) => {
    const now = stream.times[i]!;
    const top = stack.length - 1;
    if (word > 0) {
      const o = opened[top]!;
      if (o.line < 0) {
        o.line = word;
        of(stack[top]!, word).self += now - last;
      } else {
        of(stack[top]!, o.line).self += now - last;
        closeTop(top, now);
        opened[top] = { line: word, from: now, order: order++ };
      }
      of(stack[top]!, word).count++;
    } else {
      settle();
      if (top >= 0) of(stack[top]!, opened[top]!.line).self += now - last;
      if (word < -3) {
        stack.push(-4 - word);
        opened.push({ line: -1, from: now, order: order++ });
      } else {
        closeTop(top, now);
        if (word === WORD.suspended) suspended.set(stack[top]!, opened[top]!.line);
        stack.pop();
        opened.pop();
      }
    }
    last = now;
  });
  if (stack.length > 0) {
    const top = stack.length - 1;
    if (opened[top]!.line < 0) opened[top]!.line = 0;
    of(stack[top]!, opened[top]!.line).self += end - last;
    for (let i = top; i >= 0; i--) closeTop(i, end);
  }
  // An open span is the outermost of its file and line when no earlier one of theirs lasted all of its time.
  const place = (code: number, line: number) => `${fileOf(code) ?? `none${code}`}:${line}`;
  for (const span of all) {
    const cost = of(span.code, span.line);
    cost.everyLevel += span.to - span.from;
    const inside = all.some(
      (other) =>
        other.order < span.order &&
        place(other.code, other.line) === place(span.code, span.line) &&
        other.from <= span.from &&
        span.to <= other.to,
    );
    if (!inside) cost.cumulated += span.to - span.from;
  }
  return costs;
}

function summed(blocks: readonly BuiltBlock[]): Map<string, Cost> {
  const costs = new Map<string, Cost>();
  for (const block of blocks) {
    const { codes, totals } = headOf(block);
    for (let i = 0; i < totals.length; i++) {
      const key = `${codes[totals.code[i]!]!.name.slice(1)}:${totals.line[i]}`;
      const cost = costs.get(key) ?? { count: 0, self: 0, cumulated: 0, everyLevel: 0 };
      cost.count += totals.count[i]!;
      cost.self += totals.self[i]!;
      cost.cumulated += totals.cumulated[i]!;
      cost.everyLevel += totals.everyLevel[i]!;
      costs.set(key, cost);
    }
  }
  return costs;
}

const sortedEntries = (m: Map<string, Cost>) =>
  [...m].filter(([, c]) => c.count + c.everyLevel > 0).sort(([a], [b]) => (a < b ? -1 : 1));

test("the costs in a head are those of a plain walk over the events", () => {
  fc.assert(
    fc.property(streams, fc.integer({ min: 0, max: 9000 }), (stream, more) => {
      const end = stream.times.at(-1)! + more;
      const got = sortedEntries(summed(build(stream, new Set(), end)));
      expect(got).toEqual(sortedEntries(plainCosts(stream, end)));
    }),
    { numRuns: 300 },
  );
});

test("events come out of the blocks as they went in, wherever blocks are cut; sums of costs stay", () => {
  fc.assert(
    fc.property(streams, fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 6 }), (stream, cuts) => {
      const blocks = build(stream, new Set(cuts));
      const want: number[][] = [];
      const stack: number[] = [];
      stream.words.forEach((word, i) => {
        if (word > 0) want.push([stack.at(-1)!, word, stack.length, stream.times[i]!]);
        else if (word < -3) stack.push(-4 - word);
        else stack.pop();
      });
      const got: number[][] = [];
      let lastEnd: number | undefined;
      for (const block of blocks) {
        const head = headOf(block);
        const events = decodeEvents(block.data, head, block.start);
        expect(events.fault).toBeUndefined();
        expect(events.count).toBe(block.events);
        if (lastEnd !== undefined) expect(block.start).toBe(lastEnd);
        lastEnd = block.end;
        for (let i = 0; i < events.count; i++)
          got.push([
            Number(head.codes[events.code[i]!]!.name.slice(1)),
            events.line[i]!,
            events.depth[i]!,
            events.time[i]!,
          ]);
      }
      expect(got.map((e) => e.slice(0, 3))).toEqual(want.map((e) => e.slice(0, 3)));
      // Times are kept to 100 ns, never early by more and never late.
      got.forEach((e, i) => {
        expect(want[i]![3]! - e[3]!).toBeGreaterThanOrEqual(0);
        expect(want[i]![3]! - e[3]!).toBeLessThan(100);
      });
      const total = (costs: Map<string, Cost>, what: keyof Cost) =>
        [...costs.values()].reduce((s, c) => s + c[what], 0);
      const whole = summed(build(stream));
      const cut = summed(blocks);
      for (const what of ["count", "self", "everyLevel"] as const) expect(total(cut, what)).toBe(total(whole, what));
    }),
    { numRuns: 300 },
  );
});

test("depth 10,000, lines and functions beyond 16 bits, a block that opens with all of its frames", () => {
  const blocks: BuiltBlock[] = [];
  const builder = new BlockBuilder((block) => blocks.push(block));
  let now = 0;
  for (let code = 0; code < 70_000; code++) builder.define(code, { source: "s", firstLine: code + 1, name: "f" });
  for (let depth = 0; depth < 10_000; depth++) {
    builder.add(enterWord(60_000 + depth), now++);
    builder.add(1_000_000 + depth, now++);
  }
  builder.flush();
  builder.add(2_000_000_000, now++);
  for (let depth = 0; depth < 10_000; depth++) builder.add(WORD.unwound, now++);
  builder.flush();
  expect(blocks).toHaveLength(2);
  const second = headOf(blocks[1]!);
  expect(second.stackLine[9_999]).toBe(1_009_999);
  expect(second.codes[second.stackCode[9_999]!]!.firstLine).toBe(70_000);
  expect(second.minDepth).toBe(0);
  const events = decodeEvents(blocks[1]!.data, second, blocks[1]!.start);
  expect([events.count, events.line[0], events.depth[0]]).toEqual([1, 2_000_000_000, 10_000]);
});

test("a block closes itself after 65536 events and takes no more than its events", () => {
  const blocks: BuiltBlock[] = [];
  const builder = new BlockBuilder((block) => blocks.push(block));
  builder.define(0, { source: "s", firstLine: 1, name: "f" });
  builder.add(enterWord(0), 0);
  for (let i = 0; i < 200_000; i++) builder.add(1 + (i % 7), i * 150);
  builder.flush();
  expect(blocks.map((b) => b.events)).toEqual([65_535, 65_536, 65_536, 3_393]);
  expect(blocks[1]!.start).toBe(blocks[0]!.end);
});

test("a wait counts for the loop that waits, and a thread's last wait is a block without lines", () => {
  const blocks: BuiltBlock[] = [];
  const builder = new BlockBuilder((block) => blocks.push(block));
  builder.define(0, { source: "s", firstLine: 1, name: "run" });
  builder.define(1, { source: undefined, firstLine: 0, name: "<idle>" });
  builder.add(enterWord(0), 0);
  builder.add(5, 10);
  builder.add(enterWord(1), 100);
  builder.add(WORD.returned, 5_000_100);
  builder.add(6, 5_000_200);
  builder.flush();
  builder.flush(9_000_000);
  expect(blocks.map((b) => [b.events, b.start, b.end])).toEqual([
    [2, 0, 5_000_200],
    [0, 5_000_200, 9_000_000],
  ]);
  const { codes, totals } = headOf(blocks[0]!);
  const idle = codes.findIndex((c) => c.name === "<idle>");
  const at = totals.code.indexOf(idle);
  expect([totals.line[at], totals.count[at], totals.self[at], totals.cumulated[at]]).toEqual([
    0, 0, 5_000_000, 5_000_000,
  ]);
  const last = headOf(blocks[1]!).totals;
  expect([last.length, last.line[0], last.count[0], last.self[0]]).toEqual([1, 6, 0, 3_999_800]);
});

test("a generator that goes on in the middle of a line goes on with the line of its yield", () => {
  const blocks: BuiltBlock[] = [];
  const builder = new BlockBuilder((block) => blocks.push(block));
  builder.define(0, { source: "s", firstLine: 1, name: "main" });
  builder.define(1, { source: "s", firstLine: 10, name: "gen" });
  const words = [enterWord(0), 2, enterWord(1), 11, WORD.suspended, 3, enterWord(1), WORD.returned, 4];
  words.forEach((word, i) => builder.add(word, i * 1000));
  builder.flush();
  const { totals } = headOf(blocks[0]!);
  const at = totals.line.indexOf(11);
  expect([totals.count[at], totals.self[at]]).toEqual([1, 2000 + 1000 - 0]);
  expect(totals.line.includes(0)).toBe(false);
});

test("words without a frame are dropped and counted", () => {
  const builder = new BlockBuilder(() => {});
  for (const word of [5, WORD.returned, 0]) builder.add(word, 1);
  expect(builder.dropped).toBe(3);
});

test("bytes that were changed or cut never throw, and what comes out is bounded", () => {
  const stream: Stream = {
    words: [enterWord(0), 1, 2, enterWord(2), 7, WORD.returned, 3],
    times: [0, 1, 2, 3, 4, 5, 6],
  };
  const block = build(stream)[0]!;
  const good = headOf(block);
  fc.assert(
    fc.property(
      fc.nat(200),
      fc.nat(255),
      fc.boolean(),
      fc.option(fc.nat(200), { nil: undefined }),
      (at, value, inHead, cut) => {
        const bytes = (inHead ? block.head : block.data).slice(0, cut);
        if (at < bytes.length) bytes[at] = value;
        const head = inHead ? decodeHead(bytes) : good;
        if (typeof head === "string") return;
        const events = decodeEvents(inHead ? block.data : bytes, head, 0);
        expect(events.count).toBeLessThanOrEqual(block.data.length);
      },
    ),
    { numRuns: 3000 },
  );
});

test("a head that claims two thousand million entries is refused without making room for them", () => {
  // version, flags, words, events, depth, then a number of sources far beyond the bytes.
  const claim = Uint8Array.of(1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x07);
  expect(decodeHead(claim)).toBeString();
  const stack = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x07);
  expect(decodeHead(stack)).toBeString();
  expect(decodeHead(Uint8Array.of(9))).toContain("version 9");
});
