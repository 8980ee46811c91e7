// Why a process is not recorded, as far as what it was started with tells; the environment that reaches it; frames; the notes at the end.
import { describe, expect, test } from "bun:test";
import { bashEnvOf, valueOf, withRecorders } from "../../lib/collect/environment.ts";
import { encodeFrame, FrameReader, MESSAGE_SIZE, putMessage, readMessage } from "../../lib/collect/frames.ts";
import { reachOf } from "../../lib/collect/reach.ts";
import { Unreached } from "../../lib/collect/unreached.ts";
import { RecordingWriter } from "../../lib/format/recording_writer.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const PLACES = { raw: "/r/run", python: "/r/py", bash: "/r/bash_env.sh" };
const CHOICE = { selection: "", engine: "exact", directory: "/" } as const;
const given = (...entries: string[]) => entries.map((e) => encoder.encode(e));

describe("the command's environment", () => {
  test("keeps the user's own behind ours", () => {
    const bytes = Uint8Array.of(...encoder.encode("PYTHONPATH=/a:"), 0xff);
    const out = withRecorders([bytes, ...given("BASH_ENV=$HOME/x", "PATH=/bin")], PLACES, CHOICE);
    const value = (name: string) => [...valueOf(out, name)!];
    expect(value("PYTHONPATH")).toEqual([...encoder.encode("/r/py:/a:"), 0xff]);
    expect(decoder.decode(valueOf(out, "TK_LINES_BASH_ENV"))).toBe("$HOME/x");
    expect(decoder.decode(valueOf(out, "BASH_ENV"))).toBe("/r/bash_env.sh${-//[!v]/}");
    expect(decoder.decode(valueOf(out, "PATH"))).toBe("/bin");
  });

  test("an empty PYTHONPATH adds no current directory", () => {
    const out = withRecorders(given("PYTHONPATH="), PLACES, CHOICE);
    expect(decoder.decode(valueOf(out, "PYTHONPATH"))).toBe("/r/py");
  });
});

describe("reach", () => {
  const ours = given("TK_LINES_DIR=/r/run", "PYTHONPATH=/r/py:/x", `BASH_ENV=${bashEnvOf(PLACES)}`);
  const why = (line: string, environment = ours, program?: string, uid = 0) => {
    const words = line.split(" ");
    const facts = { program: program ?? words[0]!, words, environment, realUid: uid, effectiveUid: uid };
    const reach = reachOf(facts, PLACES, 0);
    return reach === undefined ? "nothing to record" : (reach.why ?? "reached");
  };

  test.each([
    ["python3.11 app.py -I", "reached"],
    ["python3.11 -W ignore -X dev -m mod -E", "reached"],
    ["python3 -sI app.py", "python -I ignores the environment"],
    ["python3 -OE -c pass", "python -E ignores the environment"],
    ["python3 -S", "python -S loads no site modules"],
    ["python3 -cimport -I", "reached"],
    ["python3 --version", "nothing to record"],
    ["python3 -V", "nothing to record"],
    ["pypy3 x.py", "PyPy is not recorded, only CPython"],
    ["bash script.sh -p", "reached"],
    ["bash -ec true", "reached"],
    ["bash -o posix -c true", "Bash in POSIX mode reads no BASH_ENV"],
    ["bash -p x", "bash -p ignores the environment"],
    ["bash --norc -i", "an interactive Bash is left as it is"],
    ["bash -v x", "bash -v prints every line it reads"],
    ["dash -c true", "dash is not Bash, which alone of the shells is recorded"],
    ["make all", "nothing to record"],
  ])("%s", (line, expected) => {
    expect(why(line)).toBe(expected);
  });

  test("names and environments", () => {
    expect(why("sh -c true", ours, "dash")).toBe("sh (dash) is not Bash, which alone of the shells is recorded");
    expect(why("/bin/sh -c true", ours, "bash")).toBe("Bash called as sh reads no BASH_ENV");
    expect(why("python3 x", [])).toBe("its environment was emptied, or replaced by another");
    expect(why("python3 x", given("TK_LINES_DIR=/r/run", "PYTHONPATH=src"))).toBe(
      "PYTHONPATH was overwritten on the way",
    );
    expect(why("bash x", given("TK_LINES_DIR=/r/run", "BASH_ENV=y"))).toBe("BASH_ENV was overwritten on the way");
    expect(why("python3 x", ours, "python3", 4711)).toContain("another user (uid 4711)");
  });
});

describe("what is told at the end", () => {
  test("one note a reason, with pids; what was reached is not in it", () => {
    const unreached = new Unreached();
    for (let pid = 1; pid <= 6; pid++)
      unreached.started(pid, pid, { kind: "python", why: "python -I ignores the environment" });
    unreached.started(9, 5, { kind: "bash", why: undefined });
    unreached.reached(9, 6);
    unreached.started(10, 5, { kind: "python", why: undefined });
    const writer = new RecordingWriter();
    expect(unreached.tell(writer, 77)).toEqual([
      "no lines of 6 processes: python -I ignores the environment (pids 1, 2, 3, 4 and 2 more)",
    ]);
    expect(decoder.decode(writer.out.view())).toBe(
      '{"Note":{"seq":0,"timestamp":77,"about":"lines","message":"python -I ignores the environment","count":6,"pids":[1,2,3,4,5,6]}}\n',
    );
  });

  test("hostile sentences stay one line", () => {
    const unreached = new Unreached();
    unreached.note(3, "a\nb\x1b[2J");
    expect(unreached.tell(new RecordingWriter(), 0)[0]).not.toContain("\x1b");
  });
});

describe("frames", () => {
  test("come out whole, however they were cut", () => {
    const stream = Buffer.concat([
      encodeFrame(76, encoder.encode("one")),
      encodeFrame(78, new Uint8Array()),
      encodeFrame(76, new Uint8Array(300_000).fill(65)),
    ]);
    for (const size of [1, 7, 65536]) {
      const reader = new FrameReader();
      const got: [number, number][] = [];
      for (let at = 0; at < stream.length; at += size)
        reader.push(stream.subarray(at, at + size), (kind, payload) => got.push([kind, payload.length]));
      expect(got).toEqual([
        [76, 3],
        [78, 0],
        [76, 300_000],
      ]);
    }
  });

  test("nonsense fails instead of being waited for", () => {
    const reader = new FrameReader();
    reader.push(Uint8Array.of(76, 255, 255, 255, 255), () => {});
    expect(reader.failed).toBe(true);
  });

  test("messages", () => {
    const bytes = new Uint8Array(MESSAGE_SIZE);
    for (const message of [
      { what: "ended", pid: 7, at: 12.5 },
      { what: "became", pid: 9, at: 1e15 },
      { what: "finish", at: 3 },
    ] as const) {
      putMessage(bytes, message);
      expect(readMessage(bytes, 0)).toEqual(message);
    }
  });

  test("a line of another process gets this recording's next number", () => {
    const writer = new RecordingWriter();
    writer.seq = 41;
    writer.numbered(encoder.encode('{"LineBlock":{"timestamp":5,"pid":1}}\n'));
    expect(decoder.decode(writer.out.view())).toBe('{"LineBlock":{"seq":41,"timestamp":5,"pid":1}}\n');
    expect(writer.seq).toBe(42);
  });
});
