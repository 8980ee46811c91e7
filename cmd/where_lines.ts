// The executed lines of a recording, for conditions that ask about them: `started_by ~ /configure/`.
import type { LinesOf } from "../lib/pipeline/filter_recording.ts";
import { recordingLines } from "../lib/traces/recording_lines.ts";

export const linesOf: LinesOf = (recording) => recordingLines(recording, recording.problems);
