// What the kernel calls things, and the one identity that tk itself hands out.
import type { Brand } from "../base/brand.ts";

/** Process id as the kernel said it: never an identity, since pids are reused within one recording. */
export type Pid = Brand<number, "Pid">;

/** Index of one process life in a `Processes` table: the identity that everything derived uses. */
export type ProcId = Brand<number, "ProcId">;

/** In a column: the value was not recorded. */
export const ABSENT = -1;
