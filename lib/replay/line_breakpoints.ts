// Breakpoints of the line player: places of source files. They belong to the session, not to a track, so that they hold in every
// thread and process. Asking whether a block can have a hit looks at its head only; events are compared without allocation.
import type { LineBlockView, LineCode, LineTrack } from "../lines/line_track.ts";

export interface LineBreakpoint {
  readonly file: number;
  readonly line: number;
}

export class LineBreakpoints {
  /** In the order in which they were set. */
  readonly all: LineBreakpoint[] = [];
  private readonly codes: readonly LineCode[];

  constructor(codes: readonly LineCode[]) {
    this.codes = codes;
  }

  has(file: number, line: number): boolean {
    return this.all.some((b) => b.file === file && b.line === line);
  }

  add(file: number, line: number): void {
    this.all.push({ file, line });
  }

  /** False when there was none. */
  remove(file: number, line: number): boolean {
    const at = this.all.findIndex((b) => b.file === file && b.line === line);
    if (at >= 0) this.all.splice(at, 1);
    return at >= 0;
  }

  /** Whether one of them was executed in the block. */
  inBlock(track: LineTrack, block: number): boolean {
    for (const { file, line } of this.all) if (track.has(block, file, line)) return true;
    return false;
  }

  hits(view: LineBlockView, index: number): boolean {
    const line = view.line[index]!;
    for (const b of this.all)
      if (b.line === line && b.file === (this.codes[view.code[index]!]?.file ?? -1)) return true;
    return false;
  }
}
