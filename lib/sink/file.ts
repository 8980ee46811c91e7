// The sink `file`: each report is one line (or what the filters made of it) at the end of a file.
// Atomic: a delivery is one write(2) with O_APPEND under a lock; writers never interleave, and what does not fit is taken
// back. Flushed: at once, nothing is buffered. A full disk or a lost directory fails the delivery; the next one opens anew.
import { errorWords } from "../host/out.ts";
import { FilePlace } from "./file_place.ts";
import { append, lineBytes, Stuck, writePipe } from "./file_write.ts";
import { SinkError, type OpenRequest, type Outlet, type Sink } from "./sink.ts";

/** A lock that is held longer belongs to a process that was stopped: one write(2) is whole without it, too. */
const LOCK_WAIT_MS = 2000;
/** How long the reader of a named pipe may take. */
const PIPE_WAIT_MS = 2000;

export const file: Sink = {
  id: "file",
  summary: "Appends each report to a file, whole",
  keepsUndelivered: true,
  longestRestMs: 30_000,
  open: (request) => Promise.resolve(openFile(request)),
};

function openFile(request: OpenRequest): Outlet {
  const at = new FilePlace(request, request.fields.text("filename") ?? "");
  let isBroken = false;
  return {
    get place() {
      return `'${at.path}'`;
    },
    async write(message, signal) {
      const line = lineBytes(message.text);
      const place = await at.open(LOCK_WAIT_MS, false);
      const { fd } = place.file;
      try {
        if (place.isRegular) await append(fd, line, place.isReadable, place.isLocked);
        else await writePipe(fd, isBroken ? lineBytes(`\n${message.text}`) : line, PIPE_WAIT_MS, signal);
        isBroken = false;
      } catch (error) {
        // A pipe keeps what it got; the next report then begins on a line of its own.
        if (error instanceof Stuck) isBroken ||= error.written > 0;
        throw new SinkError("failed", error instanceof Stuck ? error.message : errorWords(error));
      } finally {
        await place.file.close();
      }
    },
  };
}
