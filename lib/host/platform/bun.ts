// What the runtime's foreign function interface looks like under Bun. The only file that may name bun:ffi.
// Thin on purpose: two libc functions, then machine code of our own (lib/host/kernel.ts).
import { CFunction, dlopen, FFIType, ptr, toArrayBuffer, type Pointer } from "bun:ffi";

export type Procedure = (...words: number[]) => number;

export const runtime: "bun" | "deno" = "bun";

/** Bun marks the descriptors it inherits close-on-exec before our first line, so the flag cannot tell them from its own. */
export const hidesInherited = true;

function words(arity: number): FFIType[] {
  return Array.from({ length: arity }, () => FFIType.i64);
}

/** Functions of a library by name and number of words; each gives one word. Throws when the library or a name is not there. */
export function openLibrary<Name extends string>(
  library: string,
  arities: Readonly<Record<Name, number>>,
): Readonly<Record<Name, Procedure>> {
  const table: Record<string, { args: FFIType[]; returns: FFIType }> = {};
  // i64_fast gives a number, which every address and result of ours fits into; i64 would give a bigint.
  for (const name of Object.keys(arities))
    table[name] = { args: words(arities[name as Name]), returns: FFIType.i64_fast };
  return dlopen(library, table).symbols as unknown as Record<Name, Procedure>;
}

/** Calls the machine code at `address` with `arity` words. */
export function procedureAt(address: number, arity: number): Procedure {
  const call = CFunction({ ptr: address as Pointer, args: words(arity), returns: FFIType.i64_fast });
  return call as unknown as Procedure;
}

/** Where the bytes are. A view's address changes when its buffer is first touched, so it is touched here; keep the view alive. */
export function addressOf(view: Uint8Array): number {
  if (view.buffer.byteLength === 0) return 0;
  return Number(ptr(view));
}

/** Memory that this runtime does not own. */
export function bytesAt(address: number, length: number): Uint8Array {
  return new Uint8Array(toArrayBuffer(address as Pointer, 0, length));
}
