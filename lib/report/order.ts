// The order of the keys of a report: by order number, then by name, byte by byte.

const FIRST = [
  "_OPERATION",
  "_TIMESTAMP",
  "_DATE",
  "_TIME",
  "_TZ_OFFSET",
  "_DATETIME",
  "_CHALKS",
  "_COLLECTED_ARTIFACTS",
];
const LAST = ["_OP_CHALK_COUNT", "_OP_UNMARKED_COUNT"];
/** Where keys without a number of their own stand; a template's `order` may put a key before or behind them. */
const MIDDLE = 500;

const NUMBERS: ReadonlyMap<string, number> = new Map([
  ...FIRST.map((id, i): [string, number] => [id, i]),
  ...LAST.map((id, i): [string, number] => [id, 1000 + i]),
]);

const NONE: ReadonlyMap<string, number> = new Map();

export function orderOf(id: string, given: ReadonlyMap<string, number> = NONE): number {
  return given.get(id) ?? NUMBERS.get(id) ?? MIDDLE;
}

export function compareByOrder(a: string, b: string, given: ReadonlyMap<string, number> = NONE): number {
  return orderOf(a, given) - orderOf(b, given) || (a < b ? -1 : a > b ? 1 : 0);
}
