// `tk docker build` with wrapping: the build with a changed Dockerfile, and behind it the build as it was asked for, which runs
// whenever anything goes wrong. Everything it makes lies in one folder of tk's own; the context stays as it is.
//
// How files get in: with BuildKit by a named build context; else by a small image of their own, from which COPY takes them.
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../config/settings.ts";
import { errorWords } from "../host/out.ts";
import type { Environment } from "../settings/places.ts";
import { BuildFlags, buildWith, parseBuild, type BuildCommand, type BuildPlace } from "./build_command.ts";
import { keepStdin, openInput, readsStdin, type KeptStdin } from "./build_input.ts";
import { askDocker, becomeDocker, runDocker, statusOf, type Ended } from "./docker_program.ts";
import { fillFolder, IN_IMAGE, makeRunFolder, ownPlatform, readFolder } from "./image_files.ts";
import { normalisePlatform, planWrap, type WrapPlan } from "./wrap_plan.ts";

export interface BuildRequest {
  readonly docker: string;
  /** Everything that was typed behind `tk docker`. */
  readonly words: readonly string[];
  /** Where among them the build is. */
  readonly place: BuildPlace;
  readonly settings: Pick<Settings, "docker" | "exec">;
  readonly environment: Environment;
  /** One sentence for people. */
  readonly tell: (sentence: string) => void;
}

export interface BuildOutcome {
  readonly ended: Ended;
  readonly wrapped: boolean;
  /** Why the build had to be run again as it was asked for. */
  readonly retried: string | undefined;
}

/** A build that is left alone, with the reason as a sentence. */
class LeftAlone extends Error {}

function cannotWrap(why: unknown): LeftAlone {
  return new LeftAlone(`cannot wrap ENTRYPOINT due to: ${why instanceof Error ? why.message : String(why)}`);
}

export async function wrappedBuild(request: BuildRequest): Promise<BuildOutcome> {
  let folder: string;
  try {
    folder = makeRunFolder(request.environment);
  } catch (error) {
    const retried = `there is no place for files (${errorWords(error)})`;
    request.tell(`docker: retrying without tk due to: ${retried}`);
    return { ended: await runDocker(request.docker, request.words, "inherit"), wrapped: false, retried };
  }
  const run = new Run(request, folder);
  try {
    return await run.build();
  } finally {
    run.close();
  }
}

class Run {
  private readonly request: BuildRequest;
  private readonly folder: string;
  private stdin: KeptStdin | undefined;
  /** docker runs in the foreground: it hears of signals, and tk waits for it. */
  private handedOver = false;
  private readonly release: () => void;

  constructor(request: BuildRequest, folder: string) {
    this.request = request;
    this.folder = folder;
    const onExit = () => this.removeFolder();
    const listeners = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((name) => {
      const listener = () => {
        if (this.handedOver) return;
        this.close();
        process.kill(process.pid, name);
      };
      process.on(name, listener);
      return () => process.off(name, listener);
    });
    process.on("exit", onExit);
    this.release = () => {
      process.off("exit", onExit);
      for (const off of listeners) off();
    };
  }

  close(): void {
    this.release();
    this.stdin?.close();
    this.removeFolder();
  }

  private removeFolder(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private ask = (words: readonly string[]): Promise<string | undefined> => askDocker(this.request.docker, words);

  async build(): Promise<BuildOutcome> {
    const { tell, docker, words } = this.request;
    let retried: string;
    try {
      const ended = await this.buildWrapped();
      if (ended.status === 0 || ended.interrupted !== undefined) return { ended, wrapped: true, retried: undefined };
      retried = `the build of the wrapped image ended with status ${statusOf(ended)}`;
    } catch (error) {
      retried = error instanceof Error ? error.message : String(error);
      if (error instanceof LeftAlone) {
        tell(`docker: ${retried}`);
        if (this.stdin !== undefined) return { ended: await this.asTyped(), wrapped: false, retried: undefined };
        // Nothing of ours is needed any more, and docker takes this process from here.
        this.removeFolder();
        return { ended: await becomeDocker(docker, words), wrapped: false, retried: undefined };
      }
    }
    tell(`docker: retrying without tk due to: ${retried}`);
    return { ended: await this.asTyped(), wrapped: false, retried };
  }

  /** The command line that was typed, with the standard input that came with it. */
  private asTyped(): Promise<Ended> {
    return this.foreground(this.request.words, this.stdin?.begin() ?? "inherit");
  }

  private async buildWrapped(): Promise<Ended> {
    const { words, place, settings, environment, tell } = this.request;
    const head = words.slice(0, place.head);
    const help = await this.ask([...head, "--help"]);
    if (help === undefined) throw cannotWrap("docker does not say what its build can do");
    const flags = new BuildFlags(help);
    const parsed = parseBuild(words, place, flags, environment);
    if (parsed.isErr()) throw cannotWrap(parsed.error);
    const command = parsed.value;
    if (readsStdin(command) && !(command.file === "-" && command.context === "-"))
      this.stdin = await keepStdin(this.folder);
    const input = await openInput(command, this.folder, this.stdin).catch((error: unknown) => {
      throw cannotWrap(error);
    });
    const builder = await this.builderPlatform(command, flags.namedContexts);
    const planned = await planWrap(input.dockerfile, command, settings, builder, this.ask);
    if (planned.isErr()) throw cannotWrap(planned.error);
    const plan = planned.value;
    if (plan === undefined) throw new LeftAlone("the image starts tk already, and nothing is added");
    for (const note of plan.notes) tell(`docker: ${note}`);
    this.fill(plan);
    const named = flags.namedContexts && !plan.oldSyntax;
    const source = named ? plan.source : await this.filesImage(command, plan);
    const { flags: inputFlags, stdin } = input.replace(plan.dockerfile(source));
    const contextFlags = named ? [`--build-context=${source}=${this.files}`] : [];
    return this.foreground(buildWith(command, [...contextFlags, ...inputFlags]), stdin);
  }

  private async foreground(words: readonly string[], stdin: "inherit" | "ignore" | number): Promise<Ended> {
    this.handedOver = true;
    try {
      return await runDocker(this.request.docker, words, stdin);
    } finally {
      this.handedOver = false;
    }
  }

  private get files(): string {
    return join(this.folder, "files");
  }

  private fill(plan: WrapPlan): void {
    const { settings, environment, tell } = this.request;
    try {
      for (const platform of plan.platforms) {
        const options = { otherPlatforms: settings.docker.archBinaryLocationsPath, environment, tell };
        mkdirSync(join(this.files, ...platform.split("/").slice(0, -1)), { recursive: true });
        fillFolder(join(this.files, platform), platform, options);
      }
    } catch (error) {
      throw cannotWrap(error);
    }
  }

  /** What the images are built on and for when nobody says: the machine that docker builds on may be another one. */
  private async builderPlatform(
    command: BuildCommand,
    isBuildx: boolean,
  ): Promise<{ platform: string; defaultTarget: string }> {
    const { globals, builder } = command;
    const inspect = [...globals, "buildx", "inspect", ...(builder === undefined ? [] : [builder])];
    const own = isBuildx ? /^Platforms: *([\w/]+)/m.exec((await this.ask(inspect)) ?? "")?.[1] : undefined;
    const daemon =
      own ?? (await this.ask([...globals, "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"]))?.trim();
    const platform = daemon !== undefined && /^\w+\/\w+/.test(daemon) ? normalisePlatform(daemon) : ownPlatform();
    return { platform, defaultTarget: this.request.environment["DOCKER_DEFAULT_PLATFORM"] || platform };
  }

  /** For builders that know no named contexts. It stays, as the cache of the next build. */
  private async filesImage(command: BuildCommand, plan: WrapPlan): Promise<string> {
    const hash = createHash("sha256");
    for (const file of readFolder(this.files))
      hash.update(`${file.name}\0${file.mode}\0${file.bytes.length}\0`).update(file.bytes);
    const image = `tk-files:${hash.digest("hex").slice(0, 24)}`;
    const { globals } = command;
    if ((await this.ask([...globals, "image", "inspect", image])) !== undefined) return image;
    const copies = plan.platforms.flatMap((platform) =>
      IN_IMAGE.map((path) => `COPY ${join(platform, path)} ${join("/", platform, path)}`),
    );
    writeFileSync(join(this.files, "Dockerfile"), ["FROM scratch", ...copies, ""].join("\n"), { mode: 0o600 });
    if ((await this.ask([...globals, "build", "--quiet", "--tag", image, this.files])) === undefined)
      throw new Error("the image with tk's files could not be built");
    return image;
  }
}
