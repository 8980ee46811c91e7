// Long work in small turns: between two of them signals are handled, so that Ctrl-C is obeyed within a moment.

/** The work was called off by whoever asked for it. */
export class Interrupted extends Error {
  readonly _tag = "Interrupted";
  override readonly name = "Interrupted";
}

export type Turn = () => Promise<void>;

/** A function to await between pieces of work; it throws `Interrupted` once the signal says so. */
export function makeTurn(signal?: AbortSignal): Turn {
  return async () => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (signal?.aborted) throw new Interrupted("Interrupted");
  };
}
