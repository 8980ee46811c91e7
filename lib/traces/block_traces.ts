// Tracks out of blocks, wherever the blocks come from: a recording's text, or streams that were converted in memory. Of a block only
// what its head says for seeking stays (when, how deep, which lines); head and events are read again when somebody looks at the block, and the
// last few decoded blocks are kept. What is damaged is told once and is empty.
import { decodeEvents } from "../lines/block_events.ts";
import { stackAtLine } from "../lines/block_stack.ts";
import type { BlockHead } from "../lines/block_head.ts";
import { BlockStands } from "../lines/block_stands.ts";
import type {
  CostSink,
  Frame,
  HeadTraces,
  LineBlockView,
  LineClock,
  LineCode,
  LineSource,
  LineTrack,
  Stand,
} from "../lines/line_track.ts";
import { placeKeys, type PlaceKeys } from "../lines/place_keys.ts";
import type { ProblemCode } from "../model/problem.ts";
import { decodeSource } from "./source_coding.ts";

export interface BlockFacts {
  readonly start: number;
  readonly end: number;
  readonly pid: number | undefined;
  readonly tid: number | undefined;
  readonly stream: string;
  readonly kind: "python" | "bash";
  readonly block: number;
  readonly name: string;
}

/** Where the rest of a block is. A sentence says what is wrong with it. */
export interface BlockPlace {
  head(): BlockHead | string;
  /** Events, not compressed. */
  data(): Uint8Array | string;
}

/** Decoded blocks that are kept: each has up to 65536 lines at 20 bytes. */
const KEPT = 8;

/** The same for where threads stood, of which all threads that start processes by turns need one. */
const KEPT_STANDS = 64;

/** Source texts that are kept once somebody has looked at them. */
const KEPT_TEXTS = 16;

/** Tells of something wrong in the data. */
export type Tell = (code: ProblemCode, message: string) => void;

interface Held {
  readonly facts: BlockFacts;
  readonly place: BlockPlace;
  readonly count: number;
  readonly minDepth: number;
  /** Executed lines, by file. */
  readonly keys: PlaceKeys;
  /** Index in `codes` of each function in the block's own table. */
  readonly codeAt: Int32Array;
  damaged: boolean;
}

export class BlockTraces implements HeadTraces {
  readonly clock: LineClock;
  readonly sources: LineSource[] = [];
  readonly codes: LineCode[] = [];
  readonly tracks: BlockTrack[] = [];
  readonly notes: string[] = [];
  protected readonly tellOf: Tell;
  private readonly sourceAt = new Map<string, KnownSource>();
  private readonly codeAt = new Map<string, number>();
  private readonly trackAt = new Map<string, BlockTrack>();
  private readonly views: { readonly held: Held; readonly view: LineBlockView }[] = [];
  private readonly stands: { readonly held: Held; readonly stands: BlockStands }[] = [];
  private readonly texts: KnownSource[] = [];
  private lastKeys: PlaceKeys | undefined;
  /** The events of the block whose stacks were asked for last: they are asked for line by line. */
  private stacked: { readonly held: Held; readonly data: Uint8Array | string } | undefined;

  constructor(clock: LineClock, tell: Tell) {
    this.clock = clock;
    this.tellOf = tell;
  }

  /** Overridden by whoever knows where more may come from. */
  refresh(): boolean {
    return false;
  }

  addSource(
    id: string,
    path: string,
    sha256: string | undefined,
    read: (() => Uint8Array | undefined) | undefined,
  ): void {
    const source = this.source(id);
    if (source.known && (source.path !== path || (source.sha256 !== undefined && source.sha256 !== sha256))) {
      this.tellOf("shape", `Source ${JSON.stringify(id)} stands for two different files; the first is kept`);
      return;
    }
    if (source.known && source.read !== undefined) return;
    source.known = true;
    source.path = path;
    source.sha256 = sha256;
    source.read = read;
  }

  addBlock(facts: BlockFacts, head: BlockHead, place: BlockPlace): void {
    const sources = head.sources.map((id) => this.source(id).index);
    const codeAt = Int32Array.from(head.codes, ({ source, firstLine, name }) =>
      this.code(source < 0 ? -1 : sources[source]!, firstLine, name),
    );
    const keys = placeKeys(head.totals, codeAt, this.codes, this.lastKeys);
    this.lastKeys = keys;
    let track = this.trackAt.get(facts.stream);
    if (track === undefined) {
      track = new BlockTrack(this, this.tracks.length, facts);
      this.trackAt.set(facts.stream, track);
      this.tracks.push(track);
    }
    const held = { facts, place, count: head.events, minDepth: head.minDepth, keys, codeAt, damaged: false };
    if (!track.insert(held, head.approximate))
      this.tellOf("block", `block ${facts.block} of ${name(facts)} is there twice; the first is kept`);
  }

  /** To be called when everything that is there has been added: tells what is missing. */
  checkWhole(): void {
    for (const [id, source] of this.sourceAt)
      if (!source.known && !source.told) {
        source.told = true;
        this.tellOf("shape", `Source ${JSON.stringify(id)} is missing: its lines have no text and no name`);
      }
    for (const track of this.tracks) {
      const gap = track.newGap();
      if (gap !== undefined) this.tellOf("block", gap);
    }
  }

  addCosts(costs: CostSink, only?: number): void {
    for (const track of this.tracks) {
      if (only !== undefined && track.index !== only) continue;
      for (let block = 0; block < track.blocks; block++) {
        const held = track.heldAt(block);
        const head = headOf(held);
        if (typeof head === "string") this.damaged(held, head);
        else costs.addBlock(head.totals, held.codeAt, this.codes);
      }
    }
  }

  view(held: Held, block: number): LineBlockView {
    const at = this.views.findIndex((v) => v.held === held);
    if (at >= 0) {
      const [kept] = this.views.splice(at, 1);
      this.views.push(kept!);
      return { ...kept!.view, block };
    }
    const view = this.decode(held, block);
    this.views.push({ held, view });
    if (this.views.length > KEPT) this.views.shift();
    return view;
  }

  stand(held: Held, time: number): Stand | undefined {
    const at = this.stands.findIndex((s) => s.held === held);
    let stands = at < 0 ? undefined : this.stands.splice(at, 1)[0]!.stands;
    if (stands === undefined) {
      const head = headOf(held);
      const data = typeof head === "string" ? head : held.place.data();
      if (typeof head === "string" || typeof data === "string") {
        this.damaged(held, String(data));
        return undefined;
      }
      stands = new BlockStands(data, head, held.facts.start);
    }
    this.stands.push({ held, stands });
    if (this.stands.length > KEPT_STANDS) this.stands.shift();
    const stand = stands.at(time);
    return stand === undefined ? undefined : { ...stand, code: held.codeAt[stand.code]! };
  }

  stack(held: Held, index: number): readonly Frame[] | undefined {
    const head = headOf(held);
    if (typeof head === "string") return undefined;
    if (this.stacked?.held !== held) this.stacked = { held, data: held.place.data() };
    const { data } = this.stacked;
    if (typeof data === "string") return undefined;
    return stackAtLine(data, head, index)?.map(({ code, line }) => ({ code: held.codeAt[code]!, line }));
  }

  private decode(held: Held, block: number): LineBlockView {
    const { start, end } = held.facts;
    const head = headOf(held);
    if (typeof head === "string") return this.damaged(held, head, block);
    const { codeAt } = held;
    const stackCode = head.stackCode.map((code) => codeAt[code]!);
    const { stackLine } = head;
    const data = held.place.data();
    if (typeof data === "string") return { ...this.damaged(held, data, block), stackCode, stackLine };
    const events = decodeEvents(data, head, start);
    if (events.fault !== undefined) this.damaged(held, `${events.fault}; what came before is kept`);
    const { count, code, line, depth, time } = events;
    for (let i = 0; i < count; i++) code[i] = codeAt[code[i]!]!;
    return { block, stackCode, stackLine, start, end, count, code, line, depth, time };
  }

  /** An empty view in place of a block that cannot be read; told once. */
  private damaged(held: Held, fault: string, block = 0): LineBlockView {
    if (!held.damaged) this.tellOf("block", `block ${held.facts.block} of ${name(held.facts)}: ${fault}`);
    held.damaged = true;
    const none = new Int32Array(0);
    const { start, end } = held.facts;
    const time = new Float64Array(0);
    return { block, stackCode: none, stackLine: none, start, end, count: 0, code: none, line: none, depth: none, time };
  }

  private source(id: string): KnownSource {
    let source = this.sourceAt.get(id);
    if (source === undefined) {
      source = new KnownSource(this.sources.length, `(unknown file ${id})`, (s) => this.keepText(s));
      this.sourceAt.set(id, source);
      this.sources.push(source);
    }
    return source;
  }

  private keepText(source: KnownSource): void {
    this.texts.push(source);
    if (this.texts.length > KEPT_TEXTS) this.texts.shift()!.forget();
  }

  private code(file: number, firstLine: number, name: string): number {
    const key = `${file}:${firstLine}:${name}`;
    let index = this.codeAt.get(key);
    if (index === undefined) {
      index = this.codes.push({ file, firstLine, name: name === "" ? undefined : name }) - 1;
      this.codeAt.set(key, index);
    }
    return index;
  }
}

/** The head once more; not the one of before when the file was changed meanwhile. */
function headOf(held: Held): BlockHead | string {
  const head = held.place.head();
  return typeof head === "string" || head.codes.length === held.codeAt.length ? head : "it has changed since";
}

const name = (facts: BlockFacts): string => `stream ${JSON.stringify(facts.stream.slice(0, 100))}`;

class KnownSource implements LineSource {
  readonly index: number;
  path: string;
  sha256: string | undefined = undefined;
  known = false;
  told = false;
  read: (() => Uint8Array | undefined) | undefined = undefined;
  private kept: string | undefined = undefined;
  private readonly keep: (source: KnownSource) => void;

  constructor(index: number, path: string, keep: (source: KnownSource) => void) {
    this.index = index;
    this.path = path;
    this.keep = keep;
  }

  text(): string | undefined {
    if (this.kept !== undefined) return this.kept;
    const bytes = this.read?.();
    if (bytes === undefined) return undefined;
    this.kept = decodeSource(bytes);
    this.keep(this);
    return this.kept;
  }

  forget(): void {
    this.kept = undefined;
  }
}

export class BlockTrack implements LineTrack {
  readonly index: number;
  readonly kind: "python" | "bash";
  readonly pid: number | undefined;
  readonly tid: number | undefined;
  readonly name: string;
  approximate = false;
  events = 0;
  private readonly traces: BlockTraces;
  private readonly held: Held[] = [];
  private toldGap = false;

  constructor(traces: BlockTraces, index: number, { kind, pid, tid, name }: BlockFacts) {
    this.traces = traces;
    this.index = index;
    this.kind = kind;
    this.pid = pid;
    this.tid = tid;
    this.name = name;
  }

  get blocks(): number {
    return this.held.length;
  }

  heldAt(block: number): Held {
    return this.held[block]!;
  }

  /** False when the block is there already. They mostly come in order. */
  insert(held: Held, approximate: boolean): boolean {
    const { block } = held.facts;
    let at = this.held.length;
    if (at > 0 && this.held[at - 1]!.facts.block > block) {
      let low = 0;
      while (low < at) {
        const middle = (low + at) >>> 1;
        if (this.held[middle]!.facts.block <= block) low = middle + 1;
        else at = middle;
      }
    }
    if (at > 0 && this.held[at - 1]!.facts.block === block) return false;
    this.held.splice(at, 0, held);
    this.events += held.count;
    this.approximate ||= approximate;
    return true;
  }

  /** A sentence on blocks that are missing between others, the first time there are any. */
  newGap(): string | undefined {
    const { held } = this;
    const last = held.at(-1);
    if (this.toldGap || last === undefined) return undefined;
    const missing = last.facts.block + 1 - held.length;
    if (missing === 0) return undefined;
    this.toldGap = true;
    return `${missing} of ${last.facts.block + 1} blocks of ${name(last.facts)} are missing`;
  }

  startOf = (block: number): number => this.held[block]!.facts.start;
  endOf = (block: number): number => this.held[block]!.facts.end;
  countOf = (block: number): number => this.held[block]!.count;
  minDepthOf = (block: number): number => this.held[block]!.minDepth;
  has = (block: number, file: number, line: number): boolean => this.held[block]!.keys.has(file, line);
  load = (block: number): LineBlockView => this.traces.view(this.held[block]!, block);
  stackAt = (block: number, index: number): readonly Frame[] | undefined => this.traces.stack(this.held[block]!, index);
  standAt = (block: number, time: number): Stand | undefined => this.traces.stand(this.held[block]!, time);
}
