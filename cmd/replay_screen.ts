// The loop between the terminal and the replay's shell: events in, frames out, and what is done while nobody types.
import { Effect } from "effect";
import { Shell } from "../lib/replay/shell.ts";
import type { Moment, View } from "../lib/replay/view.ts";
import { Painter } from "../lib/terminal/painter.ts";
import type { Ability } from "../lib/terminal/styled.ts";
import { openTty, type Tty, type TtyError } from "../lib/tty/tty.ts";

/** How often a recording that may grow is looked at, milliseconds. */
const LOOK = 500;
const LOOK_WHEN_FOLLOWING = 150;

export interface Screen {
  /** At least one; the first is shown first. */
  readonly views: readonly View[];
  readonly ability: Ability;
  /** It is still being written, as far as can be told. */
  readonly growing: boolean;
  /** A view that was not there at first; asked when the recording is looked at again. */
  readonly more?: (() => View | undefined) | undefined;
  /** Where to begin. */
  readonly at?: Moment | undefined;
  /** Begins at the end and stays there. */
  readonly follow?: boolean;
  /** Work for when nobody types, one piece a call; whether the screen is to be painted again. Undefined: nothing is left. */
  readonly idle?: (() => boolean | undefined) | undefined;
  /** Something that came up meanwhile, such as a damaged block; told once. */
  readonly news?: (() => string | undefined) | undefined;
}

export const showScreen = (screen: Screen): Effect.Effect<void, TtyError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const tty = yield* openTty({ fullScreen: true });
      yield* Effect.promise(() => run(tty, screen));
    }),
  );

async function run(tty: Tty, { views, ability, growing, more, at, follow, idle, news }: Screen): Promise<void> {
  const shell = new Shell(views);
  if (at !== undefined) shell.view.goTo(at);
  if (follow === true) shell.press("F", "");
  const painter = new Painter(ability);
  let stale = true;
  for (;;) {
    if (!tty.busy) {
      if (stale) {
        const told = news?.();
        if (told !== undefined) shell.tell(told);
        const { columns, rows } = tty;
        tty.write(painter.paint(shell.paint({ columns, rows, ability }), columns, rows));
        stale = false;
      }
      const again = idle?.();
      if (again !== undefined) {
        stale = again;
        // Keys come in between.
        await new Promise((resolve) => setTimeout(resolve, 0));
        continue;
      }
    }
    stale = true;
    const event = await tty.next(growing ? (shell.following ? LOOK_WHEN_FOLLOWING : LOOK) : undefined);
    switch (event.kind) {
      case "end":
        return;
      case "timeout": {
        stale = shell.tick();
        const view = more?.();
        if (view !== undefined) {
          shell.add(view);
          stale = true;
        }
        break;
      }
      case "resize":
        painter.forget();
        break;
      case "key": {
        const act = shell.press(event.key.chord, event.key.text);
        if (act === "quit") return;
        if (act === "repaint") painter.forget();
        if (act === "suspend") tty.suspend();
        break;
      }
    }
  }
}
