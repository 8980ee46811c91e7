// A command that is recorded while one looks: tk record as a child, its recording in a file that grows. What the command prints would tear the
// prompt apart, so it goes to a file beside it; its standard input is empty.
import { Effect, type Scope } from "effect";
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownCommand } from "./tk_again.ts";
import { ending } from "./outlet.ts";

export interface Live {
  /** The file that grows. */
  readonly recording: string;
  /** What the command prints. */
  readonly printed: string;
  /** Its status, when it has ended. */
  readonly ended: Promise<number>;
  /** Why one may want to stay; undefined when it has ended. */
  staying(): string | undefined;
}

/** The recorder creates its file at once; without one after this, it has failed. Milliseconds. */
const PATIENCE = 5000;

/** Runs until the scope closes; then it is asked to end. */
export const startLive = (
  words: readonly string[],
  output: string | undefined,
): Effect.Effect<Live, never, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "tk-live-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
    );
    const recording = output ?? join(directory, "live.prof");
    const printed = output === undefined ? join(directory, "output") : `${output}.output`;
    const [program, ...own] = ownCommand();
    const before = identity(recording);
    const { child, ended } = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const out = openSync(printed, "w", 0o600);
        // Its own group: Ctrl-C at the prompt is not meant for it.
        const started = spawn(program!, [...own, "record", "--quiet", "-o", recording, "--", ...words], {
          stdio: ["ignore", out, out],
          detached: true,
        });
        closeSync(out);
        return { child: started, ended: ending(started) };
      }),
      (live) =>
        Effect.promise(async () => {
          if (live.child.exitCode !== null || live.child.signalCode !== null) return;
          live.child.kill("SIGTERM");
          await live.ended;
        }),
    );
    let over = false;
    void ended.then(() => (over = true));
    yield* Effect.promise(() => appears(recording, before, () => over));
    return {
      recording,
      printed,
      ended,
      staying: () => (over ? undefined : `the command is still running (pid ${child.pid}); leaving once more ends it`),
    };
  });

function identity(path: string): string {
  try {
    const { ino, mtimeMs } = statSync(path);
    return `${ino} ${mtimeMs}`;
  } catch {
    return "";
  }
}

async function appears(path: string, before: string, over: () => boolean): Promise<void> {
  const until = performance.now() + PATIENCE;
  while (performance.now() < until && !over()) {
    if (existsSync(path) && identity(path) !== before) return;
    await new Promise((resume) => setTimeout(resume, 5));
  }
}
