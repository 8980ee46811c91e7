// The pipes between the recorder and its collector. To the recorder: frames of a letter, a length and that many bytes. To the collector:
// messages of 16 bytes, each written at once, so that the recorder never holds half of one. Pure.

export const FRAME = {
  /** A line of the recording without its number. */
  line: 76,
  /** `pid time`: this process records its lines. */
  reached: 82,
  /** `pid sentence` */
  note: 78,
  /** `pid count sentence` */
  lost: 88,
  /** Everything is read and removed; the collector ends. */
  done: 68,
} as const;

const HEADER = 5;
/** A source file of 16 MiB, every byte escaped. */
const MOST_FRAME = 256 << 20;

export function encodeFrame(kind: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEADER + payload.length);
  frameHeader(out, kind, payload.length);
  out.set(payload, HEADER);
  return out;
}

function frameHeader(out: Uint8Array, kind: number, length: number): void {
  out[0] = kind;
  new DataView(out.buffer, out.byteOffset).setUint32(1, length, true);
}

export class FrameReader {
  /** What came was no frame: nothing after it can be understood. */
  failed = false;
  private buffer = new Uint8Array(1 << 16);
  private length = 0;

  /** Calls `take` for each frame that is whole; its bytes are valid until the call returns. */
  push(bytes: Uint8Array, take: (kind: number, payload: Uint8Array) => void): void {
    this.append(bytes);
    let at = 0;
    while (!this.failed && this.length - at >= HEADER) {
      const size = new DataView(this.buffer.buffer, at).getUint32(1, true);
      if (size > MOST_FRAME) this.failed = true;
      else if (this.length - at < HEADER + size) break;
      else {
        take(this.buffer[at]!, this.buffer.subarray(at + HEADER, at + HEADER + size));
        at += HEADER + size;
      }
    }
    if (at === 0) return;
    this.buffer.copyWithin(0, at, this.length);
    this.length -= at;
  }

  private append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.buffer.length) {
      const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + bytes.length));
      grown.set(this.buffer.subarray(0, this.length));
      this.buffer = grown;
    }
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }
}

export const MESSAGE_SIZE = 16;

/** `ended`: this process has; `became`: it is another program now; `finish`: nothing more is recorded, drain and go. Times are the recording's. */
export type Message =
  | { readonly what: "ended" | "became"; readonly pid: number; readonly at: number }
  | { readonly what: "finish"; readonly at: number };

const KINDS = ["ended", "became", "finish"] as const;

/** Into bytes that are used again and again. */
export function putMessage(into: Uint8Array, message: Message): void {
  const view = new DataView(into.buffer, into.byteOffset);
  view.setFloat64(0, message.at, true);
  view.setUint32(8, message.what === "finish" ? 0 : message.pid, true);
  view.setUint32(12, KINDS.indexOf(message.what), true);
}

export function readMessage(bytes: Uint8Array, at: number): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const time = view.getFloat64(0, true);
  const what = KINDS[view.getUint32(12, true)] ?? "finish";
  return what === "finish" ? { what, at: time } : { what, pid: view.getUint32(8, true), at: time };
}
