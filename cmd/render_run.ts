// What `tk render` does once its words are understood.
import { Effect } from "effect";
import type { OutputError } from "../lib/host/out.ts";
import { Problems } from "../lib/model/problem.ts";
import { renderByProcess } from "../lib/pipeline/by_process.ts";
import { readRecordings } from "../lib/pipeline/read_recordings.ts";
import { attempt, openOutput, sortRecording } from "../lib/pipeline/sort_recording.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { renderers } from "../lib/render/registry.ts";
import type { DocumentRenderer } from "../lib/render/renderer.ts";
import { fitWidth, speaksUnicode, wantsColor } from "./screen.ts";
import { sortFiltered } from "./sort_run.ts";
import { note, tellProblems } from "./tell.ts";
import type { UsageError } from "./usage_error.ts";
import { filterOf } from "./where_filter.ts";

export interface RenderCommand {
  readonly inputs: readonly string[];
  readonly mode: string;
  readonly output: string | undefined;
  readonly limit: number | undefined;
  readonly full: boolean;
  readonly width: number | undefined;
  readonly color: "auto" | "always" | "never";
  readonly memory: number;
  readonly where: string | undefined;
  readonly strict: boolean;
}

export const run = (c: RenderCommand): Effect.Effect<void, SourceError | OutputError | UsageError> =>
  Effect.suspend(() => {
    const renderer = renderers.find(c.mode)._unsafeUnwrap();
    if (renderer.shape === "document") return renderDocument(renderer, c);
    return renderer.group === "process" ? renderGrouped(c) : renderOrdered(c);
  });

const renderOrdered = Effect.fnUntraced(function* (c: RenderCommand) {
  if (c.where !== undefined) return yield* sortFiltered(c, c.where);
  const problems = new Problems();
  const { notes } = yield* sortRecording({ ...c, problems }).pipe(
    Effect.ensuring(Effect.sync(() => (process.exitCode = tellProblems(problems, c.strict)))),
  );
  for (const sentence of notes) note(sentence);
});

const renderGrouped = Effect.fnUntraced(function* (c: RenderCommand) {
  const filter = yield* filterOf(c.where);
  const { recording, notes } = yield* renderByProcess({ ...c, filter });
  process.exitCode = tellProblems(recording.problems, c.strict);
  for (const sentence of notes) note(sentence);
});

const renderDocument = (renderer: DocumentRenderer, c: RenderCommand) =>
  Effect.scoped(
    Effect.gen(function* () {
      const filter = yield* filterOf(c.where);
      const read = yield* readRecordings(c);
      const { notes } = read;
      const recording = yield* filter(read.recording);
      process.exitCode = tellProblems(recording.problems, c.strict);
      for (const sentence of notes) note(sentence);
      const destination = yield* openOutput(c.output);
      const toTerminal = c.output === undefined && process.stdout.isTTY;
      yield* attempt(() => {
        renderer.render(
          recording,
          {
            width: fitWidth(c.width, toTerminal),
            color: wantsColor(c.color, toTerminal),
            unicode: !toTerminal || speaksUnicode(),
            limit: c.limit === 0 ? Infinity : c.limit,
            full: c.full,
          },
          destination.out,
        );
        destination.commit();
      });
    }),
  );
