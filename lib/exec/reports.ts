// Which reports an operation makes, and on which topic each goes: the command's own, the one on the terminal, and those
// that the configuration defines. Whether their templates exist has been looked at when the configuration was read.
import { err, ok, type Result } from "neverthrow";
import { TERMINAL_REPORT, type Operation, type Settings } from "../config/settings.ts";
import { resolveTemplate, type EnabledKeys, type TemplateProblem } from "../report/template.ts";

export interface WantedReport {
  readonly topic: string;
  /** A template's name. */
  readonly template: string;
  /** Artifact keys appear only where the template enables `_CHALKS`. */
  readonly custom: boolean;
}

export interface PlannedReport {
  readonly topic: string;
  readonly keys: EnabledKeys;
  /** Artifact keys appear only where the template enables `_CHALKS`. */
  readonly custom: boolean;
}

/** The command's report, which -o gets as well. */
export const COMMAND_TOPIC = "report";

type ReportSettings = Pick<
  Settings,
  | "outconf"
  | "customReports"
  | "terminalReport"
  | "reportTemplates"
  | "userKeys"
  | "skipCommandReport"
  | "skipCustomReports"
  | "skipSummaryReport"
>;

const isFor = (useWhen: readonly string[], operation: Operation) =>
  useWhen.includes("*") || useWhen.includes(operation);

/** What an operation reports: topic and template. `toTerminal`: whether there is a terminal to show a report on. */
export function wantedReports(
  settings: ReportSettings,
  operation: Operation,
  toTerminal: boolean,
): readonly WantedReport[] {
  const { terminalReport } = settings;
  const own = settings.outconf[operation].reportTemplate;
  const wanted: WantedReport[] = [];
  if (!settings.skipCommandReport) wanted.push({ topic: COMMAND_TOPIC, template: own, custom: false });
  if (!settings.skipSummaryReport && toTerminal && terminalReport.enabled && isFor(terminalReport.useWhen, operation))
    wanted.push({ topic: TERMINAL_REPORT, template: terminalReport.reportTemplate || own, custom: false });
  if (!settings.skipCustomReports)
    for (const report of settings.customReports)
      if (report.enabled && isFor(report.useWhen, operation))
        wanted.push({ topic: report.name, template: report.reportTemplate, custom: true });
  return wanted;
}

/** The same with the templates looked up. */
export function planReports(
  settings: ReportSettings,
  operation: Operation,
  toTerminal: boolean,
): Result<readonly PlannedReport[], TemplateProblem> {
  const planned: PlannedReport[] = [];
  for (const { topic, template, custom } of wantedReports(settings, operation, toTerminal)) {
    const keys = resolveTemplate(template, settings);
    if (keys.isErr()) return err(keys.error);
    planned.push({ topic, keys: keys.value, custom });
  }
  return ok(planned);
}
