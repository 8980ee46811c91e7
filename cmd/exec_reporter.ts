// The other half of `tk exec`: the process that reports. Started by tk itself with the number of a descriptor, which holds
// everything that it needs to know; nobody types this.
import { printable } from "../lib/base/text.ts";
import type { LogLevel } from "../lib/config/settings.ts";
import { currentDirectory } from "../lib/exec/directory.ts";
import { isShown } from "../lib/exec/log.ts";
import { Messages } from "../lib/exec/messages.ts";
import { decodePlan, type Told } from "../lib/exec/plan.ts";
import { Reporter } from "../lib/exec/reporter.ts";
import { settingsFrom } from "../lib/exec/settings_text.ts";
import { absolute } from "../lib/settings/places.ts";
import { closeFile, readSmallFile } from "../lib/host/descriptors.ts";
import { openSinks } from "../lib/sink/fan_out.ts";
import { EXIT, say, tellBug } from "./exit.ts";
import type { ReporterRequest } from "./exec_run.ts";

/** Beside the reports of the default configuration. */
const MESSAGES = "~/.local/state/tk/messages.log";

export async function main(words: readonly string[]): Promise<void> {
  try {
    await report(words);
  } catch (error) {
    // The program runs on without reports.
    process.exitCode = tellBug(error);
  }
}

async function report(words: readonly string[]): Promise<void> {
  const told = readTold(words[1]);
  if (told === undefined) {
    say("tk: exec-reporter is what `tk exec` starts by itself; there is nothing to do here");
    process.exitCode = EXIT.usage;
    return;
  }
  const request = told.plan.request as ReporterRequest;
  const settings = request.settings === undefined ? await evaluatedAgain(request) : settingsFrom(request.settings);
  const threshold = settings.logLevel ?? "warn";
  const errors: string[] = [];
  const { programPid, stderr } = told.plan;
  const messages = new Messages({ pid: programPid, place: stderr, file: absolute(MESSAGES, "/", process.env) });
  const tell = (level: LogLevel, message: string) => {
    if (isShown(level, settings.reportedLogLevel)) errors.push(message);
    if (isShown(level, threshold)) messages.say(`tk: ${printable(message)}`);
  };
  const { logSearchPath } = settings;
  const directory = currentDirectory();
  // The program's file system may be unmounted while the reporter lives.
  process.chdir("/");
  const world = {
    directory,
    environment: process.env,
    logSearchPath,
    stdout: 1,
    stderr: 2,
    openLastPlace: () => messages.openPipe(),
    tell,
  };
  const sinks = openSinks(settings, world);
  await new Reporter({ told, settings, sinks, toTerminal: request.console !== undefined, tell, errors }).run();
}

async function evaluatedAgain({ words, console }: ReporterRequest) {
  const exec = await import("./exec_run.ts");
  if (words === undefined) throw new Error("the settings of the reports are missing");
  return exec.settingsFor(exec.loadFor(words).settings, words, console);
}

function readTold(word: string | undefined): Told | undefined {
  if (word === undefined || !/^\d{1,9}$/.test(word) || Number(word) < 3) return undefined;
  // By name and not by number: not every runtime takes numbers of descriptors that it has not opened itself.
  const file = readSmallFile(`/proc/self/fd/${word}`);
  if (file === undefined || file.length === 0) return undefined;
  closeFile(Number(word));
  try {
    return decodePlan(file);
  } catch {
    return undefined;
  }
}
