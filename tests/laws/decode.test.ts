// Laws of reading: no bytes make a reader throw, no cut of a file changes what its whole lines say, and the fast path, the
// careful path and the sorter's look at a line all see the same.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { decodeBase64, encodeBase64 } from "../../lib/base/base64.ts";
import { EventDecoder } from "../../lib/format/decode.ts";
import { detectCompression, detectFormat } from "../../lib/format/detect.ts";
import { LINE, makeLineKeys, scanKeys } from "../../lib/format/line_keys.ts";
import { LineSplitter } from "../../lib/format/_lines.ts";
import { skipValue } from "../../lib/format/_json_scan.ts";
import { formats } from "../../lib/format/registry.ts";
import { argvOf, eventAt, filenameOf, lineAt } from "../../lib/model/event_at.ts";
import { KIND, TAG_KIND } from "../../lib/model/event.ts";
import { ABSENT } from "../../lib/model/ids.ts";
import { Problems } from "../../lib/model/problem.ts";
import type { Recording } from "../../lib/model/recording.ts";
import { decodeRecording } from "../../lib/pipeline/decode_recording.ts";
import { decodeInPieces, dump, fixture } from "../support/check_format.ts";

const fixtures = readdirSync(join(import.meta.dirname, "..", "fixtures"), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(prof|log)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name).split("fixtures/")[1]!)
  .sort();

const encoder = new TextEncoder();

/** Looks at everything a recording has to offer. */
function lookAtAll(recording: Recording): void {
  for (let row = 0; row < recording.events.length; row++) {
    eventAt(recording, row);
    argvOf(recording, row);
    filenameOf(recording, row);
    lineAt(recording, row);
  }
}

/** Bytes that look like recordings more often than chance would have it. */
const soup = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom(
          '{"Fork":{"seq":1,"timestamp":2,"parent_pid":3,"child_pid":4}}\n',
          '{"ExecFull":{"timestamp":2,"pid":3,"args":["',
          '{"Exit":{"timestamp":',
          '"}}',
          "}}\n",
          "\n",
          "\r\n",
          '"pid":',
          "FORK: seq=1,ts=2,parent_pid=3,child_pid=4,parent_pgid=5\n",
          "EXEC_ARGS: ts=5,pid=9,",
          "EXEC_FILENAME: ts=5,pid=9,at=0,hex=2f 62\n",
          "EXEC_WORDS: ts=5,pid=9,at=99999999999,hex=2f 00\n",
          "EXEC: ts=5,pid=9,argv_bytes=12\n",
          "Lost 5 events\n",
          "\\u12",
          "[[[[",
          "\u0000",
        )
        .map((s) => encoder.encode(s)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)));

test("no bytes make any reader throw, however they are cut", () => {
  fc.assert(
    fc.property(soup, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }), (bytes, cuts) => {
      detectCompression(bytes);
      detectFormat(bytes);
      const whole = decodeRecording(bytes);
      lookAtAll(whole);
      expect(dump(decodeInPieces(bytes, cuts, "recording")).split("\nproblems")[0]).toBe(
        dump(whole).split("\nproblems")[0]!,
      );
      for (const format of formats.entries) {
        expect(format.sniff(bytes)).toBeWithin(0, 101);
        const transcoder = format.transcode?.("x", new Problems());
        if (transcoder === undefined) continue;
        const lines = [transcoder.push(bytes).slice(), transcoder.end().slice()];
        lookAtAll(decodeRecording(new Uint8Array(Buffer.concat(lines))));
      }
      scanKeys(bytes, 0, bytes.length, makeLineKeys());
    }),
    { numRuns: 1500 },
  );
});

test("every beginning of every fixture is read: the whole lines as in the whole file", () => {
  for (const name of fixtures) {
    const bytes = fixture(name);
    const raw = name.startsWith("raw/") || name === "recording/mixed.log";
    const whole = raw ? undefined : decodeRecording(bytes, name, { fast: true });
    const step = bytes.length > 2500 ? 31 : 1;
    for (let n = 0; n <= bytes.length; n += step) {
      const cut = decodeRecording(bytes.subarray(0, n), name);
      lookAtAll(cut);
      if (whole === undefined) continue;
      const same = (column: "ts" | "pid" | "at" | "len") => {
        for (let row = 0; row < cut.events.length; row++)
          if (!Object.is(cut.events[column][row], whole.events[column][row])) return false;
        return true;
      };
      expect([name, n, same("ts"), same("pid"), same("at")]).toEqual([name, n, true, true, true]);
    }
  }
});

test("fixtures in random pieces are read as in one", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...fixtures),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }),
      (name, cuts) => {
        const bytes = fixture(name);
        expect(dump(decodeInPieces(bytes, cuts, name))).toBe(dump(decodeInPieces(bytes, [bytes.length], name)));
      },
    ),
    { numRuns: 150 },
  );
});

test("damaged fixtures are read, by the fast path as by the careful one", () => {
  const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(fc.constantFrom(...fixtures), damage, (name, faults) => {
      const bytes = fixture(name).slice();
      for (const { at, byte } of faults) bytes[at % bytes.length] = byte;
      const fast = decodeRecording(bytes, name);
      lookAtAll(fast);
      expect(dump(decodeRecording(bytes, name, { fast: false }))).toBe(dump(fast));
    }),
    { numRuns: 600 },
  );
});

/** JSON text of a value with white space, escapes and repeated fields where chance has them. */
const NUMBERS = [
  "0",
  "1",
  "7",
  "4711",
  "-1",
  "1.5",
  "1e3",
  "-0",
  "2147483647",
  "2147483648",
  "9007199254740991",
  "9007199254740993",
  "123456789012345678",
  "1e400",
];
const NAMES = [
  "seq",
  "timestamp",
  "pid",
  "ppid",
  "pgid",
  "sid",
  "parent_pid",
  "child_pid",
  "parent_pgid",
  "exit_code",
  "errno",
  "signal",
  "core_dumped",
  "count",
  "args",
  "cmdline",
  "filename",
  "args_b64",
  "other",
  "__proto__",
  "constructor",
];

const textJson = fc.oneof(
  fc.string({ maxLength: 8 }).map((s) => JSON.stringify(s)),
  fc.string({ unit: "binary", maxLength: 5 }).map((s) => JSON.stringify(s)),
  fc.constantFrom('"\\u0061\\/\\b"', '"\\ud800"', '"é\\n"', '"a\\x"', '"unfinished', '"tab\there"'),
);
const numberJson = fc.oneof(fc.constantFrom(...NUMBERS), fc.nat({ max: 100_000 }).map(String));
const valueJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: numberJson },
  { weight: 2, arbitrary: textJson },
  { weight: 1, arbitrary: fc.array(textJson, { maxLength: 3 }).map((a) => `[${a.join(",")}]`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "null",
      "true",
      "false",
      "{}",
      "[]",
      '[1,"a"]',
      '{"a":[{}]}',
      "nul",
      "01",
      "[1,]",
      '{"a"}',
    ),
  },
);
const nameJson = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...NAMES).map((s) => JSON.stringify(s)) },
  { weight: 1, arbitrary: fc.constantFrom('"\\u0070id"', '"time\\u0073tamp"', '"s\\u0065q"', '"p\\id"') },
);
const space = fc.constantFrom("", "", "", "", " ", "  ", "\t");
const memberJson = fc.tuple(nameJson, space, valueJson, space).map(([n, a, v, b]) => `${n}:${a}${v}${b}`);
const usualJson = fc
  .tuple(fc.nat({ max: 99 }), fc.nat({ max: 1e9 }), fc.nat({ max: 5000 }), fc.array(memberJson, { maxLength: 4 }))
  .map(([seq, ts, pid, rest]) =>
    [`"seq":${seq}`, `"timestamp":${ts}`, `"pid":${pid}`, `"child_pid":${pid}`, ...rest].join(","),
  );
const bodyJson = fc.oneof(
  usualJson.map((s) => `{${s}}`),
  fc.array(memberJson, { maxLength: 6 }).map((m) => `{${m.join(",")}}`),
  valueJson,
);
const tagJson = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...TAG_KIND.keys(), "Novelty", "").map((s) => JSON.stringify(s)) },
  { weight: 1, arbitrary: fc.constantFrom('"\\u0046ork"', '"Fork\\u0000"', '"__proto__"') },
);
const lineText = fc
  .tuple(space, tagJson, space, bodyJson, space, fc.constantFrom("", "", "", "", ',"x":1', "}", "]", ","))
  .map(([a, tag, b, body, c, tail]) => `${a}{${tag}:${b}${body}${tail}}${c}`);

test("the fast path sees what JSON.parse sees, on lines of every kind", () => {
  fc.assert(
    fc.property(fc.array(lineText, { minLength: 1, maxLength: 6 }), fc.boolean(), (lines, newline) => {
      const bytes = encoder.encode(lines.join("\n") + (newline ? "\n" : ""));
      const read = (fast: boolean) => {
        const problems = new Problems(1000);
        const decoder = new EventDecoder("x", problems, { fast });
        decoder.push(bytes);
        decoder.finish();
        return decoder;
      };
      const [fast, careful] = [read(true), read(false)];
      const n = careful.table.length;
      expect(fast.table.length).toBe(n);
      for (const column of ["ts", "seq", "kind", "pid", "ppid", "pgid", "sid", "code", "signal", "at", "len"] as const)
        expect([column, ...fast.table[column].subarray(0, n)]).toEqual([
          column,
          ...careful.table[column].subarray(0, n),
        ]);
    }),
    { numRuns: 4000 },
  );
});

test("the sorter's look at a line finds the reader's kind, time, number and process", () => {
  const keys = makeLineKeys();
  fc.assert(
    fc.property(lineText, (line) => {
      const bytes = encoder.encode(line);
      const decoder = new EventDecoder("x", new Problems(), { fast: false });
      decoder.push(encoder.encode(line + "\n"));
      const found = scanKeys(bytes, 0, bytes.length, keys);
      let parsed: unknown;
      try {
        parsed = JSON.parse(line);
      } catch {
        // Of an ordinary beginning and end the middle is not looked at.
        if (found === LINE.event) expect(decoder.table.length).toBe(0);
        return;
      }
      expect(found).toBe(
        typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? LINE.event : LINE.broken,
      );
      if (decoder.table.length === 0 || (line.match(/"timestamp"|seq|pid|\\u/g)?.length ?? 0) > 4) return;
      expect(keys.kind).toBe(decoder.table.kind[0]!);
      expect(keys.ts).toBe(decoder.table.ts[0]!);
      expect(keys.seq).toBe(decoder.table.seq[0]!);
      if (decoder.table.pid[0] !== ABSENT && keys.kind !== KIND.unknown) expect(keys.pid).toBe(decoder.table.pid[0]!);
    }),
    { numRuns: 4000 },
  );
});

test("the JSON walker takes what JSON.parse takes", () => {
  fc.assert(
    fc.property(fc.oneof(valueJson, bodyJson, fc.json(), fc.string()), (text) => {
      const bytes = encoder.encode(text);
      const isJson = (() => {
        try {
          JSON.parse(text);
          return true;
        } catch {
          return false;
        }
      })();
      const trimmed = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
      const inner = encoder.encode(trimmed);
      expect(inner.length > 0 && skipValue(inner, 0, inner.length) === inner.length).toBe(isJson);
      expect(bytes.length).toBeGreaterThanOrEqual(inner.length);
    }),
    { numRuns: 3000 },
  );
});

test("lines come out of any chunks whole, with their places; those over the limit are passed over", () => {
  const line = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 12 }),
      (lines, cuts, limit) => {
        const bytes = encoder.encode(lines.join("\n"));
        const found: string[] = [];
        const take = (b: Uint8Array, from: number, to: number, offset: number) => {
          expect(b.slice(from, to)).toEqual(bytes.slice(offset, offset + to - from));
          for (const text of new TextDecoder().decode(b.subarray(from, to)).replace(/\n$/, "").split("\n"))
            found.push(text);
        };
        const splitter = new LineSplitter(
          { lines: take, last: take, tooLong: (length, offset) => found.push(`${offset}:${length}`) },
          limit,
        );
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const piece = bytes.slice(at, at + cuts[i % cuts.length]!);
          at += piece.length;
          splitter.push(piece);
          piece.fill(0);
        }
        splitter.end();
        let at = 0;
        const expected = lines.map((text) => {
          const told = text.length > limit ? `${at}:${text.length}` : text;
          at += text.length + 1;
          return told;
        });
        if (expected.at(-1) === "") expected.pop();
        expect(found).toEqual(expected);
      },
    ),
    { numRuns: 2000 },
  );
});

test("base64 comes back as it went, and what is not base64 is told", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.string({ maxLength: 12 }), (bytes, text) => {
      const encoded = encodeBase64(bytes);
      expect(encoded).toBe(Buffer.from(bytes).toString("base64"));
      expect(decodeBase64(encoded)).toEqual(bytes);
      expect(decodeBase64(encoded.replaceAll("=", ""))).toEqual(bytes);
      decodeBase64(text);
      expect(decodeBase64(text + "!")).toBeUndefined();
    }),
  );
});
