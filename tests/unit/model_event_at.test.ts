// Events as objects: what a line means, and that nothing in it or missing from it throws.
import { expect, test } from "bun:test";
import { argvOf, eventAt, exitStatusAt, filenameOf } from "../../lib/model/event_at.ts";
import { KIND, type ProcEvent } from "../../lib/model/event.ts";
import type { Recording } from "../../lib/model/recording.ts";
import { decodeRecording } from "../../lib/pipeline/decode_recording.ts";

const read = (...lines: string[]): Recording => decodeRecording(new TextEncoder().encode(lines.join("\n") + "\n"));
const one = (line: string): ProcEvent => eventAt(read(line), 0);

test("each kind with everything it has, and undefined for what it has not", () => {
  expect(one('{"Fork":{"timestamp":5,"child_pid":8,"parent_pid":7}}')).toEqual({
    kind: "fork",
    ts: 5,
    seq: undefined,
    pid: 8,
    ppid: 7,
    pgid: undefined,
  });
  expect(
    one(
      '{"ExecFull":{"seq":1,"timestamp":5,"pid":8,"ppid":7,"pgid":6,"sid":5,"filename":"/x","args":["x"],"cwd":"/"}}',
    ),
  ).toEqual({
    kind: "exec",
    ts: 5,
    seq: 1,
    pid: 8,
    ppid: 7,
    pgid: 6,
    sid: 5,
    filename: { text: "/x" },
    argv: { words: ["x"], joined: false },
    cwd: { text: "/" },
  });
  expect(one('{"BadExec":{"timestamp":5,"pid":8}}')).toEqual({
    kind: "exec_failed",
    ts: 5,
    seq: undefined,
    pid: 8,
    ppid: undefined,
    pgid: undefined,
    filename: undefined,
    argv: undefined,
    errno: undefined,
    error: undefined,
  });
  expect(one('{"Lost":{"timestamp":5,"count":9,"reason":"full"}}')).toEqual({
    kind: "lost",
    ts: 5,
    seq: undefined,
    count: 9,
    reason: "full",
  });
  expect(one('{"Later":{"timestamp":5,"x":[1]}}')).toEqual({
    kind: "unknown",
    ts: 5,
    seq: undefined,
    pid: undefined,
    tag: "Later",
    body: { timestamp: 5, x: [1] },
  });
});

test("how a process ended: by a code, by a signal, not known", () => {
  const r = read(
    '{"Exit":{"timestamp":1,"pid":2,"exit_code":3}}',
    '{"Exit":{"timestamp":1,"pid":2,"signal":11,"core_dumped":true}}',
    '{"Exit":{"timestamp":1,"pid":2,"signal":64}}',
    '{"Exit":{"timestamp":1,"pid":2}}',
    '{"Exit":{"timestamp":1,"pid":2,"exit_code":3,"signal":9}}',
    '{"Exit":{"timestamp":1,"pid":2,"exit_code":0,"signal":0}}',
  );
  expect([0, 1, 2, 3, 4, 5].map((row) => exitStatusAt(r.events, row))).toEqual([
    { how: "exited", code: 3 },
    { how: "signaled", signal: 11, coreDumped: true },
    { how: "signaled", signal: 64, coreDumped: false },
    { how: "unknown" },
    { how: "signaled", signal: 9, coreDumped: false },
    { how: "exited", code: 0 },
  ]);
});

test("bytes beside the readable text count only when they are base64 and of a word that is there", () => {
  const exec = (fields: string) => one(`{"ExecFull":{"timestamp":1,"pid":2,${fields}}}`);
  const bytesOf = (event: ProcEvent) => (event.kind === "exec" ? event.argv?.bytes : undefined);
  expect(bytesOf(exec('"args":["a","b"],"args_b64":[null,"/w=="]'))).toEqual(new Map([[1, new Uint8Array([255])]]));
  expect(bytesOf(exec('"args":["a"],"args_b64":["not base64!",7,"/w=="]'))).toBeUndefined();
  expect(bytesOf(exec('"args":["a"],"args_b64":"/w=="'))).toBeUndefined();
  expect(bytesOf(exec('"args":"a b","args_b64":"/w=="'))).toEqual(new Map([[0, new Uint8Array([255])]]));
});

test("names of JavaScript's own are names like any other", () => {
  const r = read(
    '{"__proto__":{"timestamp":1}}',
    '{"constructor":{"timestamp":2}}',
    '{"ExecFull":{"timestamp":3,"pid":4,"__proto__":{"args":["x"]}}}',
  );
  expect(r.problems.total).toBe(0);
  expect([...r.events.kind.subarray(0, 3)]).toEqual([KIND.unknown, KIND.unknown, KIND.exec]);
  expect(argvOf(r, 2)).toBeUndefined();
  expect(filenameOf(r, 2)).toBeUndefined();
});

test("text that has changed under the rows gives events without it", () => {
  const r = read(
    '{"ExecFull":{"timestamp":1,"pid":2,"args":["x"]}}',
    '{"Exit":{"timestamp":3,"pid":2,"exit_code":0,"utime_ns":5}}',
  );
  for (const now of ["", "garbage", "[[[", '{"ExecFull":7}', '{"a":1,"b":2}', "\u0000".repeat(90)]) {
    const bytes = new TextEncoder().encode(now);
    const changed: Recording = { ...r, text: { size: bytes.length, read: () => bytes } };
    expect(eventAt(changed, 0)).toMatchObject({ kind: "exec", ts: 1, pid: 2, argv: undefined });
    expect(eventAt(changed, 1)).toMatchObject({ kind: "exit", utime: undefined, status: { how: "exited", code: 0 } });
  }
});

test("parts that lead in a circle or astray hold nobody", () => {
  const r = read(
    '{"ExecFull":{"timestamp":1,"pid":2,"args":["x"]}}',
    '{"ExecFull":{"timestamp":1,"pid":2,"args":["y"]}}',
  );
  r.events.mate.set([1, 1]);
  expect(argvOf(r, 0)?.words).toEqual(["x"]);
});
