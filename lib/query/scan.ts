// The loops under every query: one operation over one block of rows, columns in and columns out, nothing allocated. Each is a plain
// function over one kind of array, so that the runtime can make good code of it; `compile.ts` strings them together.
import type { CompareOperator } from "./typed.ts";

/** Rows that are worked on at once: the buffers of a query stay in the processor's cache. */
export const BLOCK = 2048;

/** The rows of one block: `row` of the rows asked about, `inner` the child or image that stands beside each. */
export interface Frames {
  readonly row: Int32Array;
  readonly inner: Int32Array;
}

/** Values of a column at rows; NaN where a row is negative or its value is not known. */
export function gatherDoubles(column: Float64Array, rows: Int32Array, n: number, out: Float64Array): void {
  for (let i = 0; i < n; i++) {
    const row = rows[i]!;
    out[i] = row < 0 ? NaN : column[row]!;
  }
}

export function gatherIntegers(column: Int32Array, rows: Int32Array, n: number, out: Float64Array): void {
  for (let i = 0; i < n; i++) {
    const row = rows[i]!;
    const value = row < 0 ? -1 : column[row]!;
    out[i] = value < 0 ? NaN : value;
  }
}

export function gatherBytes(column: Uint8Array, rows: Int32Array, n: number, out: Float64Array): void {
  for (let i = 0; i < n; i++) {
    const row = rows[i]!;
    out[i] = row < 0 ? NaN : column[row]!;
  }
}

/** Keys of texts, or rows of another table, at rows. */
export function gatherKeys(column: Int32Array, rows: Int32Array, n: number, out: Int32Array): void {
  for (let i = 0; i < n; i++) {
    const row = rows[i]!;
    out[i] = row < 0 ? -1 : column[row]!;
  }
}

export type CompareLoop = (a: Float64Array, b: Float64Array, n: number, out: Uint8Array) => void;
export type CompareConstantLoop = (a: Float64Array, b: number, n: number, out: Uint8Array) => void;

/** Of NaN every comparison is false, `!=` too. */
export const COMPARE: Readonly<Record<CompareOperator, CompareLoop>> = {
  "==": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i] === b[i] ? 1 : 0;
  },
  "!=": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! < b[i]! || a[i]! > b[i]! ? 1 : 0;
  },
  "<": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! < b[i]! ? 1 : 0;
  },
  "<=": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! <= b[i]! ? 1 : 0;
  },
  ">": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! > b[i]! ? 1 : 0;
  },
  ">=": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! >= b[i]! ? 1 : 0;
  },
};

export const COMPARE_CONSTANT: Readonly<Record<CompareOperator, CompareConstantLoop>> = {
  "==": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i] === b ? 1 : 0;
  },
  "!=": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! < b || a[i]! > b ? 1 : 0;
  },
  "<": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! < b ? 1 : 0;
  },
  "<=": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! <= b ? 1 : 0;
  },
  ">": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! > b ? 1 : 0;
  },
  ">=": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! >= b ? 1 : 0;
  },
};

export type ArithmeticLoop = (a: Float64Array, b: Float64Array, n: number, out: Float64Array) => void;

export const ARITHMETIC: Readonly<Record<"+" | "-" | "*" | "/" | "%", ArithmeticLoop>> = {
  "+": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! + b[i]!;
  },
  "-": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! - b[i]!;
  },
  "*": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! * b[i]!;
  },
  // Nothing is known of a division by nothing.
  "/": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = b[i] === 0 ? NaN : a[i]! / b[i]!;
  },
  "%": (a, b, n, out) => {
    for (let i = 0; i < n; i++) out[i] = b[i] === 0 ? NaN : a[i]! % b[i]!;
  },
};

export function between(a: Float64Array, low: Float64Array, high: Float64Array, n: number, out: Uint8Array): void {
  for (let i = 0; i < n; i++) out[i] = a[i]! >= low[i]! && a[i]! <= high[i]! ? 1 : 0;
}

export function isKnown(a: Float64Array, n: number, out: Uint8Array): void {
  for (let i = 0; i < n; i++) out[i] = Number.isNaN(a[i]!) ? 0 : 1;
}

export function isTruthy(a: Float64Array, n: number, out: Uint8Array): void {
  for (let i = 0; i < n; i++) out[i] = a[i]! < 0 || a[i]! > 0 ? 1 : 0;
}

export function isNotNegative(keys: Int32Array, n: number, out: Uint8Array): void {
  for (let i = 0; i < n; i++) out[i] = keys[i]! < 0 ? 0 : 1;
}

export function fillPlaces(out: Int32Array, from: number, n: number): void {
  for (let i = 0; i < n; i++) out[i] = from + i;
}
