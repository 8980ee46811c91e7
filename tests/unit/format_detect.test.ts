// Which format some bytes are in: content alone decides, a tie is refused, other compressions are named.
import { expect, test } from "bun:test";
import { detectCompression, detectFormat } from "../../lib/format/detect.ts";
import type { InputFormat } from "../../lib/format/format.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function formatOf(text: string): string {
  return detectFormat(bytes(text)).match(
    (format) => format.id,
    (error) => error._tag,
  );
}

test("one known tag is enough, wherever it stands in the head", () => {
  expect(formatOf('{"Fork":{}}\n')).toBe("recording");
  expect(formatOf('\ufeff{"Fork":{}}\n')).toBe("recording");
  expect(formatOf(' {  "Exit" : {}}')).toBe("recording");
  expect(formatOf('{"Unheard":{}}\n')).toBe("recording");
  expect(formatOf('noise of a shell\n\n{"Fork":{}}\n')).toBe("recording");
  expect(formatOf(`\0\0\0\n{"Fork":{}}\n`)).toBe("recording");
});

test("raw lines win over event lines, since their reader passes those on", () => {
  expect(formatOf("Attaching 9 probes...\nFORK: ts=1,parent_pid=1,child_pid=2,parent_pgid=1\n")).toBe("proctrace-raw");
  expect(formatOf('{"Recording":{}}\nEXIT: ts=1,pid=2,ppid=1,pgid=1\n')).toBe("proctrace-raw");
});

test("text that is nothing we know is still read, so that its faults are told; binary is not", () => {
  expect(formatOf("hello\n")).toBe("recording");
  expect(formatOf("\u001b[31mred\u001b[0m\n")).toBe("recording");
  expect(formatOf("a\0b")).toBe("NoFormat");
  expect(formatOf("\u0001\u0002\u0003\u0004")).toBe("NoFormat");
});

test("two formats that are equally sure are an error that names both", () => {
  const format = (id: string, sure: number): InputFormat => ({
    id,
    summary: "for this test",
    extensions: [],
    sniff: () => sure,
  });
  const result = detectFormat(bytes("x"), [format("a", 40), format("b", 80), format("c", 80)]);
  expect(result._unsafeUnwrapErr()).toEqual({ _tag: "Tie", formats: ["b", "c"] });
  expect(detectFormat(bytes("x"), [format("a", 0)])._unsafeUnwrapErr()).toEqual({ _tag: "NoFormat" });
});

test("compression is found by its first bytes", () => {
  expect(detectCompression(new Uint8Array([0x1f, 0x8b, 8]))._unsafeUnwrap()).toBe("gzip");
  expect(detectCompression(new Uint8Array([0x28, 0xb5, 0x2f, 0xfd]))._unsafeUnwrap()).toBe("zstd");
  expect(detectCompression(bytes("{"))._unsafeUnwrap()).toBe("none");
  expect(detectCompression(new Uint8Array(0))._unsafeUnwrap()).toBe("none");
  expect(detectCompression(bytes("BZh91AY"))._unsafeUnwrapErr()).toMatchObject({ name: "bzip2" });
  // A word that begins like a magic number is not one.
  expect(detectCompression(bytes("BZh "))._unsafeUnwrap()).toBe("none");
});
