// How tk was called, by whom, and with which environment.
import { basename, dirname } from "node:path";
import { encodeBase64 } from "../../base/base64.ts";
import { isUtf8 } from "../../base/json_bytes.ts";
import { emptyObject, type Json } from "../../base/json_value.ts";
import { VERSION } from "../../base/version.ts";
import { lossy } from "../facts/proc_files.ts";
import type { KeySettings, ReportContext, ReportKey } from "../key.ts";

const SINCE = "0.1.0";

/** What stands for a value that must not be shown. */
const REDACTED = "<<redact>>";

function key(
  id: string,
  type: string,
  doc: string,
  source: string,
  compute: (c: ReportContext) => Json | undefined,
  more: Partial<ReportKey> = {},
): ReportKey {
  return { id, level: "host", type, since: SINCE, doc, source, on: true, facts: [], compute, ...more };
}

/** Never, redact, always, then the default action: the first that applies. */
function actionFor(name: string, env: KeySettings["env"]): "show" | "redact" | "ignore" {
  if (env.neverShow.includes(name)) return "ignore";
  if (env.redact.includes(name)) return "redact";
  if (env.alwaysShow.includes(name)) return "show";
  return env.defaultAction;
}

interface Variable {
  readonly entry: Uint8Array;
  readonly name: string;
  readonly value: string;
  readonly action: "show" | "redact";
}

/** The shown part of the environment. An entry without `=`, which only a program that writes its own can make, has no name. */
function shownEnvironment(c: ReportContext): readonly Variable[] | undefined {
  // What tk was started with comes first: programs such as daemons write over their own /proc/PID/environ.
  const entries = c.run.environment ?? c.facts.environ;
  return entries?.flatMap((entry) => {
    const equals = entry.indexOf(61, 1);
    if (equals < 0) return [];
    const name = lossy(entry.subarray(0, equals));
    const action = actionFor(name, c.settings.env);
    return action === "ignore" ? [] : [{ entry, name, value: lossy(entry.subarray(equals + 1)), action }];
  });
}

export const commandKeys: readonly ReportKey[] = [
  key(
    "_ARGV",
    "list[string]",
    "Positional words of the sub-command, what is left after flags. Only in the first report.",
    "tk's command line",
    (c) => (c.operation === "heartbeat" ? undefined : c.run.positional),
  ),
  key(
    "_OP_ARGV",
    "list[string]",
    "Absolute path of tk's binary followed by all words of its command line.",
    "tk's command line",
    (c) => [c.run.toolPath, ...c.run.words],
  ),
  key(
    "_OP_CMD_FLAGS",
    "list[string]",
    "The flags as they were understood, `--name=value` each. Only in the first report.",
    "tk's command line",
    (c) => (c.operation === "heartbeat" ? undefined : c.run.flags),
  ),
  key(
    "_OP_ANCESTOR_ARGVS",
    "list[list[string]]",
    "argv of tk's parent, of its parent, and so on; those that can be read.",
    "/proc/PID/stat, /proc/PID/cmdline of each",
    (c) => c.facts.ancestors?.map((argv) => argv.map(lossy)),
    { facts: ["ancestors"] },
  ),
  key("_OP_EXE_NAME", "string", "Base name of tk's binary.", "tk", (c) => basename(c.run.toolPath)),
  key("_OP_EXE_PATH", "string", "Directory of tk's binary.", "tk", (c) => dirname(c.run.toolPath)),
  key(
    "_OP_CONFIG",
    "string",
    "Text of the external configuration file, if one was used, with the keys and tokens that stand in it. Only in the first report.",
    "the configuration file",
    (c) => (c.operation === "heartbeat" ? undefined : c.run.configText),
    {
      on: false,
      // A collector must not get what another one is opened with, unless somebody asks for it.
      heavy: true,
      differs:
        "the external file's own text; the original stores the embedded configuration there. Off by default, and in `report_large`, because of the secrets in it",
    },
  ),
  key(
    "_ENV",
    "dict[string, string]",
    "Environment of the program, which is tk's own at its start, filtered: names in `env_never_show` are left out, those in " +
      "`env_redact` have the value `<<redact>>`, those in `env_always_show` are shown, all others by `env_default_action`. " +
      "Bytes that are not UTF-8 read as U+FFFD (`_TK_ENV_B64` has them); values are never cut.",
    "tk's environment at its start, else /proc/PID/environ",
    (c) => {
      const shown = shownEnvironment(c);
      if (shown === undefined) return undefined;
      const object = emptyObject<string>();
      for (const v of shown) object[v.name] = v.action === "show" ? v.value : REDACTED;
      return object;
    },
    { facts: ["environ"], keepEmpty: true },
  ),
  key(
    "_TK_ENV_B64",
    "list[string]",
    "`NAME=value` in base64 of every variable that `_ENV` shows and that is not UTF-8.",
    "as `_ENV`",
    (c) =>
      shownEnvironment(c)?.flatMap((v) => (v.action === "show" && !isUtf8(v.entry) ? [encodeBase64(v.entry)] : [])),
    { facts: ["environ"] },
  ),
  key("_OP_CHALKER_VERSION", "string", "Version of tk.", "tk", () => VERSION),
  key("_OP_CHALKER_COMMIT_ID", "string", "Commit that tk was built from, if known.", "tk", (c) => c.run.commitId),
  key(
    "_OP_ERRORS",
    "list[string]",
    "What went wrong so far, at or above `chalk_log_level`.",
    "tk's log",
    (c) => c.errors,
  ),
  key(
    "_CHALK_EXTERNAL_ACTION_AUDIT",
    "list[list[string]]",
    'Side effects of the configuration\'s own code, `["run", "ls"]`.',
    "tk",
    (c) => c.run.audit?.map(([kind, what]) => [kind, what]),
  ),
];
