// Work that must not overlap, in the order in which it was asked for: two sink configurations with one console.
// It holds nothing but the end of the line.

export class Turns {
  private last: Promise<void> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.last.then(work);
    this.last = mine.then(
      () => undefined,
      () => undefined,
    );
    return mine;
  }
}
