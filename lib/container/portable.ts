// Makes a folder out of a compiled tk that runs in any root file system of the same machine type, even an empty one: the
// binary, and beside it the C library's loader and libraries that it needs, which it then finds by path.
//
//   /tk          PT_INTERP /.tk/ld, DT_NEEDED /.tk/c, /.tk/m, ...      (changed in place: no offset moves)
//   /.tk/ld      the loader: looks for nothing in the image, sees no LD_* variable
//   /.tk/c ...   the libraries, as they were
//
// Names are short because a new name takes the place of the old one. docs/containers.md says why this and nothing else.
import { chmodSync, constants, copyFileSync, existsSync, mkdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ElfError, ElfFile, type Machine } from "./elf.ts";
import { hideLoaderVariables } from "./loader_prologue.ts";

/** Where the pieces are in an image. `/.tk/` is as long as `/lib/`, whose place it takes in the loader. */
export const BINARY_IN_IMAGE = "/tk";
export const FOLDER_IN_IMAGE = "/.tk";
const LOADER_IN_IMAGE = `${FOLDER_IN_IMAGE}/ld`;

/** What `makePortable` leaves in the folder: names as in the image, without the leading slash. */
export interface Portable {
  readonly machine: Machine;
  /** What could not be done and who may notice. */
  readonly notes: readonly string[];
}

/** `libpthread.so.0` → `/.tk/pthread`: never longer than the name it replaces. */
export function pathInImage(library: string): string {
  const stem = library.replace(/^lib/, "").replace(/\.so(\..*)?$/, "");
  if (!/^[\w.+-]+$/.test(stem) || stem === "ld")
    throw new ElfError(`it needs a library with an odd name, '${library}'`);
  return `${FOLDER_IN_IMAGE}/${stem}`;
}

/** Where libraries may be when they are not beside the loader. */
const LIBRARY_FOLDERS = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"];

function findLibrary(name: string, folders: readonly string[], machine: Machine): string {
  for (const folder of folders) {
    const path = join(folder, name);
    if (existsSync(path) && isFor(path, machine)) return path;
  }
  throw new ElfError(`the library '${name}' is not there`);
}

function isFor(path: string, machine: Machine): boolean {
  try {
    const file = new ElfFile(path, "r");
    file.close();
    return file.machine === machine;
  } catch {
    return false;
  }
}

/** Copies, shares blocks where the file system can, and makes the copy readable by every user of the image. */
function copyInto(from: string, to: string, mode: number): void {
  const folder = dirname(to);
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
  }
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  chmodSync(to, mode);
}

function withElf<A>(path: string, work: (file: ElfFile) => A): A {
  const file = new ElfFile(path);
  try {
    return work(file);
  } finally {
    file.close();
  }
}

/**
 * Fills the folder `into`. Libraries are taken from beside the executable if they are there (a set that was brought from another
 * machine), else from where its own loader is. Throws ElfError for an executable that cannot be made portable.
 */
export function makePortable(executable: string, into: string): Portable {
  const binary = join(into, BINARY_IN_IMAGE);
  copyInto(executable, binary, 0o755);
  const notes: string[] = [];
  const machine = withElf(binary, (file) => {
    const interpreter = file.interpreter;
    if (interpreter === undefined) return file.machine;
    if (interpreter === LOADER_IN_IMAGE) {
      copyPrepared(file, executable, into);
      return file.machine;
    }
    const beside = dirname(executable);
    const loader = findLoader(interpreter, beside, file.machine);
    const folders = [beside, dirname(realpathSync(loader)), dirname(loader), ...LIBRARY_FOLDERS];
    copyInto(loader, join(into, LOADER_IN_IMAGE), 0o755);
    const own = withElf(join(into, LOADER_IN_IMAGE), (copy) => {
      notes.push(...isolateLoader(copy));
      return new Set([basename(interpreter), copy.soname ?? ""]);
    });
    bringLibraries(file, into, own, folders);
    file.setInterpreter(LOADER_IN_IMAGE);
    return file.machine;
  });
  return { machine, notes };
}

function findLoader(interpreter: string, beside: string, machine: Machine): string {
  for (const path of [join(beside, basename(interpreter)), interpreter])
    if (existsSync(path) && isFor(path, machine)) return path;
  throw new ElfError(`its loader '${interpreter}' is not there`);
}

/** Every library that `file` needs, and what those need; the loader itself is in memory already when they are looked for. */
function bringLibraries(
  file: ElfFile,
  into: string,
  loaderNames: ReadonlySet<string>,
  folders: readonly string[],
): void {
  for (const name of file.needed) {
    if (loaderNames.has(name) || name.startsWith(FOLDER_IN_IMAGE + "/")) continue;
    const target = pathInImage(name);
    if (!existsSync(join(into, target))) {
      copyInto(findLibrary(name, folders, file.machine), join(into, target), 0o644);
      withElf(join(into, target), (library) => bringLibraries(library, into, loaderNames, folders));
    }
    file.setNeeded(name, target);
  }
}

/** The executable was made portable before: its set is beside it, or in the image that tk runs in. */
function copyPrepared(file: ElfFile, executable: string, into: string): void {
  const names = [LOADER_IN_IMAGE, ...file.needed.filter((name) => name.startsWith(FOLDER_IN_IMAGE + "/"))];
  for (const name of names) {
    const from = [join(dirname(executable), name), name].find(existsSync);
    if (from === undefined) throw new ElfError(`its part '${name}' is not there`);
    copyInto(from, join(into, name), name === LOADER_IN_IMAGE ? 0o755 : 0o644);
  }
}

/** Nothing of an image may get into tk: not its library folders, its loader cache, its preloads, its LD_* variables. */
function isolateLoader(loader: ElfFile): string[] {
  loader.replaceTexts(/^\/etc\/ld\.so\.preload$/, () => "/dev/null/preload");
  loader.replaceTexts(/^\/etc\/ld\.so\.cache$/, () => "/dev/null/cache");
  loader.replaceTexts(/(?<![\w.-])(\/usr)?\/lib(32|64|x32)?\/([\w-]+\/)?$/, (found) => sameLength(found.length));
  if (hideLoaderVariables(loader)) return [];
  return ["the loader of this machine has no room for tk's code: LD_PRELOAD in an image would load into tk, too"];
}

/** tk's folder, written with as many letters as the loader has noted for the folder whose place it takes. */
function sameLength(length: number): string {
  const folder = `${FOLDER_IN_IMAGE}/`;
  const more = length - folder.length;
  return folder + (more % 2 === 1 ? "/" : "") + "./".repeat(Math.floor(more / 2));
}
