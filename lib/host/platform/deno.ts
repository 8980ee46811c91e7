/// <reference lib="deno.ns" />
// What the runtime's foreign function interface looks like under Deno. The only file that may name Deno.
// Checked by `deno check`, not by tsc, which does not know Deno's types.

export type Procedure = (...words: number[]) => number;

export const runtime: "bun" | "deno" = "deno";

/** Deno opens its own descriptors close-on-exec and leaves the inherited ones as they are. */
export const hidesInherited = false;

type Words = ("i64" | "u64")[];

function words(arity: number): Words {
  return Array.from({ length: arity }, () => "i64" as const);
}

/** Functions of a library by name and number of words; each gives one word. Throws when the library or a name is not there. */
export function openLibrary<Name extends string>(
  library: string,
  arities: Readonly<Record<Name, number>>,
): Readonly<Record<Name, Procedure>> {
  const table: Record<string, { parameters: Words; result: "i64" }> = {};
  for (const name of Object.keys(arities)) table[name] = { parameters: words(arities[name as Name]), result: "i64" };
  const symbols = Deno.dlopen(library, table).symbols as unknown as Record<string, (...words: bigint[]) => bigint>;
  const out: Record<string, Procedure> = {};
  for (const name of Object.keys(arities)) {
    const call = symbols[name]!;
    out[name] = (...given) => Number(call(...given.map(BigInt)));
  }
  return out as Record<Name, Procedure>;
}

/** Calls the machine code at `address` with `arity` words. */
export function procedureAt(address: number, arity: number): Procedure {
  const pointer = Deno.UnsafePointer.create(BigInt(address));
  if (pointer === null) throw new Error("no code at address 0");
  const signature = { parameters: words(arity), result: "i64" } as const;
  const made = new Deno.UnsafeFnPointer(pointer as Deno.PointerObject<typeof signature>, signature);
  const call = made.call.bind(made) as unknown as (...words: bigint[]) => bigint;
  return (...given) => Number(call(...given.map(BigInt)));
}

/** Where the bytes are; keep the view alive. */
export function addressOf(view: Uint8Array<ArrayBuffer>): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(view)));
}

/** Memory that this runtime does not own. */
export function bytesAt(address: number, length: number): Uint8Array {
  const pointer = Deno.UnsafePointer.create(BigInt(address));
  if (pointer === null) throw new Error("no memory at address 0");
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, length));
}
