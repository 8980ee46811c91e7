// tk as a library: read a recording, derive its processes, render it. Only re-exports; docs/library.md has examples.

// Reading: bytes in memory, or a path as an Effect.
export { decodeRecording, readRecording, type ReadOptions } from "./lib/pipeline/read.ts";
export { SourceError, type SourceReason } from "./lib/pipeline/source.ts";

// A recording: events as columns, and as objects where they are looked at.
export {
  isCutOff,
  type Recording,
  type RecordingEnd,
  type RecordingHeader,
  type TextStore,
} from "./lib/model/recording.ts";
export { type Argv, KIND, type KindName, type ProcEvent, type Text } from "./lib/model/event.ts";
export type { EventTable } from "./lib/model/event_table.ts";
export { argvOf, eventAt, exitStatusAt, filenameOf, lineAt } from "./lib/model/event_at.ts";
export { ABSENT } from "./lib/model/ids.ts";
export { formatProblem, type Problem, type ProblemCode, Problems } from "./lib/model/problem.ts";
export { type ExitStatus, shellStatus, signalName } from "./lib/model/status.ts";
export { formatDuration } from "./lib/model/time.ts";
export { basename, programName, quoteArgv, quoteWord } from "./lib/model/argv.ts";

// Processes: lives under pid reuse, and their tree.
export {
  deriveProcesses,
  drawnEnd,
  ENDED,
  exitStatusOf,
  imageEnd,
  processesOf,
  type Processes,
  type ProcessesOptions,
  rootPidsOf,
} from "./lib/derive/processes.ts";
export { deriveTree, type ProcessTree, subtree } from "./lib/derive/tree.ts";
export { timeOrder } from "./lib/derive/time_order.ts";

// Rendering.
export { renderers } from "./lib/render/registry.ts";
export { mermaid } from "./lib/render/mermaid.ts";
export { tree } from "./lib/render/tree.ts";
export { renderToText } from "./lib/render/to_text.ts";
export type { DocumentRenderer, LineRenderer, Renderer, RenderOptions, TextSink } from "./lib/render/renderer.ts";
