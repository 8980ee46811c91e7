// A place for `tk docker`: the stand-in as the only docker, a cache and a configuration of its own, a build context; and what
// the stand-in noted, read back.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run, start, TK, type Ran, type Running, type RunOptions } from "./tk.ts";

const STAND_IN = join(import.meta.dir, "..", "programs", "docker_stand_in.sh");

export interface Call {
  readonly words: readonly string[];
  /** Empty for everything but a build. */
  readonly dockerfile: string;
  readonly ignore: string | undefined;
  readonly context: readonly string[];
  /** The folder with what came by the named build context, or into the image with tk's files. */
  readonly files: string | undefined;
  readonly stdin: string | undefined;
  /** How many SIGINTs came while it waited. */
  readonly interrupts: number;
}

const utf8 = (text: string | undefined) => Buffer.from(text ?? "", "latin1").toString();

export class DockerPlace {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-docker-"));
  readonly context = join(this.folder, "context");
  readonly bin = join(this.folder, "bin");
  private readonly standIn = join(this.folder, "stand-in");

  constructor() {
    for (const name of ["context", "bin", "stand-in/calls", "stand-in/images", "home"])
      mkdirSync(join(this.folder, name), { recursive: true });
    symlinkSync(STAND_IN, join(this.bin, "docker"));
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  get environment(): Record<string, string> {
    return {
      PATH: `${this.bin}:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: join(this.folder, "home"),
      STAND_IN: this.standIn,
    };
  }

  private optionsFor(options: RunOptions): RunOptions {
    return { cwd: this.context, ...options, env: { ...this.environment, ...options.env } };
  }

  tk(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run([TK, ...words], this.optionsFor(options));
  }

  start(words: readonly string[], options: RunOptions = {}): Running {
    return start([TK, ...words], this.optionsFor(options));
  }

  /** Makes the context what is given, and nothing else. */
  put(files: Readonly<Record<string, string | Uint8Array>>): void {
    rmSync(this.context, { recursive: true });
    mkdirSync(this.context);
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.context, name)), { recursive: true });
      writeFileSync(join(this.context, name), content);
    }
  }

  /** What docker knows of an image of this machine's kind. */
  image(name: string, config: object): void {
    const Architecture = process.arch === "x64" ? "amd64" : process.arch;
    writeFileSync(
      join(this.standIn, "images", name.replaceAll("/", "_")),
      JSON.stringify([{ Os: "linux", Architecture, Config: config }]),
    );
  }

  /** What the registry knows, platform by platform. */
  remoteImage(name: string, byPlatform: object): void {
    writeFileSync(join(this.standIn, "images", `${name.replaceAll("/", "_")}.remote`), JSON.stringify(byPlatform));
  }

  /** What buildx knows of a builder. */
  builder(name: string, text: string): void {
    writeFileSync(join(this.standIn, "images", `builder.${name}`), text);
  }

  forget(): void {
    for (const name of readdirSync(join(this.standIn, "calls")))
      rmSync(join(this.standIn, "calls", name), { recursive: true });
  }

  /** Every call since `forget`, in order. */
  calls(): Call[] {
    const folder = join(this.standIn, "calls");
    return readdirSync(folder)
      .sort((a, b) => Number(a) - Number(b))
      .map((name) => {
        const read = (file: string) => {
          const path = join(folder, name, file);
          return existsSync(path) ? readFileSync(path, "latin1") : undefined;
        };
        return {
          words: utf8(read("args")).split("\n").slice(0, -1),
          dockerfile: utf8(read("dockerfile")),
          ignore: read("ignore"),
          context: (read("context") ?? "").split("\n").filter((line) => line !== ""),
          files: existsSync(join(folder, name, "files")) ? join(folder, name, "files") : undefined,
          stdin: read("stdin"),
          interrupts: (read("interrupts") ?? "").split("\n").length - 1,
        };
      });
  }

  /** Only builds, without the questions about flags and without the image of tk's files. */
  builds(): Call[] {
    return this.calls().filter(
      ({ words }) =>
        words.includes("build") && !words.includes("--help") && !words.some((w) => w.startsWith("tk-files:")),
    );
  }

  /** Whether a build is under way and waits, see STAND_IN_WAIT. */
  waiting(): number {
    const folder = join(this.standIn, "calls");
    return readdirSync(folder).filter((name) => existsSync(join(folder, name, "waiting"))).length;
  }

  /** What is left over of builds in tk's cache. */
  leftOvers(): string[] {
    const cache = join(this.folder, "home", ".cache", "tk", "image");
    return existsSync(cache) ? readdirSync(cache).filter((name) => name.startsWith(".")) : [];
  }

  /** A root file system as the build's target would be: /tk and what it needs, and with `busybox` a shell and the like. */
  makeRoot(call: Call, busybox: boolean): string {
    const root = mkdtempSync(join(this.folder, "root-"));
    const arch = process.arch === "x64" ? "amd64" : process.arch;
    // By links: the binary is large, and nobody writes to it.
    spawnSync("cp", ["-al", `${join(call.files!, "linux", arch)}/.`, root]);
    for (const name of ["proc", "tmp", "dev"]) mkdirSync(join(root, name));
    if (busybox) {
      mkdirSync(join(root, "bin"));
      cpSync("/bin/busybox", join(root, "bin", "busybox"));
      for (const name of ["sh", "sleep", "kill", "cat", "id", "echo", "ps", "env", "touch", "true", "ls"])
        symlinkSync("busybox", join(root, "bin", name));
    }
    return root;
  }
}
