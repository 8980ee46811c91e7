// What a message goes through on its way to a sink, as pure functions from text to text. Reports are JSON and stay JSON
// unless a filter says otherwise by its name; the filters of log messages leave reports alone.
import { jsonText, type Json } from "../base/json_value.ts";
import { displayWidth } from "../base/text.ts";
import { LOG_LEVELS, type LogLevel } from "../config/settings.ts";

export interface FilterContext {
  readonly topic: string;
  /** Undefined for a report: it has no level. */
  readonly level: LogLevel | undefined;
  /** From which level on log messages pass. */
  readonly threshold: LogLevel;
  /** Columns of a line of log messages. */
  readonly width: number;
  readonly unixSeconds: number;
}

/** Undefined: the message ends here. */
type Filter = (text: string, context: FilterContext) => string | undefined;

const TITLE = "tk report";
const SECTION = "tk_report";

function withoutLastNewline(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function prettyJson(text: string): string {
  try {
    return jsonText(JSON.parse(text) as Json, 2);
  } catch {
    return text; // Plain text, or made by a filter before this one.
  }
}

const PREFIXES: Readonly<Record<LogLevel, string>> = {
  error: "error: ",
  warn: "warn:  ",
  info: "info:  ",
  verbose: "verbose: ",
  trace: "trace: ",
  none: "",
};

/** Lines of at most `width` columns, broken at blanks; what follows a break is indented by two. */
function wrapLine(line: string, width: number): string {
  if (displayWidth(line) <= width) return line;
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(/(?<=\S) +/)) {
    if (current.trim() !== "" && displayWidth(current) + 1 + displayWidth(word) > width) {
      lines.push(current);
      current = `  ${word}`;
    } else current = current === "" ? word : `${current} ${word}`;
  }
  return [...lines, current].join("\n");
}

const FILTER: Readonly<Record<string, Filter>> = {
  pretty_json: prettyJson,
  fix_new_line: (text) => (text.endsWith("\n") ? text : `${text}\n`),
  log_level: (text, { level, threshold }) =>
    level === undefined || LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(threshold) ? text : undefined,
  log_prefix: (text, { level }) => (level === undefined ? text : PREFIXES[level] + text),
  wrap: (text, { level, width }) =>
    level === undefined
      ? text
      : text
          .split("\n")
          .map((line) => wrapLine(line, width))
          .join("\n"),
  // https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
  github_log_group: (text) => `::group::${TITLE}\n${withoutLastNewline(text)}\n::endgroup::`,
  // https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
  gitlab_log_section: (text, { unixSeconds }) =>
    `\x1b[0Ksection_start:${unixSeconds}:${SECTION}[collapsed=true]\r\x1b[0K${TITLE}\n` +
    `${withoutLastNewline(text)}\n\x1b[0Ksection_end:${unixSeconds}:${SECTION}\r\x1b[0K`,
  add_topic: (text, { topic }) =>
    `[[start ${topic}]]\n${withoutLastNewline(text).replaceAll(/^/gm, "  ")}\n[[end ${topic}]]`,
};

/** The names that configurations may use. */
export const FILTER_NAMES: readonly string[] = Object.keys(FILTER);

/** The text behind all filters, in their order; undefined when one of them ended it. Unknown names change nothing. */
export function applyFilters(text: string, names: readonly string[], context: FilterContext): string | undefined {
  let current: string | undefined = text;
  for (const name of names) {
    if (current === undefined) return undefined;
    const filter = Object.hasOwn(FILTER, name) ? FILTER[name] : undefined;
    if (filter !== undefined) current = filter(current, context);
  }
  return current;
}
