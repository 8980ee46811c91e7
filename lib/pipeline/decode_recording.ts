// Bytes in memory to a Recording, and the steps that every reader ends with. Pure: no files, no clock.
import { detectFormat, HEAD_SIZE } from "../format/detect.ts";
import { EventDecoder, type DecodeOptions } from "../format/decode.ts";
import { transcodeMixed } from "../format/proctrace_raw.ts";
import { Problems } from "../model/problem.ts";
import type { Recording, TextStore } from "../model/recording.ts";
import { joinExecs } from "../stage/join_exec.ts";

/** Text that is held in memory. */
export class MemoryText implements TextStore {
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get size(): number {
    return this.bytes.length;
  }

  read(at: number, length: number): Uint8Array {
    return this.bytes.subarray(at, at + length);
  }
}

/**
 * A recording from its bytes, in any format that tk reads but not compressed. Never throws: what is wrong is in `problems`, and bytes
 * that are no recording at all make an empty one with a problem.
 */
export function decodeRecording(bytes: Uint8Array, name = "recording", options: DecodeOptions = {}): Recording {
  const problems = new Problems();
  const format = detectFormat(bytes.subarray(0, HEAD_SIZE));
  const transcode = format.isOk() ? format.value.transcode : undefined;
  if (transcode === undefined) {
    const trial = new Problems();
    const decoder = new EventDecoder(name, trial, options);
    decoder.push(bytes);
    decoder.finish();
    if (!decoder.sawRaw) return finishRecording(decoder, new MemoryText(bytes), name, trial);
  }
  const transcoder = (transcode ?? transcodeMixed)(name, problems);
  const first = transcoder.push(bytes).slice();
  const rest = transcoder.end();
  const lines = new Uint8Array(first.length + rest.length);
  lines.set(first);
  lines.set(rest, first.length);
  const decoder = new EventDecoder(name, problems, options);
  decoder.push(lines);
  decoder.finish();
  return finishRecording(decoder, new MemoryText(lines), name, problems);
}

/** Joins what was recorded in parts, and puts together what the decoder found. */
export function finishRecording(decoder: EventDecoder, text: TextStore, name: string, problems: Problems): Recording {
  const events = decoder.table;
  const orphans: number[] = [];
  let passedOver = 0;
  joinExecs(events, (row) => {
    if (orphans.length < problems.limit) orphans.push(row);
    else passedOver++;
  });
  const lines = new LineCounter(text);
  for (const row of orphans.sort((a, b) => a - b))
    problems.add({
      code: "orphan-args",
      source: name,
      line: lines.lineAt(events.at[row]!),
      message: "the words of an exec without its Exec, expected one next to it",
    });
  for (; passedOver > 0; passedOver--) problems.add({ code: "orphan-args", source: name, line: 0, message: "" });
  if (events.length === 0 && decoder.line > 0)
    problems.add({ code: "empty", source: name, line: 0, message: "there is no event in it, expected a recording" });
  return { name, header: decoder.header, end: decoder.end, events, text, problems, lost: decoder.lost };
}

/** Line numbers of ascending positions. */
class LineCounter {
  private readonly text: TextStore;
  private at = 0;
  private line = 1;

  constructor(text: TextStore) {
    this.text = text;
  }

  lineAt(position: number): number {
    while (this.at < position) {
      const part = this.text.read(this.at, Math.min(1 << 16, position - this.at));
      if (part.length === 0) return 0;
      for (let i = part.indexOf(10); i >= 0; i = part.indexOf(10, i + 1)) this.line++;
      this.at += part.length;
    }
    return this.line;
  }
}
