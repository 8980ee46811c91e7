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

function withElf<A>(path: string, access: "r" | "r+", work: (file: ElfFile) => A): A {
  const file = new ElfFile(path, access);
  try {
    return work(file);
  } finally {
    file.close();
  }
}

interface Piece {
  /** On this machine. */
  readonly from: string;
  /** In the image. */
  readonly to: string;
  readonly mode: number;
}

/** The files that a portable copy of `executable` is made of, itself first. Throws ElfError when one is missing. */
export function piecesOf(executable: string): readonly Piece[] {
  const binary: Piece = { from: executable, to: BINARY_IN_IMAGE, mode: 0o755 };
  return withElf(executable, "r", (file) => {
    const { interpreter, machine } = file;
    if (interpreter === undefined) return [binary];
    const beside = dirname(executable);
    if (interpreter === LOADER_IN_IMAGE) return [binary, ...preparedPieces(file, beside)];
    // A set that was brought from another machine comes before what this one has.
    const loader = findFile(basename(interpreter), [beside], machine) ?? findFile(interpreter, [""], machine);
    if (loader === undefined) throw new ElfError(`its loader '${interpreter}' is not there`);
    const isLoader = loaderNames(loader, interpreter);
    const folders = [beside, dirname(realpathSync(loader)), dirname(loader), ...LIBRARY_FOLDERS];
    const libraries = new Map<string, Piece>();
    const add = (needed: readonly string[]) => {
      for (const name of needed) {
        const to = isLoader(name) ? LOADER_IN_IMAGE : pathInImage(name);
        if (to === LOADER_IN_IMAGE || libraries.has(to)) continue;
        const from = findFile(name, folders, machine);
        if (from === undefined) throw new ElfError(`the library '${name}' is not there`);
        libraries.set(to, { from, to, mode: 0o644 });
        add(withElf(from, "r", (library) => library.needed));
      }
    };
    add(file.needed);
    return [binary, { from: loader, to: LOADER_IN_IMAGE, mode: 0o755 }, ...libraries.values()];
  });
}

function findFile(name: string, folders: readonly string[], machine: Machine): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path) && isFor(path, machine));
}

function isFor(path: string, machine: Machine): boolean {
  try {
    return withElf(path, "r", (file) => file.machine === machine);
  } catch {
    return false;
  }
}

/** Names under which the loader itself is needed: it is in memory already when they are looked for. */
function loaderNames(loader: string, interpreter: string): (name: string) => boolean {
  const names = new Set([basename(interpreter), withElf(loader, "r", (file) => file.soname)]);
  // musl's loader is its C library, under whatever name.
  const isMusl = basename(interpreter).startsWith("ld-musl-");
  return (name) => names.has(name) || (isMusl && /^lib(c|pthread|rt|m|dl|util|xnet)\./.test(name));
}

/** The executable was made portable before: its set is beside it, or in the image that tk runs in. */
function preparedPieces(file: ElfFile, beside: string): Piece[] {
  const names = [LOADER_IN_IMAGE, ...file.needed.filter((name) => name.startsWith(`${FOLDER_IN_IMAGE}/`))];
  return names.map((to) => {
    const from = [join(beside, to), to].find(existsSync);
    if (from === undefined) throw new ElfError(`its part '${to}' is not there`);
    return { from, to, mode: to === LOADER_IN_IMAGE ? 0o755 : 0o644 };
  });
}

/** Fills the folder `into`. Throws ElfError for an executable that cannot be made portable. */
export function makePortable(executable: string, into: string): Portable {
  const pieces = piecesOf(executable);
  for (const { from, to, mode } of pieces) copyInto(from, join(into, to), mode);
  const paths = new Set(pieces.map((piece) => piece.to));
  return withElf(join(into, BINARY_IN_IMAGE), "r+", (binary) => {
    const { machine, interpreter, needed } = binary;
    if (interpreter === undefined || interpreter === LOADER_IN_IMAGE) return { machine, notes: [] };
    const notes = withElf(join(into, LOADER_IN_IMAGE), "r+", isolateLoader);
    binary.setInterpreter(LOADER_IN_IMAGE);
    needByPath(binary, paths, new Set());
    // glibc knows what the binary needs by its other name, too, once it is loaded; musl knows files only.
    const known = new Set(basename(interpreter).startsWith("ld-musl-") ? [] : needed);
    for (const { to } of pieces)
      if (to !== LOADER_IN_IMAGE && to !== BINARY_IN_IMAGE)
        withElf(join(into, to), "r+", (library) => needByPath(library, paths, known));
    return { machine, notes };
  });
}

/** What is in the set is needed by path; what is left are names of the loader, and `known` ones that cannot be changed. */
function needByPath(file: ElfFile, paths: ReadonlySet<string>, known: ReadonlySet<string>): void {
  for (const name of file.needed) {
    if (name.includes("/") || /^ld\b/.test(name) || !paths.has(pathInImage(name))) continue;
    try {
      file.setNeeded(name, pathInImage(name));
    } catch (error) {
      if (!(error instanceof ElfError) || !known.has(name)) throw error;
    }
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
