// Report templates: which keys a report shows and in which order. The built-in ones are rules over the list of keys,
// so that a new key needs no second list; what a configuration says comes on top (lib/config/settings.ts).
import { err, ok, type Result } from "neverthrow";
import { nearest } from "../base/nearest.ts";
import type { Settings, TemplateSettings } from "../config/settings.ts";
import type { FactName } from "./facts/facts.ts";
import type { ReportKey } from "./key.ts";
import { isUserKeyName, keyById, knownKeys, reportKeys } from "./registry.ts";
import { MARK_KEYS } from "./foreign_keys.ts";
import { compareByOrder } from "./order.ts";

interface BuiltInTemplate {
  readonly doc: string;
  /** Mentions every key, on or off: a configuration's `key.X.order` alone then switches nothing on. */
  readonly complete: boolean;
  /** Keys that a configuration cannot switch off. */
  readonly locked: ReadonlySet<string>;
  readonly on: (id: string, key: ReportKey | undefined) => boolean;
}

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const isMark = (id: string) => !id.startsWith("_");

/** Mark keys that repeat the mark itself or are too large to be sent each time. */
const MARK_OFF = words("MAGIC SIGNING ERR_INFO FAILED_KEYS VCS_DIFF_PATCH PRE_CHALK_HASH DERIVED_FROM_CHALK_ID");

/** Mark keys that say on which machine and when the mark was made. */
const MARKING = words(`
  TIMESTAMP_WHEN_CHALKED DATETIME_WHEN_CHALKED DATE_CHALKED TIME_CHALKED TZ_OFFSET_WHEN_CHALKED CHALK_PTR
  PUBLIC_IPV4_ADDR_WHEN_CHALKED HOST_SYSNAME_WHEN_CHALKED HOST_NODENAME_WHEN_CHALKED HOST_RELEASE_WHEN_CHALKED
  HOST_VERSION_WHEN_CHALKED HOST_MACHINE_WHEN_CHALKED
`);

const onByDefault = (id: string, key: ReportKey | undefined) =>
  key !== undefined ? key.on : isMark(id) && !id.startsWith("$") && !MARK_OFF.has(id);

const TERMINAL_MARK = `
  CHALK_ID CHALK_VERSION PATH_WHEN_CHALKED ARTIFACT_TYPE ORIGIN_URI BRANCH TAG TAG_SIGNED COMMIT_ID COMMIT_SIGNED AUTHOR
  DATE_AUTHORED COMMITTER DATE_COMMITTED COMMIT_MESSAGE TAGGER DATE_TAGGED TAG_MESSAGE EMBEDDED_CHALK DOCKER_FILE
  DOCKER_FILE_CHALKED DOCKERFILE_PATH DOCKERFILE_PATH_WITHIN_VCTL DOCKER_PLATFORM DOCKER_PLATFORMS DOCKER_LABELS
  DOCKER_ANNOTATIONS DOCKER_TAGS DOCKER_BASE_IMAGE_METADATA_ID DOCKER_BASE_IMAGE_CHALK DOCKER_BASE_IMAGE
  DOCKER_BASE_IMAGE_REGISTRY DOCKER_BASE_IMAGE_NAME METADATA_ID SIGNATURE DOCKER_BUILD_CONTEXT_SNAPSHOTS
`;

const TERMINAL_HOST = `
  _OPERATION _DATETIME _CHALKS _OP_ARGV _OP_ANCESTOR_ARGVS _OP_CHALKER_VERSION _OP_CHALK_COUNT _OP_UNMARKED_COUNT
  _OP_ERRORS _ENV
`;

function listed(doc: string, keys: string, locked = ""): BuiltInTemplate {
  const on = words(keys);
  return { doc, complete: false, locked: locked === "" ? new Set() : words(locked), on: (id) => on.has(id) };
}

const NOT_LOCKED: ReadonlySet<string> = new Set();

/** What a heartbeat always says. */
const HEARTBEAT_LOCKED = "METADATA_ID CHALK_ID _CHALKS _OPERATION _TIMESTAMP _DATETIME _ACTION_ID _EXEC_ID";

export const BUILT_IN_TEMPLATES: ReadonlyMap<string, BuiltInTemplate> = new Map<string, BuiltInTemplate>([
  ["null", listed("Nothing.", "")],
  ["report_all", { doc: "Every key.", complete: true, locked: NOT_LOCKED, on: (id) => !id.startsWith("$") }],
  [
    "report_large",
    {
      doc: "Every key but the very large ones.",
      complete: true,
      locked: NOT_LOCKED,
      on: (id, key) => (key !== undefined ? key.heavy !== true : !id.startsWith("$") && !MARK_OFF.has(id)),
    },
  ],
  [
    "report_default",
    {
      doc: "What is useful in most reports: no network tables, no list of all processes.",
      complete: true,
      locked: NOT_LOCKED,
      on: onByDefault,
    },
  ],
  [
    "insertion_default",
    {
      doc: "As report_default, for operations that make or install something.",
      complete: true,
      locked: NOT_LOCKED,
      on: (id, key) => onByDefault(id, key) && !MARKING.has(id),
    },
  ],
  [
    "heartbeat",
    listed(
      "Small on purpose, because it is sent again and again: identity, time, and what the program uses.",
      `${HEARTBEAT_LOCKED} _HEARTBEAT_COUNT _TK_CPU_SINCE_LAST_NS _TK_RSS_BYTES _TK_THREADS _TK_FDS _TK_CHILDREN
       _TK_IO_READ_BYTES _TK_IO_WRITTEN_BYTES`,
      HEARTBEAT_LOCKED,
    ),
  ],
  [
    "terminal_rest",
    listed(
      "What fits a terminal; nothing of the process.",
      `${TERMINAL_HOST} ${TERMINAL_MARK} _ERR_INFO _CURRENT_HASH _OP_ARTIFACT_TYPE _OP_ARTIFACT_PATH _INSTANCE_CONTAINER_ID
       DOCKER_BASE_IMAGE_REPO DOCKER_BASE_IMAGE_TAG DOCKER_BASE_IMAGE_DIGEST DOCKER_BASE_IMAGE_CONFIG_DIGEST
       DOCKER_BASE_IMAGES DOCKER_COPY_IMAGES OLD_CHALK_METADATA_HASH OLD_CHALK_METADATA_ID`,
    ),
  ],
  [
    "terminal_insert",
    listed(
      "What fits a terminal, for operations that make or install something.",
      `${TERMINAL_HOST} ${TERMINAL_MARK} _ACTION_ID PRE_CHALK_HASH _ERR_INFO _CURRENT_HASH`,
    ),
  ],
  [
    "usage",
    listed(
      "Counts and versions only.",
      "_OPERATION _TIMESTAMP _OP_CHALK_COUNT _OP_CHALKER_COMMIT_ID _OP_CHALKER_VERSION _OP_PLATFORM",
    ),
  ],
  [
    "audit",
    listed(
      "Who did what with which configuration.",
      `_OPERATION _ACTION_ID _TIMESTAMP _DATETIME _OP_CHALK_COUNT _OP_CMD_FLAGS _OP_CONFIG _CHALK_EXTERNAL_ACTION_AUDIT`,
    ),
  ],
  [
    "unknown_docker",
    listed(
      "For docker commands that are only passed on.",
      `_OPERATION _ACTION_ID _EXEC_ID _DATETIME _ARGV _OP_CHALKER_COMMIT_ID _OP_CHALKER_VERSION _OP_PLATFORM
       _OP_HOST_SYSNAME _OP_HOST_NODENAME _OP_HOST_RELEASE _OP_HOST_VERSION _OP_HOST_MACHINE`,
    ),
  ],
]);

/** A template that is ready for use. */
export interface EnabledKeys {
  readonly template: string;
  /** In the order of the report. */
  readonly host: readonly ReportKey[];
  readonly artifact: readonly ReportKey[];
  /** Keys of a chalk mark that are shown, known ones and a mark maker's own (`X_...`). */
  readonly showsMarkKey: (id: string) => boolean;
  /** Keys that the configuration declares and this template shows. */
  readonly userKeys: readonly string[];
  /** Whether the template shows a key by this name, known or not. */
  readonly shows: (id: string) => boolean;
  /** Order numbers that the template gives. */
  readonly order: ReadonlyMap<string, number>;
  /** What has to be collected. */
  readonly facts: ReadonlySet<FactName>;
}

export type TemplateProblem =
  | { readonly _tag: "UnknownTemplate"; readonly template: string; readonly nearest: readonly string[] }
  | {
      readonly _tag: "UnknownKey";
      readonly template: string;
      readonly key: string;
      readonly nearest: readonly string[];
    };

export function templateProblemText(p: TemplateProblem): string {
  const hint = p.nearest.length > 0 ? `; did you mean ${p.nearest.map((n) => `'${n}'`).join(" or ")}?` : "";
  return p._tag === "UnknownTemplate"
    ? `There is no report template '${p.template}'${hint}`
    : `Report template '${p.template}' contains a key: '${p.key}', which does not exist${hint}`;
}

type Additions = Settings["reportTemplates"];
type Declared = ReadonlySet<string>;

/** What a template says about keys: its rule, then each mention in turn. */
interface Mentions {
  readonly use: Map<string, boolean>;
  readonly order: Map<string, number>;
}

function unknownKey(added: TemplateSettings, declared: Declared): TemplateProblem | undefined {
  for (const key of added.keys.keys())
    if (!knownKeys().has(key) && !declared.has(key) && !isUserKeyName(key))
      return { _tag: "UnknownKey", template: added.name, key, nearest: nearest(key, [...knownKeys()]) };
  return undefined;
}

function mentions(
  name: string,
  additions: Additions,
  declared: Declared,
  seen: ReadonlySet<string>,
): Result<Mentions, TemplateProblem> {
  const builtIn = BUILT_IN_TEMPLATES.get(name);
  const added = additions.get(name);
  if (builtIn === undefined && added === undefined)
    return err({
      _tag: "UnknownTemplate",
      template: name,
      nearest: nearest(name, [...BUILT_IN_TEMPLATES.keys(), ...additions.keys()]),
    });
  const use = new Map<string, boolean>();
  const order = new Map<string, number>();
  if (builtIn !== undefined)
    for (const id of [...knownKeys(), ...declared]) {
      const on = builtIn.on(id, keyById(id));
      if (on || builtIn.complete) use.set(id, on);
    }
  if (added === undefined) return ok({ use, order });
  const unknown = unknownKey(added, declared);
  if (unknown !== undefined) return err(unknown);
  for (const [id, setting] of added.keys) {
    if (builtIn?.locked.has(id) !== true) use.set(id, setting.use ?? use.get(id) ?? true);
    if (setting.order !== undefined) order.set(id, setting.order);
  }
  const path = new Set(seen).add(name);
  for (const from of added.copiesFrom) {
    if (path.has(from)) continue;
    const copied = mentions(from, additions, declared, path);
    if (copied.isErr()) return err(copied.error);
    for (const [id, on] of copied.value.use) if (!use.has(id)) use.set(id, on);
    for (const [id, n] of copied.value.order) if (!order.has(id)) order.set(id, n);
  }
  return ok({ use, order });
}

/** The keys of a template, in order; the empty name is the template `null`. */
export function resolveTemplate(
  name: string,
  settings: Pick<Settings, "reportTemplates" | "userKeys">,
): Result<EnabledKeys, TemplateProblem> {
  const template = name === "" ? "null" : name;
  const declared = new Set(settings.userKeys.keys());
  return mentions(template, settings.reportTemplates, declared, new Set()).map(({ use, order }) => {
    // Every report says what it is: the original leaves `_OPERATION` to the template, its own guide expects it always.
    if (!use.has("_OPERATION")) use.set("_OPERATION", true);
    const keys = reportKeys.filter((key) => use.get(key.id) === true).sort((a, b) => compareByOrder(a.id, b.id, order));
    const complete = BUILT_IN_TEMPLATES.get(template)?.complete === true;
    const known = new Set(MARK_KEYS);
    const facts = new Set<FactName>(["stat"]);
    for (const key of keys) for (const fact of key.facts) facts.add(fact);
    return {
      template,
      host: keys.filter((key) => key.level === "host"),
      artifact: keys.filter((key) => key.level === "artifact"),
      showsMarkKey: (id) => use.get(id) ?? (complete && !known.has(id) && /^X_[A-Z0-9_]+$/.test(id)),
      userKeys: [...declared].filter((id) => use.get(id) === true),
      shows: (id) => use.get(id) === true,
      order,
      facts,
    };
  });
}

/** Facts that any of several templates needs. */
export function factsOf(...templates: readonly EnabledKeys[]): ReadonlySet<FactName> {
  const all = new Set<FactName>();
  for (const t of templates) for (const f of t.facts) all.add(f);
  return all;
}
