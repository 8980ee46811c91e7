// Starts the reporter: our own binary again, beside the program and not under it. It must not be felt by the program: no
// child that the program did not make, no descriptor of it held open but those that reports are written to, no signal of
// its terminal. Until it becomes the reporter it is a list of system calls on our memory, which waits for the program's
// exec, looks at the program in its first moments, and goes on to become tk again.
import type { Inherited } from "../capture/launch/inherited.ts";
import { CLONE_ROOM, cloneOnto, label, Script } from "../capture/launch/script.ts";
import { closeFile } from "../host/descriptors.ts";
import { ERRNO } from "../host/errno.ts";
import { openKernel } from "../host/kernel.ts";
import { Block, sizeOfCStrings } from "../host/memory.ts";
import { ownPrefix } from "../host/proc.ts";
import { NR } from "../host/syscalls.ts";
import { pipeAboveStandard } from "../host/pipes.ts";
import { memoryFile, processHandle, writeWhole } from "./descriptor.ts";
import { EARLY_FACTS, EarlyLook, type LookRequest } from "./early_look.ts";
import { encodePlan, type Plan } from "./plan.ts";

/** How the reporter's command line begins after the runtime's own words; cmd/tk.ts knows it. */
export const REPORTER_VERB = "exec-reporter";

/** Closes when the program has been exec'd; a byte in it says that this has failed. */
export interface ExecPipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** -errno when there are no descriptors left. */
export const makeExecPipe: () => ExecPipe | number = pipeAboveStandard;

export interface ReporterOptions {
  readonly plan: Omit<Plan, "look" | "handle">;
  /** Bytes of all words of the program. */
  readonly argvSize: number;
  readonly inherited: Inherited;
  readonly pipe: ExecPipe;
  /** A descriptor of our own that becomes the reporter's standard output. */
  readonly stdout?: number | undefined;
  /** As for setpriority(2): -20 to 19. */
  readonly niceness: number;
  /** Descriptors of ours that the reporter must not keep open while it waits. */
  readonly closing?: readonly number[];
  /** How many words the user typed: what stands before them starts tk. */
  readonly typedWords: number;
}

export interface StartedReporter {
  /** 0 when it is nobody's child of ours. */
  readonly pid: number;
}

const encoder = new TextEncoder();
const F_SETFD = 2;
const SIG_SETMASK = 2;

/** The reporter, or the errno of the step that was refused; then the program runs without one. */
export function startReporter(options: ReporterOptions): StartedReporter | { readonly errno: number } {
  const file = memoryFile();
  if (file < 0) return { errno: -file };
  const handle = processHandle(options.plan.programPid);
  const started = startWith(options, file, handle);
  closeFile(file);
  if (handle !== undefined) closeFile(handle);
  return started;
}

function startWith(
  options: ReporterOptions,
  file: number,
  handle: number | undefined,
): StartedReporter | { readonly errno: number } {
  const kernel = openKernel();
  const { inherited, plan } = options;
  const look: LookRequest = {
    // Which of it will be shown is the reporter's to find out: the program must not wait for that.
    facts: EARLY_FACTS,
    argvSize: options.argvSize,
    pid: plan.programPid,
    descriptors: [0, 1, 2, ...inherited.descriptors],
  };
  const words = [...ownPrefix(options.typedWords), REPORTER_VERB, String(file)].map((w) =>
    typeof w === "string" ? encoder.encode(w) : w,
  );
  const environment = inherited.environment;
  const room = EarlyLook.room(look) * 2 + 64 * (200 + inherited.descriptors.length);
  const block = new Block(room + sizeOfCStrings([...words, ...environment]) + CLONE_ROOM + (1 << 15));

  const executable = block.at(block.cString("/proc/self/exe"));
  const fallback = block.at(block.cString(process.execPath));
  const argv = block.at(block.cStrings(words));
  const envp = block.at(block.cStrings(environment));
  const devNull = block.at(block.cString("/dev/null"));
  const nobody = block.reserve(16);
  const byte = block.reserve(16);
  const early = new EarlyLook(block, look);

  const script = new Script();
  const go = label();
  if (!plan.asParent) {
    // Whose child the reporter is: not the program's. Its parent ends here, so the system's init adopts it.
    const CLONE_VM = 0x100;
    const child = label();
    script.call("clone", CLONE_VM, 0, 0, 0, 0);
    script.jumpIf(0, child);
    script.call("exit_group", 0);
    script.here(child);
  }
  script.call("setsid");
  script.call("close", 0);
  for (const fd of [...inherited.descriptors, ...(options.closing ?? [])]) script.call("close", fd);
  if (options.stdout !== undefined) script.call("dup3", options.stdout, 1, 0);
  else if (!plan.keepsStdout) script.call("close", 1);
  if (!plan.keepsStderr) script.call("close", 2);
  script.call("close", options.pipe.writeEnd);
  script.call("read", options.pipe.readEnd, block.at(byte), 1);
  script.jumpIf(0, go);
  script.call("exit_group", 0);
  script.here(go);
  early.addTo(script);
  // Not before the look: a nice process would be late for it.
  const PRIO_PROCESS = 0;
  script.call("setpriority", PRIO_PROCESS, 0, options.niceness);
  const write = script.call("write", file, block.at(early.from), 0);
  // 0 is closed, so what is opened is 0; where there is no /dev/null, an empty end of our own file stands in.
  const opened = label();
  const O_RDWR = 2;
  const AT_FDCWD = -100;
  script.call("openat", AT_FDCWD, devNull, O_RDWR);
  script.jumpIf(0, opened);
  script.call("dup3", file, 0, 0);
  script.here(opened);
  if (options.stdout === undefined && !plan.keepsStdout) script.call("dup3", 0, 1, 0);
  if (!plan.keepsStderr) script.call("dup3", 0, 2, 0);
  const kept = [file, handle, plan.output?.fd].filter((fd) => fd !== undefined && fd > 2);
  for (const fd of kept) script.call("fcntl", fd!, F_SETFD, 0);
  script.call("rt_sigprocmask", SIG_SETMASK, block.at(nobody), 0, 8);
  script.call("execve", executable, argv, envp);
  script.call("execve", fallback, argv, envp);
  script.call("exit_group", 127);

  const scriptAt = block.reserve(script.size, 64);
  // The answers end with the script, whose operations hold the results.
  script.setArgument(write, 2, scriptAt + script.size - early.from);
  script.write(block, scriptAt);
  const told: Plan = { ...plan, handle, look: early.layout(scriptAt) };
  const errno = writeWhole(file, encodePlan(told, environment));
  if (errno !== 0) return { errno };
  const pid = cloneOnto(block, scriptAt, 0);
  if (pid < 0) return { errno: -pid };
  if (plan.asParent) return { pid };
  const WALL = 0x40000000;
  while (kernel.call(NR.wait4, pid, 0, WALL, 0) === -ERRNO.EINTR);
  return { pid: 0 };
}
