// Where zstd frames end (RFC 8878, section 3.1), found from the headers alone: decoders of the runtimes neither say that a stream is
// cut nor agree on what follows the first frame. Decodes nothing.

/** What the walker waits for. */
const STATE = { magic: 0, descriptor: 1, header: 2, block: 3, body: 4, skippableSize: 5, failed: 6 } as const;

export class ZstdFrames {
  private state: number = STATE.magic;
  /** Bytes of the present field that are still to come, and what came of it, little-endian. */
  private wanted = 4;
  private taken = 0;
  private value = 0;
  private checksum = false;
  private lastBlock = false;

  /** Between two frames, or before the first. */
  get atBorder(): boolean {
    return this.state === STATE.magic && this.taken === 0;
  }

  /** What is read is no zstd frame. */
  get failed(): boolean {
    return this.state === STATE.failed;
  }

  /** Reads on from `b[from]`, up to the end of a frame or of the bytes; returns where it stopped. */
  walk(b: Uint8Array, from: number, to: number): number {
    let p = from;
    while (p < to && this.state !== STATE.failed) {
      if (this.state === STATE.body || this.state === STATE.header) {
        const n = Math.min(this.wanted, to - p);
        this.wanted -= n;
        p += n;
        if (this.wanted === 0 && this.afterSkipped()) return p;
        continue;
      }
      this.value += b[p++]! * 2 ** (8 * this.taken);
      if (++this.taken === this.wanted && this.afterValue()) return p;
    }
    return this.state === STATE.failed ? to : p;
  }

  private expect(state: number, bytes: number): void {
    this.state = state;
    this.wanted = bytes;
    this.taken = 0;
    this.value = 0;
  }

  /** True at the end of a frame. */
  private afterSkipped(): boolean {
    if (this.state === STATE.header || !this.lastBlock) {
      this.expect(STATE.block, 3);
      return false;
    }
    if (this.checksum) {
      this.checksum = false;
      this.expect(STATE.body, 4);
      return false;
    }
    this.expect(STATE.magic, 4);
    return true;
  }

  /** True at the end of a frame. */
  private afterValue(): boolean {
    const value = this.value;
    switch (this.state) {
      case STATE.magic:
        if (value === 0xfd2fb528) this.expect(STATE.descriptor, 1);
        else if (value >= 0x184d2a50 && value <= 0x184d2a5f) this.expect(STATE.skippableSize, 4);
        else this.expect(STATE.failed, 0);
        return false;
      case STATE.descriptor: {
        const single = (value & 0x20) !== 0;
        const sizeFlag = value >> 6;
        this.checksum = (value & 4) !== 0;
        const dictionary = [0, 1, 2, 4][value & 3]!;
        const size = sizeFlag === 0 ? (single ? 1 : 0) : 2 ** sizeFlag;
        const length = (single ? 0 : 1) + dictionary + size;
        this.expect(STATE.header, length);
        return false;
      }
      case STATE.block: {
        const kind = (value >> 1) & 3;
        const size = value >> 3;
        this.lastBlock = (value & 1) !== 0;
        if (kind === 3) {
          this.expect(STATE.failed, 0);
          return false;
        }
        // A run-length block has one byte, whatever its size.
        this.expect(STATE.body, kind === 1 ? 1 : size);
        return this.wanted === 0 ? this.afterSkipped() : false;
      }
      default:
        this.lastBlock = true;
        this.checksum = false;
        this.expect(STATE.body, value);
        return this.wanted === 0 ? this.afterSkipped() : false;
    }
  }
}
