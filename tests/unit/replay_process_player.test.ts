// The player of processes on drawn recordings: where each key leads, whose events they are, what was alive.
import { expect, test } from "bun:test";
import { Derived } from "../../lib/derive/derived.ts";
import { eventAt } from "../../lib/model/event_at.ts";
import { deriveHistory, endedBy, livingAt, NEVER, type ProcessHistory } from "../../lib/replay/process_history.ts";
import { ProcessPlayer } from "../../lib/replay/process_player.ts";
import { timeline } from "../support/timeline.ts";

const historyOf = (drawing: string) => deriveHistory(new Derived(timeline(drawing)));
const player = (drawing: string) => new ProcessPlayer(historyOf(drawing));

/** Where it stands: `2ms exec 11`, and whom it looks at. */
function at(p: ProcessPlayer): string {
  const { recording, processes } = p.history.derived;
  const e = eventAt(recording, p.row);
  const pid = "pid" in e ? ` ${e.pid}` : "";
  return `${p.time / 1e6}ms ${e.kind}${pid} @${p.selected < 0 ? "-" : processes.pid[p.selected]}`;
}

const BUILD = `
recording root=10 make all
0ms 10 exec make all
1ms 10 fork 11
2ms 11 exec sh -c "cc a.c"
3ms 11 fork 12
4ms 12 exec:fail 2 /usr/local/bin/cc a.c
5ms 12 exec cc a.c
6ms 10 fork 13
7ms 13 exec curl -O http://example.org/b
8ms 12 exit 1
9ms 11 exit 2
10ms 13 killed 15
11ms 10 exit 2
12ms end 2
`;

test("s goes to each event, n stays with the process, backwards the same way", () => {
  const p = player(BUILD);
  expect(at(p)).toBe("0ms exec 10 @10");
  const next: string[] = [];
  for (let i = 0; i < 5; i++) {
    p.next();
    next.push(at(p));
  }
  // A fork is what the parent does.
  expect(next).toEqual([
    "1ms fork 11 @10",
    "6ms fork 13 @10",
    "11ms exit 10 @10",
    "11ms exit 10 @10",
    "11ms exit 10 @10",
  ]);
  expect(p.message).toContain("nothing more of process 10");
  p.stepForward();
  expect(at(p)).toBe("12ms end @10");
  p.stepForward();
  expect(p.message).toBe('"step" failed: reached the end of the recording');
  for (const expected of ["11ms exit 10 @10", "6ms fork 13 @10", "1ms fork 11 @10", "0ms exec 10 @10"]) {
    p.previous();
    expect(at(p)).toBe(expected);
  }
  p.previous();
  expect(p.message).toBe('"next back" failed: reached the start of the recording');
  const steps: string[] = [];
  while (p.step < p.steps - 1) {
    p.stepForward();
    steps.push(at(p));
  }
  expect(steps).toHaveLength(12);
  expect(steps.slice(0, 4)).toEqual([
    "1ms fork 11 @10",
    "2ms exec 11 @11",
    "3ms fork 12 @11",
    "4ms exec_failed 12 @12",
  ]);
});

test("n after a process has ended goes on with the one above it", () => {
  const p = player(BUILD);
  p.selectPid(12);
  expect(p.message).toContain("has not begun yet");
  for (const expected of [
    "3ms fork 12 @12",
    "4ms exec_failed 12 @12",
    "5ms exec 12 @12",
    "8ms exit 12 @12",
    "9ms exit 11 @11",
    "11ms exit 10 @10",
  ]) {
    p.next();
    expect(at(p)).toBe(expected);
  }
});

test("finish goes to the end of the process, backwards to its beginning, over both to the one above", () => {
  const p = player(BUILD);
  p.command("j +5ms");
  expect(at(p)).toBe("5ms exec 12 @12");
  p.finish();
  expect(at(p)).toBe("8ms exit 12 @12");
  p.finish();
  expect(at(p)).toBe("9ms exit 11 @11");
  p.finishBack();
  expect(at(p)).toBe("1ms fork 11 @11");
  p.finishBack();
  expect(at(p)).toBe("0ms exec 10 @10");
});

test("breakpoints: each word, their hits, c and its n-th, backwards, toggling", () => {
  const hits = (condition: string) => {
    const p = player(BUILD);
    p.command(`b ${condition}`);
    const out: number[] = [];
    for (;;) {
      const before = p.step;
      if (p.breakpoints.after(p.step) === undefined) break;
      p.continue();
      expect(p.step).toBeGreaterThan(before);
      out.push(p.time / 1e6);
    }
    return p.breakpoints.all.length === 0 ? p.message : out;
  };
  expect(hits("exec curl")).toEqual([7]);
  expect(hits("exec c*")).toEqual([5, 7]);
  expect(hits("exec")).toEqual([2, 5, 7]);
  expect(hits("exec != cc")).toEqual([2, 7]);
  expect(hits("badexec cc")).toEqual([4]);
  expect(hits("badexec /usr/local/bin/*")).toEqual([4]);
  expect(hits("exit != 0")).toEqual([8, 9, 10, 11]);
  expect(hits("exit 143")).toEqual([10]);
  expect(hits("exit >= 2 and not signal")).toEqual([9, 11]);
  expect(hits("wall > 5ms")).toEqual([9, 11]);
  expect(hits("wall<=5ms")).toEqual([8, 10]);
  expect(hits("fork")).toEqual([1, 3, 6]);
  expect(hits("failed")).toEqual([4, 8, 9, 10, 11]);
  expect(hits("pid 12")).toEqual([3, 4, 5, 8]);
  expect(hits("pid = 11")).toEqual([1, 2, 3, 9]);
  expect(hits("under 11")).toEqual([1, 2, 3, 4, 5, 8, 9]);
  expect(hits("signal")).toEqual([10]);
  expect(hits("signal TERM")).toEqual([10]);
  expect(hits("signal sigkill")).toEqual([]);
  expect(hits("signal != TERM")).toEqual([]);
  expect(hits('text "-O HTTP://"')).toEqual([]);
  expect(hits('text "-O http://"')).toEqual([7]);
  expect(hits("text EXAMPLE")).toEqual([]);
  expect(hits("text example")).toEqual([7]);
  expect(hits("fork or (signal or exec sh) and pid 13")).toEqual([1, 3, 6, 10]);
  expect(hits("core")).toEqual([]);

  const p = player(BUILD);
  p.command("b fork");
  expect(p.message).toBe("fork: 3 hits");
  p.command("b   exit  != 0 ");
  expect(p.breakpoints.all.map((b) => b.condition.text)).toEqual(["fork", "exit != 0"]);
  p.command("c 4");
  expect(at(p)).toBe("8ms exit 12 @12");
  p.command("c -2");
  expect(at(p)).toBe("3ms fork 12 @11");
  p.command("c 9");
  expect(p.message).toBe("only 5 hits after this event");
  p.continueBack();
  expect(at(p)).toBe("1ms fork 11 @10");
  p.continueBack();
  expect(at(p)).toBe("0ms exec 10 @10");
  p.continueBack();
  expect(p.message).toBe('"continue back" failed: already at the start of the recording');
  // On the way of n and finish a breakpoint holds.
  p.next();
  p.next();
  expect(at(p)).toBe("3ms fork 12 @11");
  p.command("b fork");
  expect(p.message).toBe("fork: no longer a breakpoint");
  p.command("d 1");
  expect(p.breakpoints.all).toEqual([]);
  p.command("b fork");
  p.command("b exec");
  p.command("d");
  expect(p.message).toBe("2 breakpoints taken away");
  expect(p.breakpoints.all).toEqual([]);
  p.continue();
  expect(at(p)).toBe("12ms end @11");
  p.continue();
  expect(p.message).toBe('"continue" failed: already at the end of the recording');
});

test("words that are not known give the nearest; every other fault is said too", () => {
  const fault = (words: string) => {
    const p = player(BUILD);
    p.command(`b ${words}`);
    expect(p.breakpoints.all).toEqual([]);
    return p.message;
  };
  expect(fault("exce curl")).toBe('b: "exce" is not known, did you mean exec or exit?');
  expect(fault("zzzzzz")).toContain("expected one of fork, exec");
  expect(fault("wall > 100")).toBe('b: wall: expected a time such as 100ms or 2s, got "100"');
  expect(fault("exit !=")).toContain("expected a value");
  expect(fault("fork 3")).toContain("takes no value");
  expect(fault("fork and")).toContain("expected what to stop at");
  expect(fault("(fork")).toBe("b: a ( without its )");
  expect(fault("fork )")).toContain("is not understood here");
  expect(fault("signal HUPP")).toContain("expected a signal");
  expect(fault('text "open')).toContain("a quote without its end");
  expect(fault("pid x")).toContain("a pid");
  expect(fault("(".repeat(5000))).toContain("too many");
  expect(fault("")).toContain("expected where to stop");
  expect(fault("\u001b[31mexec")).not.toContain("\u001b");
});

test("moments: relative, before and after everything, of the day only with a header that says when", () => {
  const p = player(BUILD);
  p.command("j +7500us");
  expect(at(p)).toBe("7ms exec 13 @13");
  p.command("j -1h");
  expect(at(p)).toBe("0ms exec 10 @10");
  p.command("j +1d");
  expect(at(p)).toBe("12ms end @10");
  p.command("j 12:00:00");
  expect(p.message).toContain("does not say when it was made");
  p.command("j soon");
  expect(p.message).toContain("expected +2s");
  p.command("x");
  expect(p.message).toContain('Invalid command: "x"');
});

test("search finds the program and its arguments, forwards and back", () => {
  const p = player(BUILD);
  p.command("/a.c");
  expect(at(p)).toBe("2ms exec 11 @11");
  p.search("");
  expect(at(p)).toBe("4ms exec_failed 12 @12");
  p.search("", -1);
  expect(at(p)).toBe("2ms exec 11 @11");
  p.command("/nowhere");
  expect(p.message).toBe('"nowhere" does not occur after this event (0 hits in all)');
});

/** The living by the definition, for comparison. */
function aliveSlowly(h: ProcessHistory, step: number): number[] {
  const out: number[] = [];
  for (let life = 0; life < h.born.length; life++) if (h.born[life]! <= step && h.over[life]! > step) out.push(life);
  return out;
}

test("a pid that is used again is another process", () => {
  const p = player(`
recording root=10 sh
0ms 10 exec sh
1ms 10 fork 11
2ms 11 exec one
3ms 11 exit 0
4ms 10 fork 11
5ms 11 exec two
6ms 11 exit 1
7ms 10 exit 0
8ms end 0
`);
  p.command("j +2ms");
  const first = p.selected;
  p.finish();
  expect(at(p)).toBe("3ms exit 11 @11");
  p.command("j +2ms");
  expect(at(p)).toBe("5ms exec 11 @11");
  expect(p.selected).not.toBe(first);
  p.previous();
  expect(at(p)).toBe("4ms fork 11 @11");
  p.previous();
  expect(at(p)).toBe("1ms fork 11 @10");
  p.command("j +4ms");
  p.command("p 11");
  expect(p.selected).not.toBe(first);
  p.command("j -2ms");
  p.command("p 11");
  expect(p.selected).toBe(first);
});

test("cut off, lost events, no start, replaced pids, equal times: all have a place", () => {
  const p = player(`
recording root=10 sh
0ms 10 exec sh
5ms 20 exec stray
5ms 10 fork 11
5ms 11 exec a
5ms lost 3 the buffer was full
6ms 10 fork 11
6ms 11 exec b
`);
  const { over, derived } = p.history;
  expect(derived.processes.length).toBe(4);
  p.finish();
  expect(p.message).toContain("the end of process 10 was not recorded");
  const seen: string[] = [];
  while (p.step < p.steps - 1) {
    p.stepForward();
    seen.push(at(p));
    expect([...livingAt(p.history, p.step)].sort((a, b) => a - b)).toEqual(aliveSlowly(p.history, p.step));
  }
  expect(seen).toEqual([
    "5ms exec 20 @20",
    "5ms fork 11 @10",
    "5ms exec 11 @11",
    "5ms lost @11",
    "6ms fork 11 @10",
    "6ms exec 11 @11",
  ]);
  expect([...over].filter((s) => s !== NEVER)).toHaveLength(1);
  p.command("b lost");
  p.goToStart();
  p.continue();
  expect(at(p)).toBe("5ms lost @10");
});

test("a recording without any event, or with lines only, takes every key", () => {
  for (const drawing of ["", "recording root=1 x", '{"LineBlock":{"seq":1,"timestamp":5,"end":9,"pid":7,"tid":7}}']) {
    const p = player(drawing);
    p.stepForward();
    p.next();
    p.continue();
    p.finish();
    p.stepBack();
    p.previous();
    p.continueBack();
    p.finishBack();
    for (const line of ["b fork", "j +1s", "c 1", "/x", "p 7", "d 1"]) p.command(line);
    expect(p.step).toBe(0);
    expect(livingAt(p.history, 0).length + endedBy(p.history, 0)).toBeLessThanOrEqual(1);
  }
});

test("who is alive is the same by checkpoints as by looking at everyone", () => {
  const lines = ["recording root=1 make", "0ms 1 exec make"];
  let state = 7;
  const random = (n: number) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n;
  const live: number[] = [];
  let pid = 2;
  for (let i = 1; i < 30_000; i++) {
    if (live.length === 0 || random(100) < (i < 15_000 ? 60 : 40)) {
      lines.push(`${i}us 1 fork ${pid}`);
      live.push(pid++);
    } else lines.push(`${i}us ${live.splice(random(live.length), 1)[0]} exit 0`);
  }
  const h = historyOf(lines.join("\n"));
  expect(h.checkpointStep.length).toBeGreaterThan(2);
  expect(h.living.length).toBeLessThanOrEqual(h.rows.length + 4096);
  for (const step of [0, 1, 4095, 4096, 4097, 9999, 15_000, 20_001, 29_999, h.rows.length - 1])
    expect([...livingAt(h, step)].sort((a, b) => a - b)).toEqual(aliveSlowly(h, step));
});
