// The tags of event lines as bytes: which kind a tag is, without making a string of it.
import { KIND, TAG_KIND } from "../model/event.ts";

interface Tag {
  readonly bytes: Uint8Array;
  readonly kind: number;
}

const byLength: Tag[][] = [];
for (const [name, kind] of TAG_KIND) {
  const bytes = new TextEncoder().encode(name);
  (byLength[bytes.length] ??= []).push({ bytes, kind });
}
for (let n = 0; n < byLength.length; n++) byLength[n] ??= [];

/** The kind of the tag `b[from, to)`; `KIND.unknown` for every other text. */
export function tagKind(b: Uint8Array, from: number, to: number): number {
  const list = byLength[to - from];
  if (list === undefined) return KIND.unknown;
  next: for (let i = 0; i < list.length; i++) {
    const tag = list[i]!;
    const name = tag.bytes;
    for (let j = 0; j < name.length; j++) if (name[j] !== b[from + j]) continue next;
    return tag.kind;
  }
  return KIND.unknown;
}
