// Sorts row indices by two columns of numbers, stable: a natural merge sort that costs one pass when the rows are in order,
// and little more when they nearly are. It allocates only the list of runs; rows are compared in place, never copied.

/** Shorter runs are made this long by insertion before they are merged. */
const SHORT_RUN = 16;

/** Whether row `a` belongs strictly before row `b`. NaN must not occur. */
function before(first: Float64Array, second: Float64Array, a: number, b: number): boolean {
  const x = first[a]!;
  const y = first[b]!;
  return x < y || (x === y && second[a]! < second[b]!);
}

/**
 * Fills `order[0, n)` with the rows 0 to n-1 by `first`, then `second`, then row number; `spare` is scratch of the same length.
 * Returns true when the rows were in order as they stood.
 */
export function orderByKeys(
  first: Float64Array,
  second: Float64Array,
  n: number,
  order: Uint32Array,
  spare: Uint32Array,
): boolean {
  for (let i = 0; i < n; i++) order[i] = i;
  const runs = findRuns(first, second, n, order);
  let count = runs.length - 1;
  if (count <= 1) return runs.sorted;
  const bounds = runs.bounds;
  while (count > 1) {
    let kept = 0;
    for (let r = 0; r < count; r += 2) {
      const from = bounds[r]!;
      if (r + 1 < count) mergeRuns(first, second, order, spare, from, bounds[r + 1]!, bounds[r + 2]!);
      bounds[kept++] = from;
    }
    bounds[kept] = n;
    count = kept;
  }
  return false;
}

interface Runs {
  readonly bounds: Uint32Array;
  /** Number of bounds: one more than there are runs. */
  readonly length: number;
  readonly sorted: boolean;
}

function findRuns(first: Float64Array, second: Float64Array, n: number, order: Uint32Array): Runs {
  let bounds = new Uint32Array(1024);
  let count = 0;
  let sorted = true;
  for (let i = 0; i < n;) {
    if (count + 2 > bounds.length) {
      const grown = new Uint32Array(bounds.length * 2);
      grown.set(bounds);
      bounds = grown;
    }
    bounds[count++] = i;
    let end = i + 1;
    // Rows stand as they came, so neighbours in `order` are neighbours in the columns.
    while (end < n && !before(first, second, end, end - 1)) end++;
    if (end < n) sorted = false;
    if (end < n && end - i < SHORT_RUN) {
      const to = Math.min(n, i + SHORT_RUN);
      for (let k = end; k < to; k++) {
        let at = k;
        while (at > i && before(first, second, k, order[at - 1]!)) {
          order[at] = order[at - 1]!;
          at--;
        }
        order[at] = k;
      }
      end = to;
    }
    i = end;
  }
  bounds[count++] = n;
  return { bounds, length: count, sorted };
}

/** Merges `order[from, middle)` with `order[middle, to)`; only the part where they overlap is touched. */
function mergeRuns(
  first: Float64Array,
  second: Float64Array,
  order: Uint32Array,
  spare: Uint32Array,
  from: number,
  middle: number,
  to: number,
): void {
  const head = order[middle]!;
  const tail = order[middle - 1]!;
  if (!before(first, second, head, tail)) return;
  const low = firstBehind(first, second, order, from, middle, head);
  const high = firstNotBefore(first, second, order, middle, to, tail);
  let left = 0;
  const lefts = middle - low;
  for (let i = 0; i < lefts; i++) spare[i] = order[low + i]!;
  let right = middle;
  let at = low;
  while (left < lefts && right < high) {
    const a = spare[left]!;
    const b = order[right]!;
    if (before(first, second, b, a)) {
      order[at++] = b;
      right++;
    } else {
      order[at++] = a;
      left++;
    }
  }
  while (left < lefts) order[at++] = spare[left++]!;
}

/** First position in the sorted `order[from, to)` whose row is behind `row`; looked for from the end, where it nearly always is. */
function firstBehind(
  first: Float64Array,
  second: Float64Array,
  order: Uint32Array,
  from: number,
  to: number,
  row: number,
): number {
  let high = to;
  let step = 1;
  let low = to - step;
  while (low > from && before(first, second, row, order[low]!)) {
    high = low;
    step *= 2;
    low = to - step;
  }
  if (low < from) low = from;
  while (low < high) {
    const m = (low + high) >>> 1;
    if (before(first, second, row, order[m]!)) high = m;
    else low = m + 1;
  }
  return low;
}

/** First position in the sorted `order[from, to)` whose row is not before `row`; looked for from the start. */
function firstNotBefore(
  first: Float64Array,
  second: Float64Array,
  order: Uint32Array,
  from: number,
  to: number,
  row: number,
): number {
  let low = from;
  let step = 1;
  let high = from + step;
  while (high < to && before(first, second, order[high]!, row)) {
    low = high;
    step *= 2;
    high = from + step;
  }
  if (high > to) high = to;
  while (low < high) {
    const m = (low + high) >>> 1;
    if (before(first, second, order[m]!, row)) low = m + 1;
    else high = m;
  }
  return low;
}
