// What keeps docker from being run, as facts; sentence, hint and status are derived from them. What keeps an image from being
// wrapped is no error: it is said, and docker runs as if tk were not there.
import { Data } from "effect";
import { errnoText } from "../host/errno.ts";

export type ContainerReason =
  /** `configured` is empty when docker was looked for in PATH. */
  | { readonly _tag: "DockerMissing"; readonly configured: string }
  | { readonly _tag: "DockerRefused"; readonly docker: string; readonly errno: number };

const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

export class ContainerError extends Data.TaggedError("ContainerError")<{ readonly reason: ContainerReason }> {
  override get message(): string {
    const { reason } = this;
    if (reason._tag === "DockerRefused") return `Cannot run '${reason.docker}': ${errnoText(reason.errno)}`;
    if (reason.configured !== "") return `Cannot run docker: docker_exe is '${reason.configured}', which is no program`;
    return "Cannot run docker: there is no docker in PATH besides tk itself";
  }

  /** What to do; empty when there is nothing to say. */
  get hint(): string {
    return this.reason._tag === "DockerMissing"
      ? "install docker, or set docker_exe in a configuration to the program to use, such as podman"
      : "";
  }

  get exitStatus(): number {
    return this.reason._tag === "DockerMissing" ? NOT_FOUND : NOT_EXECUTABLE;
  }
}
