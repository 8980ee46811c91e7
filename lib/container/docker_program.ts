// The real docker: finding it, asking it, running it in the foreground, becoming it. tk may be installed under the name
// `docker`, so it never takes itself for it.
import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { join, resolve } from "node:path";
import { candidates } from "../capture/launch/command.ts";
import { learnInherited } from "../capture/launch/inherited.ts";
import { takePlace } from "../exec/take_place.ts";
import { NoKernel } from "../host/kernel.ts";
import { ownLastArguments, readText } from "../host/proc.ts";
import { absolute, type Environment } from "../settings/places.ts";
import { ContainerError } from "./container_error.ts";

const encoder = new TextEncoder();

/** The file to run. `configured` is docker_exe: a path, or empty for the first in PATH. */
export function findDocker(configured: string, environment: Environment): string {
  const own = identityOf(process.execPath);
  const isDocker = (path: string) => isProgram(path) && identityOf(path) !== own;
  if (configured !== "") {
    const path = absolute(configured, process.cwd(), environment);
    if (isDocker(path)) return path;
    throw new ContainerError({ reason: { _tag: "DockerMissing", configured } });
  }
  const search = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
  for (const folder of search.split(":")) {
    const path = resolve(join(folder === "" ? "." : folder, "docker"));
    if (isDocker(path)) return path;
  }
  throw new ContainerError({ reason: { _tag: "DockerMissing", configured: "" } });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function identityOf(path: string): string {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return path;
  }
}

const ASK_LIMIT_MS = 30_000;
const ASK_LIMIT_BYTES = 4 << 20;

/** What docker writes to its standard output; undefined when it fails, takes too long or writes too much. */
export function askDocker(docker: string, words: readonly string[]): Promise<string | undefined> {
  return new Promise((done) => {
    const child = spawn(docker, words, { stdio: ["ignore", "pipe", "ignore"] });
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => child.kill("SIGKILL"), ASK_LIMIT_MS);
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > ASK_LIMIT_BYTES) child.kill("SIGKILL");
      else chunks.push(chunk);
    });
    child.on("error", () => {
      clearTimeout(timer);
      done(undefined);
    });
    child.on("close", (status) => {
      clearTimeout(timer);
      done(status === 0 ? Buffer.concat(chunks).toString("utf8") : undefined);
    });
  });
}

/** How docker ended. */
export interface Ended {
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** tk was asked to end meanwhile. */
  readonly interrupted: NodeJS.Signals | undefined;
}

const FORWARDED: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT"];
const FROM_KEYBOARD: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];
const ASKS_TO_END: ReadonlySet<string> = new Set(["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"]);

/** Runs docker on our terminal and waits for it. What asks tk to end goes on to docker, and tk waits until that has ended. */
export function runDocker(
  docker: string,
  words: readonly string[],
  stdin: "inherit" | "ignore" | number,
): Promise<Ended> {
  return new Promise((done, fail) => {
    const child = spawn(docker, words, { stdio: [stdin, "inherit", "inherit"] });
    let interrupted: NodeJS.Signals | undefined;
    const listeners = [...FORWARDED, ...FROM_KEYBOARD].map((name) => {
      const listener = () => {
        if (ASKS_TO_END.has(name)) interrupted ??= name;
        // The terminal tells its whole foreground group: docker has got it already.
        if (!(FROM_KEYBOARD.includes(name) && isForeground())) child.kill(name);
      };
      process.on(name, listener);
      return () => process.off(name, listener);
    });
    const release = () => listeners.forEach((off) => off());
    child.on("error", (error) => {
      release();
      fail(error);
    });
    child.on("close", (status, signal) => {
      release();
      done({ status: status ?? undefined, signal: signal ?? undefined, interrupted });
    });
  });
}

/** Whether our process group is the one that the terminal's keys reach. */
function isForeground(): boolean {
  const stat = readText("/proc/self/stat") ?? "";
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [, , pgrp, , , tpgid] = fields;
  return pgrp !== undefined && pgrp === tpgid;
}

/** As a shell would say it. */
export function statusOf(ended: Ended): number {
  if (ended.status !== undefined) return ended.status;
  return 128 + (ended.signal === undefined ? 0 : (osConstants.signals[ended.signal] ?? 0));
}

/**
 * tk turns into docker with these words, which are the last ones of its own command line. Comes back with how docker ended
 * where a process cannot turn into another.
 */
export async function becomeDocker(docker: string, words: readonly string[]): Promise<Ended> {
  const args = words.length === 0 ? [] : (ownLastArguments(words.length) ?? words.map((word) => encoder.encode(word)));
  try {
    const inherited = learnInherited();
    const file = encoder.encode(docker);
    const attempts = candidates(file, []).map((path) => ({ file: path, name: encoder.encode("docker") }));
    const errno = takePlace({ program: { attempts, args, environment: inherited.environment }, inherited });
    throw new ContainerError({ reason: { _tag: "DockerRefused", docker, errno } });
  } catch (error) {
    if (!(error instanceof NoKernel)) throw error;
    return runDocker(docker, words, "inherit");
  }
}
