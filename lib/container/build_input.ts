// Where the Dockerfile of a build comes from, and how a changed one gets to docker: a file, standard input, or an archive on
// standard input. What came on standard input is kept, so that the build can be run again as it was asked for.
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { errorWords } from "../host/out.ts";
import type { BuildCommand } from "./build_command.ts";
import { MAX_DOCKERFILE } from "./dockerfile.ts";
import { findInTar, kindOfStream, replaceInTar } from "./tar.ts";

export interface BuildInput {
  readonly dockerfile: Uint8Array;
  /** Makes the changed Dockerfile the build's: flags to add, and what docker gets as standard input. */
  replace(changed: Uint8Array): { readonly flags: readonly string[]; readonly stdin: "inherit" | "ignore" | number };
}

/** Standard input, once it has been read; every use of it begins anew. */
export class KeptStdin {
  readonly path: string;
  private readonly open: number[] = [];

  constructor(path: string) {
    this.path = path;
  }

  /** A descriptor at the beginning. */
  begin(path = this.path): number {
    const fd = openSync(path, "r");
    this.open.push(fd);
    return fd;
  }

  close(): void {
    for (const fd of this.open.splice(0)) closeSync(fd);
  }
}

/** Reads standard input into the folder. */
export async function keepStdin(folder: string): Promise<KeptStdin> {
  const path = join(folder, "stdin");
  await pipeline(createReadStream("", { fd: 0, autoClose: false }), createWriteStream(path, { mode: 0o600 }));
  return new KeptStdin(path);
}

/** Whether the build takes anything from standard input. */
export function readsStdin(command: BuildCommand): boolean {
  return command.file === "-" || command.context === "-";
}

/** Throws an Error that says why the Dockerfile cannot be had; its message is a clause. */
export async function openInput(
  command: BuildCommand,
  folder: string,
  stdin: KeptStdin | undefined,
): Promise<BuildInput> {
  if (command.context === "-") return command.file === "-" ? twice() : fromStream(command, folder, stdin!);
  if (!isDirectory(command.context)) throw new Error(`its context '${command.context}' is not a directory`);
  if (command.file === "-") {
    const dockerfile = readLimited(stdin!.path);
    return { dockerfile, replace: (changed) => ({ flags: fileFlag(folder, "Dockerfile", changed), stdin: "ignore" }) };
  }
  const path = command.file ?? defaultDockerfile(command.context);
  const dockerfile = readLimited(path);
  return {
    dockerfile,
    replace(changed) {
      // BuildKit looks for an ignore file beside the Dockerfile, under its name.
      const ignore = `${path}.dockerignore`;
      const name = basename(path);
      if (existsSync(ignore)) writeFileSync(join(folder, `${name}.dockerignore`), readFileSync(ignore));
      return { flags: fileFlag(folder, name, changed), stdin: "inherit" };
    },
  };
}

function twice(): never {
  throw new Error("Dockerfile and context cannot both be standard input");
}

function fileFlag(folder: string, name: string, bytes: Uint8Array): string[] {
  const path = join(folder, name);
  writeFileSync(path, bytes, { mode: 0o600 });
  return [`--file=${path}`];
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function defaultDockerfile(context: string): string {
  const usual = join(context, "Dockerfile");
  const lower = join(context, "dockerfile");
  return !existsSync(usual) && existsSync(lower) ? lower : usual;
}

function readLimited(path: string): Uint8Array {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw new Error("it is a directory");
    if (!stat.isFile()) throw new Error("it is no regular file");
    if (stat.size > MAX_DOCKERFILE) throw new Error(`it is larger than ${MAX_DOCKERFILE >> 10} KiB`);
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw new Error(`its Dockerfile '${path}' cannot be read: ${errorWords(error)}`, { cause: error });
  }
}

/** `docker build -`: an archive that is the context, or the Dockerfile itself of a build without a context. */
async function fromStream(command: BuildCommand, folder: string, stdin: KeptStdin): Promise<BuildInput> {
  const kind = kindOfStream(readHead(stdin));
  if (kind === "dockerfile") {
    const dockerfile = readLimited(stdin.path);
    return {
      dockerfile,
      replace(changed) {
        const path = join(folder, "stdin.changed");
        writeFileSync(path, changed, { mode: 0o600 });
        return { flags: [], stdin: stdin.begin(path) };
      },
    };
  }
  if (kind === "other-compression") throw new Error("the context on standard input is compressed, and not with gzip");
  let archive = stdin.path;
  if (kind === "gzip") {
    archive = join(folder, "stdin.tar");
    await pipeline(createReadStream(stdin.path), createGunzip(), createWriteStream(archive, { mode: 0o600 }));
  }
  const name = command.file ?? "Dockerfile";
  const fd = stdin.begin(archive);
  const found = findInTar(fd, name, MAX_DOCKERFILE);
  if (found === undefined) throw new Error(`there is no '${name}' in the context on standard input`);
  return {
    dockerfile: found.bytes,
    replace(changed) {
      const path = join(folder, "stdin.changed");
      replaceInTar(fd, path, found, changed);
      // -f was taken out of the words; the file keeps its name.
      return { flags: command.file === undefined ? [] : [`--file=${command.file}`], stdin: stdin.begin(path) };
    },
  };
}

function readHead(stdin: KeptStdin): Uint8Array {
  const head = new Uint8Array(512);
  return head.subarray(0, readSync(stdin.begin(), head, 0, head.length, 0));
}
