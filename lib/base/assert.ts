/** A fault of ours, never of the data or of the world: it ends the run with a stack and a line asking for a report. */
export class Bug extends Error {
  override readonly name = "Bug";
}

/** States what must hold. Not for input: bad input becomes a `Problem` or an error value. */
export function invariant(holds: unknown, claim: string): asserts holds {
  if (!holds) throw new Bug(claim);
}
