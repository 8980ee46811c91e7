// One process and everything under it: which process lives belong to the tree of one of them. Parents are those that
// created a process, so whom it was adopted by later changes nothing. Works on the columns of the derived processes.
import { groupRows } from "../base/columns.ts";

/**
 * By life: 1 when it is `root` or was created, directly or not, by it. `parent` has the creator of each life, negative
 * when unknown; rings in it, which no kernel makes, do no harm.
 */
export function followTree(parent: Int32Array, root: number): Uint8Array {
  const children = groupRows(parent, parent.length);
  const member = new Uint8Array(parent.length);
  member[root] = 1;
  const queue = new Int32Array(parent.length);
  queue[0] = root;
  for (let next = 0, end = 1; next < end; next++) {
    const life = queue[next]!;
    for (let i = children.at[life]!; i < children.at[life + 1]!; i++) {
      const child = children.items[i]!;
      if (member[child] === 1) continue;
      member[child] = 1;
      queue[end++] = child;
    }
  }
  return member;
}
