// The start where tk stays the program's parent: the program is held until its reporter waits for it, then let go.
import { CaptureError } from "../capture/capture_error.ts";
import { startHeld } from "../capture/launch/start_held.ts";
import { closeFile } from "../host/descriptors.ts";
import type { ExitStatus } from "../model/status.ts";
import type { Start } from "./exec.ts";
import { planFor, reporterFor } from "./exec.ts";
import { commandError, ExecError } from "./exec_error.ts";
import { makeExecPipe } from "./start_reporter.ts";
import { openProgramDesk, Supervisor } from "./supervise.ts";

export function startAsParent(start: Start): ExitStatus {
  const { inherited, attempts, name, args, programStdout } = start;
  const desk = openProgramDesk(inherited);
  const pipe = makeExecPipe();
  if (typeof pipe === "number") throw new ExecError({ _tag: "StartFailed", step: "pipe", errno: -pipe });
  const program = held(() =>
    startHeld({
      argv: [name, ...args],
      inherited,
      attempts,
      tellFailure: pipe.writeEnd,
      ...(programStdout === undefined ? {} : { stdout: programStdout }),
    }),
  );
  const reporter = reporterFor(start, planFor(start, program.pid, true), pipe, program.holdingEnd);
  closeFile(pipe.readEnd);
  closeFile(pipe.writeEnd);
  const status = new Supervisor(program, reporter, desk, inherited).run();
  if (program.hasFailed()) throw commandError(new TextDecoder().decode(name), program.execErrno());
  return status;
}

function held<A>(start: () => A): A {
  try {
    return start();
  } catch (error) {
    if (error instanceof CaptureError && error.reason._tag === "StartFailed") throw new ExecError(error.reason);
    throw error;
  }
}
