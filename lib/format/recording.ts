// The native format: one JSON object a line, `{"Fork":{...}}`. tk writes it; proctrace writes an older form of it
// (2024-08 and 0.2), and one file may hold both. docs/formats.md describes it. Everything after this folder works on its
// lines, so there is nothing to transcode.
import type { InputFormat } from "./format.ts";
import { skipSpace } from "./_json_scan.ts";
import { tagKind } from "./_tags.ts";
import { KIND } from "../model/event.ts";

export const recording: InputFormat = {
  id: "recording",
  summary: "Event lines of tk and of proctrace, one JSON object a line",
  extensions: ["prof", "jsonl", "ndjson", "log"],
  sniff(head) {
    let sure = 0;
    let at = startsWithMark(head) ? 3 : 0;
    while (at < head.length) {
      const newline = head.indexOf(10, at);
      const end = newline < 0 ? head.length : newline;
      sure = Math.max(sure, sniffLine(head, at, end));
      at = end + 1;
    }
    return sure > 0 ? sure : isText(head) ? 1 : 0;
  },
};

/** The byte order mark that some editors put before the first line. */
export function startsWithMark(b: Uint8Array): boolean {
  return b.length >= 3 && b[0] === 0xef && b[1] === 0xbb && b[2] === 0xbf;
}

function sniffLine(b: Uint8Array, from: number, to: number): number {
  let p = skipSpace(b, from, to);
  if (p >= to || b[p] !== 123) return 0;
  p = skipSpace(b, p + 1, to);
  if (p >= to || b[p] !== 34) return 0;
  const end = b.indexOf(34, p + 1);
  return end > 0 && end < to && tagKind(b, p + 1, end) !== KIND.unknown ? 90 : 50;
}

/** Whether it could be a text at all: then it is read, and every line that is no event is told. */
function isText(head: Uint8Array): boolean {
  let odd = 0;
  for (const c of head) {
    if (c === 0) return false;
    if (c < 32 && c !== 9 && c !== 10 && c !== 13 && c !== 27) odd++;
  }
  return odd * 20 <= head.length;
}
