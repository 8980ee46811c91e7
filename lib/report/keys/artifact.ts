// The file behind the program, and what its chalk mark is worth. The mark's own keys are added by build.ts.
import type { Json } from "../../base/json_value.ts";
import type { FactName, Facts } from "../facts/facts.ts";
import type { ReportContext, ReportKey } from "../key.ts";

const SINCE = "0.1.0";

function key(
  id: string,
  type: string,
  facts: readonly FactName[],
  doc: string,
  source: string,
  compute: (c: ReportContext) => Json | undefined,
  more: Partial<ReportKey> = {},
): ReportKey {
  return { id, level: "artifact", type, since: SINCE, doc, source, on: true, facts, compute, ...more };
}

const CONTAINER: readonly FactName[] = ["mounts", "cgroup"];

/** Docker and its relatives mount three files from a folder that is named after the container. */
export function containerId(facts: Facts): string | undefined {
  for (const mount of facts.mounts ?? []) {
    const id = /\/containers\/([0-9a-f]{64})\//.exec(mount.root + "/")?.[1];
    if (id !== undefined) return id;
  }
  for (const line of facts.cgroup?.lines ?? []) {
    const id = /(?:docker|kubepods|libpod|containerd)\b.*?([0-9a-f]{64})(?:\.scope)?(?:\/|$)/.exec(line)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

export const artifactKeys: readonly ReportKey[] = [
  key(
    "_OP_ARTIFACT_PATH",
    "string",
    [],
    "Absolute path of the artifact: the executable, a marked script, or `/chalk.json` of an image.",
    "/proc/PID/exe, the command line",
    (c) => c.artifact?.path,
    { differs: "a script that carries a mark is found too; the original sees only its interpreter" },
  ),
  key(
    "_OP_ARTIFACT_TYPE",
    "string",
    CONTAINER,
    "`ELF`, a language such as `sh` or `python`, `ZIP`, `JAR`, `Python Bytecode`, `Docker Container`, `Docker Image`.",
    "the file's first bytes; /proc/PID/mountinfo and cgroup for containers",
    (c) => {
      if (c.artifact?.place !== "image") return c.artifact?.type;
      return containerId(c.facts) === undefined ? "Docker Image" : "Docker Container";
    },
  ),
  key(
    "_INSTANCE_CONTAINER_ID",
    "string",
    CONTAINER,
    "Id of the container that the program runs in, 64 hex digits.",
    "/proc/PID/mountinfo, /proc/PID/cgroup",
    (c) => containerId(c.facts),
  ),
  key(
    "_CURRENT_HASH",
    "string",
    [],
    "SHA-256 of the artifact's file as it is now, lower-case hex.",
    "the file",
    (c) => c.artifact?.hash,
  ),
  key(
    "_VALIDATED_METADATA",
    "bool",
    [],
    "Marked artifacts only: whether METADATA_ID recomputes from the mark, and CHALK_ID from its HASH. Absent when the mark holds " +
      "values for which the rule is not known.",
    "the mark",
    (c) => (c.artifact?.mark === undefined ? undefined : c.artifact.validated),
    { differs: "CHALK_ID is recomputed from the mark's HASH, not from the file without its mark" },
  ),
  key(
    "_ERR_INFO",
    "list[string]",
    [],
    "What was wrong with a mark that was found.",
    "the mark",
    (c) => c.artifact?.problems,
  ),
];
