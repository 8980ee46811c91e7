// Starts the collector: our own binary again, beside the command and not under it. It is a child of ours that the tracer does not
// trace, in a session of its own so that the terminal's signals pass it by, with nothing open of what the command has.
import { CLONE_ROOM, cloneOnto, label, Script } from "../capture/launch/script.ts";
import type { Inherited } from "../capture/launch/inherited.ts";
import { Block, sizeOfCStrings } from "../host/memory.ts";
import { ownPrefix } from "../host/proc.ts";

/** How the collector's command line begins after the runtime's own words; cmd/tk.ts knows it. */
export const COLLECTOR_VERB = "lines-collector";

/** What the collector is told, as its only word. */
export interface CollectorPlan {
  readonly base: string;
  /** Descriptors: frames to the recorder, messages from it, what closes when it is done or has gone, the run's lock. */
  readonly feed: number;
  readonly control: number;
  readonly stop: number;
  readonly lock: number;
  readonly recorder: number;
  /** The recording's 0 on CLOCK_MONOTONIC. */
  readonly zero: string;
}

const encoder = new TextEncoder();
const F_SETFD = 2;
const SIG_SETMASK = 2;
const AT_FDCWD = -100;
const O_RDWR = 2;

/** `closing`: descriptors of ours that it must not keep open. Its pid, or -errno. */
export function startCollector(plan: CollectorPlan, inherited: Inherited, closing: readonly number[]): number {
  const words = [
    ...ownPrefix(process.argv.length - 2),
    encoder.encode(COLLECTOR_VERB),
    encoder.encode(JSON.stringify(plan)),
  ];
  const { environment } = inherited;
  const room = 64 * (100 + inherited.descriptors.length + closing.length) + CLONE_ROOM + (1 << 14);
  const block = new Block(room + sizeOfCStrings([...words, ...environment]));
  const executable = block.at(block.cString("/proc/self/exe"));
  const fallback = block.at(block.cString(process.execPath));
  const devNull = block.at(block.cString("/dev/null"));
  const argv = block.at(block.cStrings(words));
  const envp = block.at(block.cStrings(environment));
  const nobody = block.reserve(16);

  const script = new Script();
  const opened = label();
  script.call("setsid");
  for (const fd of [0, ...inherited.descriptors, ...closing]) script.call("close", fd);
  script.call("openat", AT_FDCWD, devNull, O_RDWR);
  script.jumpIf(0, opened);
  // Where there is no /dev/null, our own end of a pipe stands in.
  script.call("dup3", plan.control, 0, 0);
  script.here(opened);
  script.call("dup3", 0, 1, 0);
  script.call("dup3", 0, 2, 0);
  for (const fd of [plan.feed, plan.control, plan.stop, plan.lock]) script.call("fcntl", fd, F_SETFD, 0);
  script.call("rt_sigprocmask", SIG_SETMASK, block.at(nobody), 0, 8);
  script.call("execve", executable, argv, envp);
  script.call("execve", fallback, argv, envp);
  script.call("exit_group", 127);
  const scriptAt = block.reserve(script.size, 64);
  script.write(block, scriptAt);
  return cloneOnto(block, scriptAt, 0);
}
