// Where a recording goes: a file, or standard output. Opens before the command starts and says what the command's own
// standard output then is; nothing that is opened here reaches the command.
import { statSync } from "node:fs";
import {
  closeFile,
  isTerminal,
  O_CREAT,
  O_WRONLY,
  openFile,
  openNameless,
  rewind,
  truncateFile,
} from "../host/descriptors.ts";
import { isStandardOutput } from "../host/destination.ts";
import { ERRNO } from "../host/errno.ts";
import { openKernel } from "../host/kernel.ts";
import { Block } from "../host/memory.ts";
import { NR } from "../host/syscalls.ts";
import { CaptureError } from "./capture_error.ts";

const STDOUT = 1;
const STDERR = 2;

export interface RecordingFile {
  /** For the summary; undefined when the recording went to standard output. */
  readonly path: string | undefined;
  readonly fd: number;
  /** What the command gets as its standard output. */
  readonly commandStdout: number;
  /** To be called when nothing stands in the way of starting: only now an old recording is lost. */
  begin(): void;
  /** After the command has ended: shows what was held back. */
  finish(): void;
}

export function openRecordingFile(output: string | undefined, backend: string): RecordingFile {
  if (output !== undefined && output !== "-" && !namesStandardOutput(output)) return openNamed(output, backend);
  if (wasClosed(STDOUT))
    throw new CaptureError({
      backend,
      reason: { _tag: "OutputRefused", path: "standard output", errno: ERRNO.EBADF },
    });
  if (!isTerminal(STDOUT)) return { path: undefined, fd: STDOUT, commandStdout: STDERR, begin() {}, finish() {} };
  return holdBack(backend);
}

/** /dev/stdout, say, or the file that the command's output goes to: opened a second time, each would overwrite the other. */
function namesStandardOutput(path: string): boolean {
  try {
    const stat = statSync(path);
    return isStandardOutput(stat) && (!stat.isCharacterDevice() || isTerminal(STDOUT));
  } catch {
    return false;
  }
}

/** Bun opens /dev/null where it finds a standard descriptor closed; only what it opened itself can close on exec. */
function wasClosed(fd: number): boolean {
  const F_GETFD = 1;
  const flags = openKernel().call(NR.fcntl, fd, F_GETFD);
  return flags < 0 || (flags & 1) !== 0;
}

function openNamed(path: string, backend: string): RecordingFile {
  // What root records may hold other people's secrets.
  const mode = openKernel().call(NR.geteuid) === 0 ? 0o600 : 0o666;
  const fd = openFile(path, O_WRONLY | O_CREAT, mode);
  if (fd < 0) throw new CaptureError({ backend, reason: { _tag: "OutputRefused", path, errno: -fd } });
  // A spool is tidied up by whoever comes next: what is being recorded is not thrown away.
  const shared = 1;
  const noWait = 4;
  openKernel().call(NR.flock, fd, shared | noWait);
  return {
    path,
    fd,
    commandStdout: STDOUT,
    begin: () => truncateFile(fd),
    finish: () => closeFile(fd),
  };
}

/** On a terminal the recording would run between the command's own lines, so it waits in a nameless file. */
function holdBack(backend: string): RecordingFile {
  const directory = process.env.TMPDIR ?? "/tmp";
  const fd = openNameless(directory);
  if (fd < 0) throw new CaptureError({ backend, reason: { _tag: "OutputRefused", path: directory, errno: -fd } });
  return {
    path: undefined,
    fd,
    commandStdout: STDERR,
    begin() {},
    finish() {
      copyToStdout(fd);
      closeFile(fd);
    },
  };
}

function copyToStdout(fd: number): void {
  const kernel = openKernel();
  const block = new Block(1 << 16);
  rewind(fd);
  for (;;) {
    const n = kernel.call(NR.read, fd, block.address, block.bytes.length);
    if (n <= 0) return;
    for (let done = 0; done < n;) {
      const written = kernel.call(NR.write, STDOUT, block.at(done), n - done);
      if (written <= 0) return;
      done += written;
    }
  }
}
