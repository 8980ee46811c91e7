// Growing typed columns, for tables whose length is not known beforehand. They hold numbers and know nothing of what
// the numbers mean; a finished column is handed out as a plain typed array.

export class Int32List {
  length = 0;
  private values: Int32Array;

  constructor(capacity = 1024) {
    this.values = new Int32Array(Math.max(16, capacity));
  }

  push(value: number): void {
    if (this.length === this.values.length) {
      const grown = new Int32Array(this.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.length++] = value;
  }

  get(index: number): number {
    return this.values[index]!;
  }

  set(index: number, value: number): void {
    this.values[index] = value;
  }

  /** The values so far: a view, not a copy. */
  view(): Int32Array {
    return this.values.subarray(0, this.length);
  }
}

export class Float64List {
  length = 0;
  private values: Float64Array;

  constructor(capacity = 1024) {
    this.values = new Float64Array(Math.max(16, capacity));
  }

  push(value: number): void {
    if (this.length === this.values.length) {
      const grown = new Float64Array(this.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.length++] = value;
  }

  get(index: number): number {
    return this.values[index]!;
  }

  set(index: number, value: number): void {
    this.values[index] = value;
  }

  /** The values so far: a view, not a copy. */
  view(): Float64Array {
    return this.values.subarray(0, this.length);
  }
}

/**
 * Rows of `group` per group, compressed: the members of group `g` are `items[at[g] .. at[g + 1])`, in row order.
 * Rows whose group is negative belong nowhere.
 */
export interface Groups {
  readonly at: Int32Array;
  readonly items: Int32Array;
}

export function groupRows(group: Int32Array, groups: number, rows: number = group.length): Groups {
  const at = new Int32Array(groups + 1);
  for (let row = 0; row < rows; row++) {
    const g = group[row]!;
    if (g >= 0) at[g + 1]!++;
  }
  for (let g = 0; g < groups; g++) at[g + 1]! += at[g]!;
  const items = new Int32Array(at[groups]!);
  const next = at.slice(0, groups);
  for (let row = 0; row < rows; row++) {
    const g = group[row]!;
    if (g >= 0) items[next[g]!++] = row;
  }
  return { at, items };
}
