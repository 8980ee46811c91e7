// Recordings of executed lines for tests: streams of words through the real builder and writer, so that what a reader gets is what tk writes.
import { JsonBytes } from "../../lib/base/json_bytes.ts";
import { writeLineBlock, writeSource } from "../../lib/format/line_writer.ts";
import { blockCodec, type BlockCodec, checksum } from "../../lib/host/block_codec.ts";
import { sourceId } from "../../lib/host/source_id.ts";
import { BlockBuilder, type BuiltBlock } from "../../lib/lines/block_builder.ts";
import { ABSENT } from "../../lib/model/ids.ts";

const encoder = new TextEncoder();

export interface StreamFacts {
  readonly pid: number;
  readonly tid?: number;
  readonly stream?: string;
  readonly kind?: "python" | "bash";
  readonly name?: string;
}

export class LineRecording {
  readonly out = new JsonBytes(1 << 16);
  seq = 0;
  private readonly codec: BlockCodec;

  constructor(codec: BlockCodec = blockCodec) {
    this.codec = codec;
  }

  /** A line of the recording that is not about executed lines. */
  event(tag: string, fields: Readonly<Record<string, unknown>>): this {
    this.out.value({ [tag]: { seq: this.seq++, ...fields } });
    this.out.raw("\n");
    return this;
  }

  /** Its id. */
  source(path: string, text?: string | Uint8Array): string {
    const bytes = typeof text === "string" ? encoder.encode(text) : text;
    const { id, sha256 } = sourceId(encoder.encode(path), bytes);
    writeSource(this.out, { seq: this.seq++, id, path: encoder.encode(path), sha256, text: bytes });
    return id;
  }

  stream(facts: StreamFacts): BlockBuilder {
    return new BlockBuilder((block) => this.block(facts, block));
  }

  block(facts: StreamFacts, block: BuiltBlock): void {
    const head = this.codec.compress(block.head);
    const data = this.codec.compress(block.data);
    writeLineBlock(this.out, {
      seq: this.seq++,
      timestamp: block.start,
      end: block.end,
      pid: facts.pid,
      tid: facts.tid ?? ABSENT,
      stream: facts.stream ?? `${facts.pid}-0.0`,
      kind: facts.kind ?? "python",
      block: block.block,
      name: facts.name ?? "MainThread",
      events: block.events,
      minDepth: block.minDepth,
      codec: this.codec.name,
      headCrc: checksum(head),
      dataCrc: checksum(data),
      head,
      data,
    });
  }

  bytes(): Uint8Array {
    return this.out.view().slice();
  }

  text(): string {
    return new TextDecoder().decode(this.out.view());
  }
}
