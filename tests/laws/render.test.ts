// Whatever a file holds, the documents made of it are text that is safe to print, and nothing throws.
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { mermaid } from "../../lib/render/mermaid.ts";
import { renderToText } from "../../lib/render/to_text.ts";
import { tree } from "../../lib/render/tree.ts";
import { DRAWINGS } from "../support/drawings.ts";
import { timelineText } from "../support/timeline.ts";

const encoder = new TextEncoder();
const WHOLE = Object.values(DRAWINGS).map((d) => encoder.encode(timelineText(d)));

/** A recording with bytes of it replaced, removed and repeated. */
const damaged = fc
  .tuple(
    fc.constantFrom(...WHOLE.filter((b) => b.length > 0)),
    fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), how: fc.nat(2) }), { maxLength: 12 }),
  )
  .map(([bytes, damages]) => {
    const out = Array.from(bytes);
    for (const { at, byte, how } of damages) {
      const i = at % out.length;
      if (how === 0) out[i] = byte;
      else if (how === 1) out.splice(i, 1 + (byte % 40));
      else out.splice(i, 0, ...out.slice(i, i + byte));
      if (out.length === 0) out.push(10);
    }
    return Uint8Array.from(out);
  });

test("damaged recordings, and bytes that never were one, render as printable text", () => {
  const soup = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(
      fc.oneof({ weight: 5, arbitrary: damaged }, { weight: 1, arbitrary: soup }),
      fc.boolean(),
      (bytes, full) => {
        const recording = decodeRecording(bytes, "damaged");
        for (const renderer of [tree, mermaid])
          for (const unicode of [true, false]) {
            const text = renderToText(renderer, recording, { full, unicode, width: 40 });
            for (const line of text.split("\n")) {
              expect(line).toMatch(unicode ? /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u : /^[\x20-\x7e]*$/);
            }
          }
      },
    ),
    { numRuns: 400 },
  );
});

test("the order of a recording's lines changes no document", () => {
  fc.assert(
    fc.property(
      fc
        .constantFrom(...Object.values(DRAWINGS))
        .map((d) => timelineText(d).trimEnd().split("\n"))
        .chain((lines) =>
          fc.tuple(fc.constant(lines), fc.shuffledSubarray(lines.slice(1), { minLength: lines.length - 1 })),
        ),
      ([lines, shuffled]) => {
        const text = (all: readonly string[]) => {
          const recording = decodeRecording(encoder.encode(all.join("\n") + "\n"), "shuffled");
          return renderToText(tree, recording) + renderToText(mermaid, recording);
        };
        expect(text([lines[0]!, ...shuffled])).toBe(text(lines));
      },
    ),
    { numRuns: 200 },
  );
});
