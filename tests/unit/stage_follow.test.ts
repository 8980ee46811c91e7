import { expect, test } from "bun:test";
import { followTree } from "../../lib/stage/follow.ts";

const follow = (parents: number[], root: number) => [...followTree(Int32Array.from(parents), root)];

test("a life, what it started, and what those started", () => {
  //      0
  //    1   2
  //   3 4    (5 stands alone)
  const parents = [-1, 0, 0, 1, 1, -1];
  expect(follow(parents, 0)).toEqual([1, 1, 1, 1, 1, 0]);
  expect(follow(parents, 1)).toEqual([0, 1, 0, 1, 1, 0]);
  expect(follow(parents, 4)).toEqual([0, 0, 0, 0, 1, 0]);
  expect(follow(parents, 5)).toEqual([0, 0, 0, 0, 0, 1]);
});

test("a child that is numbered before its parent", () => {
  expect(follow([2, 0, -1], 2)).toEqual([1, 1, 1]);
});

test("a ring of parents ends", () => {
  expect(follow([1, 2, 0, -1], 1)).toEqual([1, 1, 1, 0]);
  expect(follow([0], 0)).toEqual([1]);
});

test("a long chain needs no stack", () => {
  const parents = Array.from({ length: 500_000 }, (_, i) => i - 1);
  expect(followTree(Int32Array.from(parents), 0).every((m) => m === 1)).toBe(true);
});
