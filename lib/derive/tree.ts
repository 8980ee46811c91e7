// The lives of a recording as a forest: children, roots, depth-first order, and what a process runs that never called
// exec (its parent's image). Columns only, and never recursion: a tree may be ten thousand levels deep.
import { groupRows } from "../base/columns.ts";
import { ABSENT } from "../model/ids.ts";
import type { Processes } from "./processes.ts";

export interface ProcessTree {
  /** Children of life `p`, in order of their first events: `child[childAt[p] .. childAt[p + 1])`. */
  readonly childAt: Int32Array;
  readonly child: Int32Array;
  /** Lives without a recorded parent, in order of their first events. */
  readonly roots: Int32Array;
  /** All lives, each right before its descendants. */
  readonly preorder: Int32Array;
  /** By life: where it is in `preorder`; its subtree is the `size[p]` lives from there. */
  readonly position: Int32Array;
  /** By life: itself and its descendants. */
  readonly size: Int32Array;
  /** By life: 0 for roots. */
  readonly depth: Int32Array;
  /** By life: row of the exec event whose program it ran from its start, inherited from its creator; ABSENT when unknown. */
  readonly inheritedRow: Int32Array;
}

export function deriveTree(p: Processes): ProcessTree {
  const n = p.length;
  const { at: childAt, items: child } = groupRows(p.parent, n);
  const rootList: number[] = [];
  for (let life = 0; life < n; life++) if (p.parent[life] === ABSENT) rootList.push(life);
  const roots = Int32Array.from(rootList);

  const preorder = new Int32Array(n);
  const position = new Int32Array(n);
  const depth = new Int32Array(n);
  const stack = new Int32Array(n);
  let top = 0;
  for (let r = roots.length - 1; r >= 0; r--) stack[top++] = roots[r]!;
  for (let at = 0; top > 0; at++) {
    const life = stack[--top]!;
    preorder[at] = life;
    position[life] = at;
    const above = p.parent[life]!;
    depth[life] = above === ABSENT ? 0 : depth[above]! + 1;
    for (let c = childAt[life + 1]! - 1; c >= childAt[life]!; c--) stack[top++] = child[c]!;
  }

  const size = new Int32Array(n).fill(1);
  for (let at = n - 1; at >= 0; at--) {
    const life = preorder[at]!;
    const above = p.parent[life]!;
    if (above !== ABSENT) size[above]! += size[life]!;
  }

  const inheritedRow = new Int32Array(n).fill(ABSENT);
  for (let at = 0; at < n; at++) {
    const life = preorder[at]!;
    const above = p.parent[life]!;
    if (above !== ABSENT) inheritedRow[life] = imageAt(p, above, p.start[life]!, inheritedRow[above]!);
  }
  return { childAt, child, roots, preorder, position, size, depth, inheritedRow };
}

/** Row of the exec whose program `life` ran at time `t`; `before` when it had not called exec by then. */
function imageAt(p: Processes, life: number, t: number, before: number): number {
  let low = p.imageAt[life]!;
  let high = p.imageAt[life + 1]!;
  const first = low;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (p.imageStart[middle]! <= t) low = middle + 1;
    else high = middle;
  }
  return low > first ? p.imageRow[low - 1]! : before;
}

/** A life and its descendants, each before its own descendants: a view of `preorder`. */
export function subtree(tree: ProcessTree, life: number): Int32Array {
  const from = tree.position[life]!;
  return tree.preorder.subarray(from, from + tree.size[life]!);
}
