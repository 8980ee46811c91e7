// Built-in functions over lists and dictionaries. Values never change: what "sets" or "deletes" gives a copy.
import { builtin, type Builtin } from "../builtin.ts";
import { equal, type Key, print, type Value } from "../value.ts";
import { slicePoint } from "./text.ts";

const list = (v: Value | undefined) => v as readonly Value[];
const dict = (v: Value | undefined) => v as ReadonlyMap<Key, Value>;

export const COLLECTION_BUILTINS: readonly Builtin[] = [
  builtin("len(list[`x]) -> int", "How many elements", ([a]) => BigInt(list(a).length)),
  builtin("len(dict[`x, `y]) -> int", "How many entries", ([a]) => BigInt(dict(a).size)),
  builtin("keys(dict[`x, `y]) -> list[`x]", "The keys", ([a]) => [...dict(a).keys()]),
  builtin("values(dict[`x, `y]) -> list[`y]", "The values", ([a]) => [...dict(a).values()]),
  builtin("items(dict[`x, `y]) -> list[tuple[`x, `y]]", "Keys with their values", ([a]) =>
    [...dict(a)].map((items): Value => ({ kind: "tuple", items })),
  ),
  builtin("contains(list[`x], `x) -> bool", "Whether it is in the list", ([a, x], { session, spot }) => {
    const cost = session.sizeOf(x!);
    return list(a).some((item) => {
      session.step(spot, Math.min(cost, session.sizeOf(item)) >> 3);
      return equal(item, x!);
    });
  }),
  builtin("contains(dict[`x, `y], `x) -> bool", "Whether it is a key", ([a, x]) => dict(a).has(x as Key)),
  builtin(
    "get(dict[`x, `y], `x, `y) -> `y",
    "The value of a key, or the third if there is none",
    ([a, x, other]) => dict(a).get(x as Key) ?? other,
  ),
  builtin(
    "get(dict[`x, `y], `x) -> `y",
    "The value of a key",
    ([a, x], call) => dict(a).get(x as Key) ?? call.fail(`get: the dictionary has no key ${print(x!, true)}`),
  ),
  builtin(
    "get(list[`x], int) -> `x",
    "The element at an index",
    ([a, i], call) =>
      list(a)[Number(i as bigint)] ?? call.fail(`get: no element ${print(i!)} in a list of ${list(a).length}`),
  ),
  builtin("set(list[`x], int, `x) -> list[`x]", "With another element at an index", ([a, i, x], call) => {
    const at = Number(i as bigint);
    if (at < 0 || at >= list(a).length) return call.fail(`set: no element ${at} in a list of ${list(a).length}`);
    return list(a).with(at, x!);
  }),
  builtin("set(dict[`k, `v], `k, `v) -> dict[`k, `v]", "With a value for a key", ([a, k, v]) =>
    new Map(dict(a)).set(k as Key, v!),
  ),
  builtin("delete(list[`x], `x) -> list[`x]", "Without the elements that equal it", ([a, x], { session, spot }) =>
    list(a).filter((item) => {
      session.step(spot, session.sizeOf(item) >> 3);
      return !equal(item, x!);
    }),
  ),
  builtin("delete(dict[`k, `v], `k) -> dict[`k, `v]", "Without a key", ([a, k]) => {
    const copy = new Map(dict(a));
    copy.delete(k as Key);
    return copy;
  }),
  builtin("remove(list[`x], int) -> list[`x]", "Without the element at an index", ([a, i], call) => {
    const at = Number(i as bigint);
    if (at < 0 || at >= list(a).length) return call.fail(`remove: no element ${at} in a list of ${list(a).length}`);
    return list(a).toSpliced(at, 1);
  }),
  builtin("array_add(list[`x], list[`x]) -> list[`x]", "One behind the other", ([a, b]) => [...list(a), ...list(b)]),
  builtin("slice(list[`x], int, int) -> list[`x]", "From an index up to and without another", ([a, from, to]) =>
    list(a).slice(slicePoint(Number(from as bigint), list(a).length), slicePoint(Number(to as bigint), list(a).length)),
  ),
];
