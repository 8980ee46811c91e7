// Why a directory cannot be read as a trackexec log at all. What is wrong inside one is a Problem.
import { Data } from "effect";
import { errorCode, errorWords } from "../host/out.ts";

export type TrackexecReason =
  | { readonly _tag: "NotFound" }
  | { readonly _tag: "NotADirectory" }
  | { readonly _tag: "NotPermitted"; readonly file: string }
  /** There is nothing of a log in it; `logs` are folders inside that are logs. */
  | { readonly _tag: "NotALog"; readonly logs: readonly string[] }
  | { readonly _tag: "NoSuchFile"; readonly file: number; readonly known: readonly string[] }
  /** The system's own words. */
  | { readonly _tag: "System"; readonly file: string; readonly words: string };

export class TrackexecError extends Data.TaggedError("TrackexecError")<{
  /** The directory as the user named it. */
  readonly dir: string;
  readonly reason: TrackexecReason;
}> {
  override get message(): string {
    const { dir, reason } = this;
    switch (reason._tag) {
      case "NotFound":
        return `Cannot open '${dir}': there is no such directory`;
      case "NotADirectory":
        return `Cannot read '${dir}': it is not a directory`;
      case "NotPermitted":
        return `Cannot open '${reason.file}': permission denied`;
      case "NotALog":
        return `Cannot read '${dir}': it is a directory without a log_index, expected a trackexec log`;
      case "NoSuchFile":
        return `File id ${reason.file} is not in '${dir}': no line of it was executed`;
      case "System":
        return `Cannot read '${reason.file}': ${reason.words}`;
    }
  }

  get hint(): string | undefined {
    const { dir, reason } = this;
    if (reason._tag === "NotALog" && reason.logs.length > 0)
      return `there are logs inside it, such as ${reason.logs.map((log) => `${dir.replace(/\/+$/, "")}/${log}`).join(", ")}`;
    if (reason._tag === "NoSuchFile" && reason.known.length > 0) return `there are ${reason.known.join(", ")}`;
    return undefined;
  }
}

/** The same for what a call of node's `fs` threw on `file`. */
export function trackexecError(dir: string, file: string, cause: unknown): TrackexecError {
  const code = errorCode(cause);
  if (code === "") throw cause;
  if (file === dir && code === "ENOENT") return new TrackexecError({ dir, reason: { _tag: "NotFound" } });
  if (code === "ENOTDIR") return new TrackexecError({ dir, reason: { _tag: "NotADirectory" } });
  if (code === "EACCES" || code === "EPERM") return new TrackexecError({ dir, reason: { _tag: "NotPermitted", file } });
  return new TrackexecError({ dir, reason: { _tag: "System", file, words: errorWords(cause) } });
}
