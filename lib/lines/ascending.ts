// Indices in ascending order of their values, equal values in the order in which numpy 1.24's default `argsort` leaves them: a
// median-of-three quicksort that is not stable. The older tool picks its rows with it, so which of several equally
// frequent lines come into a table of twenty depends on this very algorithm. NaN sorts last.

/** Parts of at most this many elements are sorted by insertion. */
const SMALL = 16;

const less = (a: number, b: number): boolean => a < b || (Number.isNaN(b) && !Number.isNaN(a));

export function ascending(values: Float64Array): Int32Array {
  const at = Int32Array.from(values, (_, i) => i);
  const before = (i: number, j: number) => less(values[at[i]!]!, values[at[j]!]!);
  const swap = (i: number, j: number) => {
    const x = at[i]!;
    at[i] = at[j]!;
    at[j] = x;
  };
  if (at.length === 0) return at;
  /** Parts that are still to be sorted: first, last, how often they may be parted again. */
  const parts: [number, number, number][] = [[0, at.length - 1, 2 * Math.floor(Math.log2(at.length))]];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    let [first, last, depth] = part;
    if (depth < 0) {
      sortByHeap(at, values, first, last);
      continue;
    }
    while (last - first >= SMALL) {
      const middle = first + ((last - first) >> 1);
      if (before(middle, first)) swap(middle, first);
      if (before(last, middle)) swap(last, middle);
      if (before(middle, first)) swap(middle, first);
      const pivot = values[at[middle]!]!;
      let i = first;
      let j = last - 1;
      swap(middle, j);
      for (;;) {
        do i++;
        while (less(values[at[i]!]!, pivot));
        do j--;
        while (less(pivot, values[at[j]!]!));
        if (i >= j) break;
        swap(i, j);
      }
      swap(i, last - 1);
      depth--;
      if (i - first < last - i) {
        parts.push([i + 1, last, depth]);
        last = i - 1;
      } else {
        parts.push([first, i - 1, depth]);
        first = i + 1;
      }
    }
    for (let i = first + 1; i <= last; i++) {
      const index = at[i]!;
      const value = values[index]!;
      let j = i;
      for (; j > first && less(value, values[at[j - 1]!]!); j--) at[j] = at[j - 1]!;
      at[j] = index;
    }
  }
  return at;
}

/** What the quicksort turns to when its pivots keep being bad. */
function sortByHeap(at: Int32Array, values: Float64Array, first: number, last: number): void {
  let n = last - first + 1;
  const value = (i: number) => values[at[first + i - 1]!]!;
  /** Lets the element `index` sink from place `i`, places counted from 1. */
  const sink = (index: number, from: number) => {
    let i = from;
    for (let j = i * 2; j <= n; j = i * 2) {
      if (j < n && less(value(j), value(j + 1))) j++;
      if (!less(values[index]!, value(j))) break;
      at[first + i - 1] = at[first + j - 1]!;
      i = j;
    }
    at[first + i - 1] = index;
  };
  for (let i = n >> 1; i > 0; i--) sink(at[first + i - 1]!, i);
  while (n > 1) {
    const index = at[first + n - 1]!;
    at[first + n - 1] = at[first]!;
    n--;
    sink(index, 1);
  }
}
