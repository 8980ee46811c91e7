// tk turns into the program: the same process, pid, parent, descriptors and terminal, and everything that the runtime had
// changed about it as it was. Comes back only when the program cannot be run, and then as if nothing had been tried.
import {
  becomeProgram,
  blockSignals,
  errnoOf,
  keepDescriptors,
  restoreLimit,
  restoreMask,
  restoreSignals,
  roomForUndo,
  sizeOfProgram,
  takeBack,
  type Program,
} from "../capture/launch/become.ts";
import type { Inherited } from "../capture/launch/inherited.ts";
import { resultOf, Script } from "../capture/launch/script.ts";
import { openKernel } from "../host/kernel.ts";
import { Block } from "../host/memory.ts";

export interface PlaceOptions {
  readonly program: Program;
  readonly inherited: Inherited;
  /** A descriptor that the program gets as its standard output instead of ours. */
  readonly stdout?: number | undefined;
  /** Gets one byte when the program could not be run. */
  readonly tellFailure?: number | undefined;
}

/** The errno that execvp(3) would have ended with. */
export function takePlace({ program, inherited, stdout, tellFailure }: PlaceOptions): number {
  const operations = 400 + 16 * program.attempts.length + inherited.descriptors.length;
  const block = new Block(sizeOfProgram(program) + 64 * operations + (1 << 14));
  const undo = roomForUndo(block, inherited);
  const byte = block.reserve(16);
  const script = new Script();
  blockSignals(script, block, undo);
  restoreSignals(script, block, inherited, undo);
  restoreLimit(script, block, inherited, undo);
  if (stdout !== undefined && stdout !== 1) script.call("dup3", stdout, 1, 0);
  keepDescriptors(script, inherited);
  restoreMask(script, block, inherited);
  const attempts = becomeProgram(script, block, program);
  if (tellFailure !== undefined) script.call("write", tellFailure, block.at(byte), 1);
  takeBack(script, block, undo);
  script.leave();
  const scriptAt = block.reserve(script.size, 64);
  script.write(block, scriptAt);
  openKernel().run(block.at(scriptAt));
  return errnoOf(attempts.map((operation) => resultOf(block, scriptAt, operation)));
}
