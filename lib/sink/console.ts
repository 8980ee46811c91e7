// What `stdout` and `stderr` share: text to a descriptor that the program uses, too. Its flags are never touched, since
// they are the program's as well; a reader that does not read holds up one thread and nothing else.
// Not kept when it fails: a console shows what happens now.
import { errorCode, errorWords } from "../host/out.ts";
import { lineBytes, Stuck, writePipe } from "./file_write.ts";
import { SinkError, type Outlet } from "./sink.ts";

const WAIT_MS = 5000;

export function openConsole(fd: number, place: string): Outlet {
  /** Set while an earlier text sits in write(2) and cannot be called back. */
  let hanging: Promise<void> | undefined;
  return {
    place,
    async write(message, signal) {
      if (hanging !== undefined) throw new SinkError("failed", "its reader still does not read");
      const writing = writePipe(fd, lineBytes(message.text), WAIT_MS, signal);
      let giveUp = () => {};
      const late = new Promise<"late">((done) => (giveUp = () => done("late")));
      const timer = setTimeout(giveUp, WAIT_MS);
      signal.addEventListener("abort", giveUp);
      try {
        if ((await Promise.race([writing, late])) === "late") {
          const over = () => (hanging = undefined);
          hanging = writing.then(over, over);
          throw new SinkError("failed", "its reader does not read");
        }
      } catch (error) {
        if (error instanceof SinkError) throw error;
        if (errorCode(error) === "EPIPE") throw new SinkError("gone", "its reader is gone");
        throw new SinkError("failed", error instanceof Stuck ? error.message : errorWords(error));
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
      }
    },
  };
}
