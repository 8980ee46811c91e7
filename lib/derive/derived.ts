// A recording with what is derived from it, and the dearer parts of that only when somebody asks. What conditions over events are
// asked against.
import type { Recording } from "../model/recording.ts";
import { ABSENT } from "../model/ids.ts";
import { deriveExecKeys, type ExecKeys } from "./exec_keys.ts";
import { type Processes, processesOf } from "./processes.ts";
import { deriveTree, type ProcessTree } from "./tree.ts";
import { deriveUsage, type Usage } from "./usage.ts";

export class Derived {
  readonly recording: Recording;
  readonly processes: Processes;
  readonly tree: ProcessTree;
  private programKeys: ExecKeys | undefined;
  private usageOfLives: Usage | undefined;

  constructor(recording: Recording) {
    this.recording = recording;
    this.processes = processesOf(recording);
    this.tree = deriveTree(this.processes);
  }

  /** Which execs ran the same program. */
  get programs(): ExecKeys {
    this.programKeys ??= deriveExecKeys(this.recording, "program");
    return this.programKeys;
  }

  get usage(): Usage {
    this.usageOfLives ??= deriveUsage(this.recording, this.processes, this.tree, ABSENT);
    return this.usageOfLives;
  }
}
