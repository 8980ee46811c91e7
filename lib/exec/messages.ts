// Where the reporter says something. Not by keeping the program's stderr open when that is a pipe: whoever reads the pipe
// waits until all that have it open have closed it, and would wait for us. So a pipe is opened for the one sentence, while
// the program lives and still has it; what cannot be said there goes to a file.
import {
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

const STDERR = 2;
/** The file is then begun anew; the one before it is kept. */
const LARGEST_FILE = 1 << 20;

/** What a program's standard error is. */
export interface StderrPlace {
  /** Device and inode. */
  readonly id: string;
  /** A pipe, or a socket that is not the system's journal: somebody may wait for its end. */
  readonly hasReader: boolean;
}

const idOf = ({ dev, ino }: { dev: bigint; ino: bigint }) => `${dev}:${ino}`;

/** Ours, which becomes the program's; undefined where it is closed. */
export function ownStderr(journal: string | undefined): StderrPlace | undefined {
  try {
    const stat = fstatSync(STDERR, { bigint: true });
    const id = idOf(stat);
    return { id, hasReader: stat.isFIFO() || (stat.isSocket() && id !== journal) };
  } catch {
    return undefined;
  }
}

export interface MessageOptions {
  readonly pid: number;
  readonly place: StderrPlace | undefined;
  /** For what nobody can be told now. */
  readonly file: string;
}

export class Messages {
  private readonly options: MessageOptions;

  constructor(options: MessageOptions) {
    this.options = options;
  }

  /** One line, without its newline. */
  say(line: string): void {
    if (this.toStderr(line)) return;
    if (this.toProgramsPipe(line)) return;
    this.toFile(line);
  }

  private toStderr(line: string): boolean {
    try {
      if (idOf(fstatSync(STDERR, { bigint: true })) !== this.options.place?.id) return false;
      writeSync(STDERR, `${line}\n`);
      return true;
    } catch {
      return false;
    }
  }

  private toProgramsPipe(line: string): boolean {
    const pipe = this.openPipe();
    if (pipe === undefined) return false;
    try {
      const text = Buffer.from(`${line}\n`);
      return writeSync(pipe.fd, text) === text.length;
    } catch {
      return false; // It is full, or its reader is gone.
    } finally {
      pipe.close();
    }
  }

  /** The pipe that the program had as its stderr from the start, where it still has it. Writing to it never waits. */
  openPipe(): { readonly fd: number; readonly close: () => void } | undefined {
    const { pid, place } = this.options;
    const path = `/proc/${pid}/fd/${STDERR}`;
    try {
      // Asked first: to open something else, a device perhaps, may do something to it.
      const stat = statSync(path, { bigint: true });
      if (!stat.isFIFO() || idOf(stat) !== place?.id) return undefined;
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      const close = () => closeSync(fd);
      if (idOf(fstatSync(fd, { bigint: true })) === place.id) return { fd, close };
      close();
    } catch {
      // Ended, or not ours to look at.
    }
    return undefined;
  }

  private toFile(line: string): void {
    const { file, pid } = this.options;
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
      if (size > LARGEST_FILE) renameSync(file, `${file}.1`);
      appendFileSync(file, `${new Date().toISOString()} ${pid} ${line}\n`, { mode: 0o600 });
    } catch {
      // There is no place left; reports that were not taken are kept elsewhere.
    }
  }
}
