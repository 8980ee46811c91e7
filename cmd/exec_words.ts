// The words of `tk exec`, which end where the program's begin. Pure.
//
//   tk exec -- X args            tk exec X args             everything from X on is the program's
//   tk exec --exec-command-name=X --heartbeat args          flags of exec may follow the name, up to the first other word
//   tk exec --exec-command-name=ls -la                      -la is no flag of exec: the program's
//
// Single letters and words that many programs know (--verbose, --help, --output) are tk's only before the name.
import { err, ok, type Result } from "neverthrow";
import { nearest } from "../lib/base/nearest.ts";
import type { Override } from "../lib/config/configuration.ts";

export interface ExecWords {
  /** From --exec-command-name: which word, and from which character of it on. */
  readonly name: { readonly word: number; readonly from: number } | undefined;
  /** The first word of the program's; the number of words when there is none. */
  readonly args: number;
  readonly overrides: readonly Override[];
  readonly configFile: string | undefined;
  readonly useEmbedded: boolean;
  readonly useExternal: boolean;
  readonly enableReports: readonly string[];
  readonly disableReports: readonly string[];
  readonly output: string | undefined;
  readonly format: "json" | "ndjson" | undefined;
  readonly help: boolean;
  readonly debug: boolean;
  readonly showTime: boolean;
  /** `--name=value` of every flag, for the report. */
  readonly flags: readonly string[];
}

/** One sentence. */
export type WordsError = string;

interface Spec {
  /** Takes a value. */
  readonly valued: boolean;
  /** May follow --exec-command-name. */
  readonly afterName: boolean;
  readonly set: (draft: Draft, value: string) => string | undefined;
}

interface Draft {
  overrides: Override[];
  configFile: string | undefined;
  useEmbedded: boolean;
  useExternal: boolean;
  enableReports: string[];
  disableReports: string[];
  output: string | undefined;
  format: "json" | "ndjson" | undefined;
  help: boolean;
  debug: boolean;
  showTime: boolean;
}

const NAME_FLAG = "--exec-command-name";

const override = (draft: Draft, path: string, value: Override["value"]): undefined => {
  draft.overrides.push({ path, value });
  return undefined;
};

const flags = new Map<string, Spec>();

function valued(names: string, afterName: boolean, set: Spec["set"]): void {
  for (const name of names.split(" ")) flags.set(name, { valued: true, afterName, set });
}

/** `--name` and `--no-name`. */
function toggle(names: string, afterName: boolean, set: (draft: Draft, on: boolean) => undefined): void {
  for (const name of names.split(" ")) {
    flags.set(`--${name}`, { valued: false, afterName, set: (draft) => set(draft, true) });
    flags.set(`--no-${name}`, { valued: false, afterName, set: (draft) => set(draft, false) });
  }
}

function plain(names: string, afterName: boolean, set: (draft: Draft, name: string) => undefined): void {
  for (const name of names.split(" "))
    flags.set(name, { valued: false, afterName, set: (draft) => set(draft, name.replace(/^--/, "")) });
}

const setting = (path: string) => (draft: Draft, on: boolean) => override(draft, path, on);

toggle("chalk-as-parent as-parent pg13 pg-13", true, setting("exec.chalk_as_parent"));
toggle("heartbeat", true, setting("exec.heartbeat.run"));
valued("--heartbeat-rate", true, (draft, value) =>
  override(draft, "exec.heartbeat.rate", /^\d+$/.test(value) ? `${value} seconds` : value),
);
valued("--report-template", true, (draft, value) => override(draft, "outconf.exec.report_template", value));
toggle("env-vars", true, setting("env_vars"));
valued("--report-cache-file", true, (draft, value) => override(draft, "report_cache_location", value));
toggle("use-report-cache", true, setting("use_report_cache"));
toggle("skip-command-report", true, setting("skip_command_report"));
toggle("skip-custom-reports", true, setting("skip_custom_reports"));
toggle("skip-summary-report", true, setting("skip_summary_report"));
toggle("use-embedded-config", true, (draft, on) => void (draft.useEmbedded = on));
toggle("use-external-config", true, (draft, on) => void (draft.useExternal = on));
valued("--config-file", true, (draft, value) => void (draft.configFile = value));
valued("--enable-report", true, (draft, value) => void draft.enableReports.push(...value.split(",")));
valued("--disable-report", true, (draft, value) => void draft.disableReports.push(...value.split(",")));
valued("--log-level", true, (draft, value) => override(draft, "log_level", value));
valued("-f", false, (draft, value) => void (draft.configFile = value));
valued("-l", false, (draft, value) => override(draft, "log_level", value));
valued("-o --output", false, (draft, value) => void (draft.output = value));
valued("--format", false, (draft, value) => {
  if (value !== "json" && value !== "ndjson") return `--format is '${value}', expected json or ndjson`;
  draft.format = value;
  return undefined;
});
valued("--log-format", false, (draft, value) => override(draft, "log_format", value));
plain("--trace --verbose --info --warn --error --none", false, (draft, level) => override(draft, "log_level", level));
plain("-h --help", false, (draft) => void (draft.help = true));
toggle("debug", false, (draft, on) => void (draft.debug = on));
plain("--time", false, (draft) => void (draft.showTime = true));
// What the original has and `tk exec` has no use for is taken and changes nothing.
const nothing = () => undefined;
toggle("color run-sbom-tools run-sast-tools wrap pager virtual dry-run", false, nothing);
plain("-c -C -v -V --skip --clobber --copy --ignore --follow", false, nothing);
valued("--chalk-symlink-behavior --scan-symlink-behavior", false, nothing);

/** `--flag=value` and `--flag:value` as two; without a value the second is undefined. */
function split(word: string): readonly [name: string, value: string | undefined] {
  const m = /^(-[flo]|--[A-Za-z][\w-]*)[=:]([^]*)$/.exec(word) ?? /^(-[flo])([^]+)$/.exec(word);
  return m === null ? [word, undefined] : [m[1]!, m[2]!];
}

/** `words`: everything after tk itself, the verb taken out. */
export function parseExecWords(words: readonly string[]): Result<ExecWords, WordsError> {
  const draft: Draft = {
    overrides: [],
    configFile: undefined,
    useEmbedded: true,
    useExternal: true,
    enableReports: [],
    disableReports: [],
    output: undefined,
    format: undefined,
    help: false,
    debug: false,
    showTime: false,
  };
  const given: string[] = [];
  let name: ExecWords["name"];
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") {
      at++;
      break;
    }
    if (!word.startsWith("-") || word === "-") break;
    const [flag, joined] = split(word);
    if (flag === NAME_FLAG && name === undefined) {
      // The value may be empty, and then it is the next word.
      const inNext = joined === undefined || joined === "";
      if (inNext && at + 1 >= words.length) return err(`${NAME_FLAG} needs the name of a program`);
      name = inNext ? { word: ++at, from: 0 } : { word: at, from: flag.length + 1 };
      given.push(`${flag}=${words[at]!.slice(name.from)}`);
      continue;
    }
    const spec = flags.get(flag);
    if (spec === undefined || (name !== undefined && !spec.afterName)) {
      // Behind the name it is the program's; before it nobody can say whose it is.
      if (name !== undefined) break;
      return err(unknownFlag(flag));
    }
    if (!spec.valued && joined !== undefined && joined !== "true") return err(`${flag} takes no value`);
    let value = joined ?? "true";
    if (spec.valued && (joined === undefined || joined === "")) {
      if (at + 1 >= words.length) return err(`${flag} needs a value`);
      value = words[++at]!;
    }
    const wrong = spec.set(draft, value);
    if (wrong !== undefined) return err(wrong);
    given.push(`${flag}=${value}`);
  }
  return ok({ ...draft, name, args: at, flags: given });
}

function unknownFlag(flag: string): string {
  const close = nearest(flag, [...flags.keys(), NAME_FLAG]);
  const hint = close.length > 0 ? `; did you mean ${close.join(" or ")}?` : "";
  return `Unknown option '${flag}' of tk exec${hint}. The program's own options stand behind its name`;
}
