import { expect, test } from "bun:test";
import { TimeShift } from "../../lib/format/shift_time.ts";

function shifted(delta: number, text: string, step = text.length): { text: string; outOfRange: number } {
  const shift = new TimeShift(delta);
  const bytes = new TextEncoder().encode(text);
  const parts: string[] = [];
  const keep = (b: Uint8Array) => parts.push(new TextDecoder().decode(b));
  for (let at = 0; at < bytes.length; at += step) keep(shift.push(bytes.subarray(at, at + step)));
  keep(shift.end());
  return { text: parts.join(""), outOfRange: shift.outOfRange };
}

test("only the digits of the event's own timestamp change", () => {
  const line = (t: number) =>
    `{ "Exit" : {"a":{"timestamp":7},"timestamp": ${t} ,"s":"\\"timestamp\\":5","pid":1}}\r\n`;
  expect(shifted(1000, line(5)).text).toBe(line(1005));
  expect(shifted(1000, line(5), 3).text).toBe(line(1005));
  expect(shifted(-5, line(5)).text).toBe(line(0));
});

test("of a repeated timestamp the last counts, as in JSON.parse", () => {
  expect(shifted(10, '{"X":{"timestamp":1,"timestamp":2}}').text).toBe('{"X":{"timestamp":1,"timestamp":12}}');
});

test("what has no whole timestamp passes as it is", () => {
  for (const text of [
    '{"Recording":{"started_unix_ns":"5"}}\n',
    '{"X":{"timestamp":"5"}}\n{"X":{"timestamp":1.5}}\n{"X":{"timestamp":-5}}\n{"X":{"timestamp":null}}\n',
    '{"timestamp":5}\n{"X":[{"timestamp":5}]}\n',
    "rubbish\n\n{\n{}\n[]\n",
    '{"X":{"timestamp"',
  ])
    expect(shifted(10, text).text).toBe(text);
});

test("times that would leave the range of exact numbers stay, and are counted", () => {
  const text = '{"X":{"timestamp":5}}\n{"X":{"timestamp":9007199254740990}}\n';
  expect(shifted(-6, text)).toEqual({
    text: '{"X":{"timestamp":5}}\n{"X":{"timestamp":9007199254740984}}\n',
    outOfRange: 1,
  });
  expect(shifted(6, text)).toEqual({
    text: '{"X":{"timestamp":11}}\n{"X":{"timestamp":9007199254740990}}\n',
    outOfRange: 1,
  });
});
