import { expect, test } from "bun:test";
import fc from "fast-check";
import { orderByKeys } from "../../lib/base/key_order.ts";

function ordered(first: number[], second: number[]): { order: number[]; sorted: boolean } {
  const n = first.length;
  const order = new Uint32Array(n);
  const sorted = orderByKeys(Float64Array.from(first), Float64Array.from(second), n, order, new Uint32Array(n));
  return { order: [...order], sorted };
}

test("rows come out by both keys, equal ones as they stood", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.oneof(fc.nat(20), fc.constant(-Infinity), fc.nat(1e6)), fc.integer({ min: -2, max: 3 })), {
        maxLength: 600,
      }),
      fc.boolean(),
      (rows, nearly) => {
        if (nearly) rows.sort((a, b) => (a[0] === b[0] ? 0 : a[0] < b[0] ? -1 : 1));
        const expected = rows
          .map((_, i) => i)
          .sort((a, b) => {
            const [x, y] = [rows[a]!, rows[b]!];
            if (x[0] !== y[0]) return x[0] < y[0] ? -1 : 1;
            return x[1] - y[1] || a - b;
          });
        const { order, sorted } = ordered(
          rows.map((r) => r[0]),
          rows.map((r) => r[1]),
        );
        expect(order).toEqual(expected);
        expect(sorted).toBe(expected.every((row, i) => row === i));
      },
    ),
    { numRuns: 500 },
  );
});

test("long runs that overlap, hardly overlap and do not overlap", () => {
  const up = (from: number, n: number) => Array.from({ length: n }, (_, i) => from + i);
  for (const first of [
    [...up(0, 5000), ...up(2500, 5000)],
    [...up(0, 5000), ...up(4999, 5000), ...up(3, 10)],
    [...up(5000, 5000), ...up(0, 5000)],
    up(0, 10_000).toReversed(),
  ]) {
    const { order } = ordered(
      first,
      first.map(() => -1),
    );
    for (let i = 1; i < order.length; i++) {
      const [a, b] = [order[i - 1]!, order[i]!];
      expect(first[a]! < first[b]! || (first[a] === first[b] && a < b)).toBe(true);
    }
  }
});

test("none and one", () => {
  expect(ordered([], [])).toEqual({ order: [], sorted: true });
  expect(ordered([5], [1])).toEqual({ order: [0], sorted: true });
});
