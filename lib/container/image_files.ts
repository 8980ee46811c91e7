// The files that go into an image, ready in a folder: a portable copy of tk, its libraries, and what was loaded. The copy is
// kept between builds, since it is large and always the same; the docker build cache goes by content.
import { createHash } from "node:crypto";
import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { VERSION } from "../base/version.ts";
import { errorCode } from "../host/out.ts";
import { absolute, type Environment, homeOf, programStore, userStore } from "../settings/places.ts";
import { EMPTY_STORE, readStore, type Store, storeText } from "../settings/store.ts";
import { ElfFile, type Machine } from "./elf.ts";
import { BINARY_IN_IMAGE, FOLDER_IN_IMAGE, makePortable, piecesOf } from "./portable.ts";

/** Where the loaded configuration is in an image: beside the binary, where tk looks for it. */
export const STORE_IN_IMAGE = programStore(BINARY_IN_IMAGE);

/** Everything that is copied into an image. */
export const IN_IMAGE: readonly string[] = [BINARY_IN_IMAGE, FOLDER_IN_IMAGE, STORE_IN_IMAGE];

/** Docker's names of processors. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** `linux/amd64`: what a copy of this very program can run on. */
export function ownPlatform(): string {
  return `linux/${ARCHITECTURES[process.arch] ?? process.arch}`;
}

export interface FilesOptions {
  /** docker.arch_binary_locations_path: sets for other platforms, as `linux/arm64/tk`. */
  readonly otherPlatforms: string;
  readonly environment: Environment;
  readonly tell: (sentence: string) => void;
}

/** The executable that becomes /tk on a platform. The error is a clause. */
function executableFor(platform: string, { otherPlatforms, environment }: FilesOptions): string {
  const [os = "", arch = ""] = platform.split("/");
  if (`${os}/${arch}` === ownPlatform() && process.platform === "linux") {
    const own = process.execPath;
    if (/^(bun|deno|node)(-\w+)?$/.test(own.replace(/^.*\//, "")))
      throw new Error("tk runs from its source; only the compiled binary can go into an image");
    return own;
  }
  const found = join(absolute(otherPlatforms, process.cwd(), environment), os, arch, "tk");
  const machine = machineOf(found);
  if (machine !== undefined && ARCHITECTURES[machine] === arch) return found;
  const what = machine === undefined ? "there is no tk" : "that file is no tk";
  throw new Error(`${what} for ${os}/${arch}, looked for as '${found}' (docker.arch_binary_locations_path)`);
}

function machineOf(path: string): Machine | undefined {
  try {
    const file = new ElfFile(path, "r");
    file.close();
    return file.machine;
  } catch {
    return undefined;
  }
}

function cacheFolder(environment: Environment): string {
  const named = environment["XDG_CACHE_HOME"];
  const cache = named !== undefined && isAbsolute(named) ? named : join(homeOf(environment), ".cache");
  return join(cache, "tk", "image");
}

/** A portable copy of `executable`, in a folder that stays. */
function portableSet(executable: string, cache: string, tell: (sentence: string) => void): string {
  const set = join(cache, keyOf(executable));
  try {
    const now = new Date();
    utimesSync(set, now, now);
    return set;
  } catch {
    // Not there yet.
  }
  const made = mkdtempSync(join(cache, ".new-"));
  try {
    const { notes } = makePortable(executable, made);
    for (const note of notes) tell(note);
    chmodSync(made, 0o755);
    try {
      renameSync(made, set);
    } catch (error) {
      // Another build was faster.
      if (errorCode(error) !== "ENOTEMPTY" && errorCode(error) !== "EEXIST") throw error;
    }
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  forgetOld(cache, set);
  return set;
}

/** Changes with the program, with tk's way of preparing it, and with the C library of this machine. */
function keyOf(executable: string): string {
  const hash = createHash("sha256").update(VERSION);
  for (const { from, to } of piecesOf(executable)) {
    const { dev, ino, size, mtimeNs } = statSync(from, { bigint: true });
    hash.update(`${from}\0${to}\0${dev}\0${ino}\0${size}\0${mtimeNs}\0`);
  }
  return hash.digest("hex").slice(0, 24);
}

const OLD_MS = 24 * 3600 * 1000;

/** Sets that no build has used for a day, and what builds that were killed have left. */
function forgetOld(cache: string, keep: string): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    try {
      if (path !== keep && Date.now() - statSync(path).mtimeMs > OLD_MS) rmSync(path, { recursive: true, force: true });
    } catch {
      // Somebody else's, or gone.
    }
  }
}

/** What was loaded here and travels on: what came with this tk, then what this user loaded. */
export function carriedStore(environment: Environment): Store {
  const stores = [programStore(process.execPath), userStore(environment)].map((path) => {
    const read = readStore(path);
    return read.kind === "store" ? read.store : EMPTY_STORE;
  });
  return {
    components: stores.flatMap((store) => store.components),
    parameters: Object.assign({}, ...stores.map((store) => store.parameters)) as Store["parameters"],
  };
}

/** A folder for one build, which it removes at its end; a place that can be linked from the cache where possible. */
export function makeRunFolder(environment: Environment): string {
  const cache = cacheFolder(environment);
  try {
    mkdirSync(cache, { recursive: true, mode: 0o700 });
    return mkdtempSync(join(cache, ".run-"));
  } catch {
    return mkdtempSync(join(tmpdir(), "tk-image-"));
  }
}

/** Puts what goes into an image of `platform` into `folder`, which may be anywhere. Throws an Error that says why not. */
export function fillFolder(folder: string, platform: string, options: FilesOptions): void {
  const executable = executableFor(platform, options);
  let set: string;
  try {
    const cache = cacheFolder(options.environment);
    mkdirSync(cache, { recursive: true, mode: 0o700 });
    set = portableSet(executable, cache, options.tell);
    copyTree(set, folder);
  } catch (error) {
    if (errorCode(error) === "") throw error;
    // No cache here: a read-only home, a full disk in it.
    rmSync(folder, { recursive: true, force: true });
    for (const note of makePortable(executable, folder).notes) options.tell(note);
  }
  writeFileSync(join(folder, STORE_IN_IMAGE), storeText(carriedStore(options.environment)), { mode: 0o644 });
  chmodSync(join(folder, STORE_IN_IMAGE), 0o644);
}

/** By links where both are on one file system, since the binary is large and nobody changes it. */
function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      copyTree(source, target);
      continue;
    }
    try {
      linkSync(source, target);
    } catch {
      copyFileSync(source, target, constants.COPYFILE_FICLONE);
      chmodSync(target, statSync(source).mode & 0o777);
    }
  }
}

/** The bytes of everything in such a folder, by the name in it. For contexts that are streams. */
export function readFolder(
  folder: string,
): { readonly name: string; readonly mode: number; readonly bytes: Uint8Array }[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({
      name: path.slice(folder.length + 1),
      mode: statSync(path).mode & 0o777,
      bytes: readFileSync(path),
    }));
}
