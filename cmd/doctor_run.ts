// What `tk doctor` does once its words are understood.
import { Effect } from "effect";
import { GENERATOR } from "../lib/base/version.ts";
import { canRecord, diagnose, diagnosisTable } from "../lib/capture/doctor.ts";
import type { OutputError } from "../lib/host/out.ts";
import { openDestination } from "../lib/host/destination.ts";
import { attempt } from "../lib/pipeline/sort_recording.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { EXIT } from "./exit.ts";

export interface DoctorCommand {
  readonly format: "table" | "json";
  readonly bpftracePath: string | undefined;
}

export const run = (c: DoctorCommand): Effect.Effect<void, OutputError | SourceError> =>
  Effect.gen(function* () {
    const diagnosis = yield* Effect.promise(() => diagnose(GENERATOR, { bpftracePath: c.bpftracePath }));
    yield* attempt(() => {
      const destination = openDestination(undefined);
      destination.out.text(c.format === "json" ? JSON.stringify(diagnosis, null, 2) + "\n" : diagnosisTable(diagnosis));
      destination.commit();
    });
    process.exitCode = canRecord(diagnosis) ? EXIT.ok : EXIT.failed;
  });
