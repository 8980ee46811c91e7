// Complete mode: the calls that the filter stops at, seen when they begin and when they have ended. Reads and writes
// events; resuming is the tracer's.
import type { RecordingWriter } from "../../format/recording_writer.ts";
import { errnoText } from "../../host/errno.ts";
import type { Block } from "../../host/memory.ts";
import type { ExecWords } from "./exec_words.ts";
import { INFO, INFO_OP_EXIT } from "./request.ts";
import { CALL } from "./seccomp_filter.ts";
import type { Process, Task } from "./tasks.ts";

export class CallStops {
  private readonly words: ExecWords;
  private readonly writer: RecordingWriter;

  constructor(words: ExecWords, writer: RecordingWriter) {
    this.words = words;
    this.writer = writer;
  }

  /** The call begins: its arguments are still there, afterwards they may not be. */
  begin(task: Task, block: Block, info: number): void {
    task.call = block.u32[(info + INFO.seccompData) >> 2]!;
    for (let i = 0; i < 3; i++) task.words[i] = block.word(info + INFO.arguments + 8 * i);
  }

  /** The call has ended. Writes a failed exec; returns the process that was moved to another group or session. */
  end(
    task: Task,
    block: Block,
    info: number,
    now: number,
    processOf: (pid: number) => Process | undefined,
  ): Process | undefined {
    if (block.bytes[info + INFO.op] !== INFO_OP_EXIT) return undefined;
    const failed = block.bytes[info + INFO.isError] !== 0;
    const width = (block.u32[(info + INFO.arch) >> 2]! & 0x80000000) !== 0 ? 8 : 4;
    switch (task.call) {
      case CALL.execve:
      case CALL.execveat:
        if (failed) this.writeFailedExec(task, -block.i32[(info + INFO.result) >> 2]!, width, now);
        return undefined;
      case CALL.setpgid:
        if (failed) return undefined;
        // A pid of 0 means the caller; the word may carry anything in its upper half.
        return (task.words[0] | 0) === 0 ? task.process : processOf(task.words[0] | 0);
      case CALL.setsid:
        return failed ? undefined : task.process;
      default:
        return undefined;
    }
  }

  private writeFailedExec(task: Task, errno: number, width: number, now: number): void {
    const at = task.call === CALL.execveat ? 1 : 0;
    this.writer.beginBadExec(now, task.process.pid, errno, errnoText(errno));
    this.words.writeCall(task.tid, task.words[at]!, task.words[at + 1]!, width);
    this.writer.finish();
  }
}
