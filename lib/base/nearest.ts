// "Did you mean": the few names that are close to what was typed.

/** Edits (insert, delete, replace, swap of neighbours) between two short words. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let d = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d = Math.min(d, before[j - 2]! + 1);
      row.push(d);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}

/** At most three of `known`, nearest first; a name that begins with what was typed counts as near. */
export function nearest(typed: string, known: readonly string[]): string[] {
  const limit = Math.max(1, Math.min(3, Math.floor(typed.length / 2)));
  return known
    .map((name) => ({ name, d: typed !== "" && name.startsWith(typed) ? 0 : editDistance(typed, name) }))
    .filter((x) => x.d <= limit)
    .sort((x, y) => x.d - y.d)
    .slice(0, 3)
    .map((x) => x.name);
}
