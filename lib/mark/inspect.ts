// Decides which file stands for a program and looks at it: `/chalk.json` of a container before everything, then a script that
// carries a mark, then the executable. What has been looked at is remembered until the file changes, for heartbeats.
import type { Artifact, ChalkMark } from "./artifact.ts";
import { MarkFile } from "./file.ts";
import { findMark, imageMark, type Found } from "./find_mark.ts";
import { validateMark } from "./identity.ts";
import { plainJson, type MarkObject } from "./mark_json.ts";

export interface Subject {
  /** Files to try in turn for `/chalk.json`: the program's own view of it first. */
  readonly imageMarks: readonly string[];
  /** The file that was asked for, if it is not the executable itself. */
  readonly script?: string | undefined;
  /** The executable's path, for people. */
  readonly executable?: string | undefined;
  /** Where the executable can be read, in turn: `/proc/PID/exe` works for a deleted file too. */
  readonly executableFiles: readonly string[];
  readonly wantsHash: boolean;
}

function plainMark(mark: MarkObject): ChalkMark {
  return new Map([...mark].map(([name, value]) => [name, plainJson(value)]));
}

interface Remembered {
  readonly version: string;
  artifact: Artifact;
}

export class Inspector {
  private readonly seen = new Map<string, Remembered>();

  /** Undefined when no file could be found at all. */
  async inspect(subject: Subject): Promise<Artifact | undefined> {
    for (const path of subject.imageMarks) {
      const image = await this.look(path, "/chalk.json", "image", subject.wantsHash);
      if (image !== undefined) return image;
    }
    if (subject.script !== undefined) {
      const script = await this.look(subject.script, subject.script, "file", false);
      // An unmarked script is not reported: as the original does, the interpreter stands for the program then.
      if (script?.mark !== undefined)
        return subject.wantsHash ? await this.look(subject.script, subject.script, "file", true) : script;
    }
    const shown = subject.executable;
    if (shown === undefined) return undefined;
    for (const path of subject.executableFiles) {
      const artifact = await this.look(path, shown, "file", subject.wantsHash);
      if (artifact !== undefined) return artifact;
    }
    return {
      path: shown,
      place: "file",
      type: undefined,
      hash: undefined,
      mark: undefined,
      validated: undefined,
      problems: [],
    };
  }

  private async look(
    path: string,
    shown: string,
    place: Artifact["place"],
    wantsHash: boolean,
  ): Promise<Artifact | undefined> {
    const file = MarkFile.open(path);
    if (file === undefined) return undefined;
    try {
      const before = this.seen.get(shown);
      if (before?.version === file.version && (before.artifact.hash !== undefined || !wantsHash))
        return before.artifact;
      const known = before?.version === file.version ? before.artifact : describe(file, shown, place);
      const artifact = wantsHash ? { ...known, hash: await file.hash() } : known;
      this.seen.set(shown, { version: file.version, artifact });
      return artifact;
    } finally {
      file.close();
    }
  }
}

function describe(file: MarkFile, shown: string, place: Artifact["place"]): Artifact {
  const found: Found = place === "image" ? { type: undefined, ...imageMark(file) } : findMark(file, shown);
  const checked = found.mark === undefined ? undefined : validateMark(found.mark);
  return {
    path: shown,
    place,
    type: found.type,
    hash: undefined,
    mark: found.mark === undefined ? undefined : plainMark(found.mark),
    validated: checked?.valid,
    problems: [...found.problems, ...(checked?.problems ?? [])],
  };
}
