// When heartbeats are due: at whole multiples of the rate after the first report, whatever each one took. Pure.

export class Beats {
  private readonly startMs: number;
  private readonly rateMs: number;
  private nth = 1;

  /** `startMs` on any clock that only goes forward. */
  constructor(startMs: number, rateMs: number) {
    this.startMs = startMs;
    this.rateMs = rateMs;
  }

  /** When the next one is due. */
  get dueMs(): number {
    return this.startMs + this.nth * this.rateMs;
  }

  /** The one that was due has been made at `nowMs`. Those that were slept through (a laptop's lid) are not made up for. */
  made(nowMs: number): void {
    this.nth = Math.max(this.nth + 1, Math.floor((nowMs - this.startMs) / this.rateMs) + 1);
  }
}
