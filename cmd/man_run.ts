// Turns the help description of a verb into a page of man(7).
import { Effect, Option } from "effect";
import type { HelpDoc } from "effect/cli";
import { printable } from "../lib/base/text.ts";
import { VERSION } from "../lib/base/version.ts";
import { EXIT, say } from "./exit.ts";
import { flagUsage } from "./help.ts";
import { presenter, runWords } from "./parse.ts";
import { VERBS } from "./root.ts";

/** Text as roff shows it: no line may begin with a control character, backslashes and hyphens are meant as typed. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1")
    .replaceAll("\n\n", "\n.PP\n");
}

const EXIT_STATUS: readonly (readonly [string, string])[] = [
  ["0", "success"],
  ["1", "the work could not be done: a file, the disk, the data as a whole"],
  ["2", "the command line was not understood"],
  ["3", "with --strict: the work was done, but some of the input was bad"],
  ["125", "record, exec: tk itself failed before the command was started"],
  ["126, 127", "record, exec: the command is not executable, was not found"],
  ["other", "record, exec: the command's own exit status; a command killed by a signal kills tk with the same signal"],
];

/** One manual page, from what `--help` knows. */
export function manPage(doc: HelpDoc.HelpDoc): string {
  const name = (doc.commandPath ?? ["tk"]).join("-");
  const [first, ...rest] = doc.description.split("\n\n");
  const out: string[] = [
    `.TH ${name.toUpperCase()} 1 "" "tk ${VERSION}" "tk"`,
    ".SH NAME",
    `${roff(name)} \\- ${roff(first!.replace(/[.?]$/, ""))}`,
    ".SH SYNOPSIS",
    `.B ${roff(doc.usage)}`,
    ".SH DESCRIPTION",
    roff(rest.length > 0 ? rest.join("\n\n") : first!),
  ];
  for (const group of doc.subcommands ?? []) {
    out.push(`.SS ${roff(group.group ?? "Verbs")}`);
    for (const c of group.commands)
      out.push(".TP", `.B ${roff(c.name)}`, `${roff(c.shortDescription ?? c.description)}. See tk\\-${c.name}(1).`);
  }
  const operands = doc.args ?? [];
  if (operands.length > 0) out.push(".SH OPERANDS");
  for (const arg of operands)
    out.push(".TP", `.I ${roff(arg.name)}`, roff(Option.getOrElse(arg.description, () => "")));
  out.push(".SH OPTIONS");
  for (const flag of [...doc.flags, ...(doc.globalFlags ?? [])])
    out.push(".TP", `.B ${roff(flagUsage(flag))}`, roff(Option.getOrElse(flag.description, () => "")));
  out.push(".SH EXIT STATUS");
  for (const [code, meaning] of EXIT_STATUS) out.push(".TP", `.B ${code}`, roff(meaning));
  if ((doc.examples ?? []).length > 0) out.push(".SH EXAMPLES");
  for (const e of doc.examples ?? [])
    out.push(".PP", roff(e.description ?? ""), ".PP", ".nf", `    ${roff(e.command)}`, ".fi");
  return out.filter((line) => line !== "").join("\n") + "\n";
}

/** The help description of `tk` itself or of one verb; undefined when there is no such verb. */
export const helpDoc = (verb: string | undefined): Effect.Effect<HelpDoc.HelpDoc | undefined> =>
  Effect.gen(function* () {
    let doc: HelpDoc.HelpDoc | undefined;
    yield* runWords(verb === undefined ? ["--help"] : [verb, "--help"], {
      present: (event) =>
        event._tag === "Help" ? Effect.sync(() => void (doc = event.helpDoc)) : presenter.present(event),
    }).pipe(Effect.ignore);
    return doc;
  });

export const run: (verb: string | undefined) => Effect.Effect<void> = Effect.fnUntraced(function* (verb) {
  const known = verb === undefined || VERBS.includes(verb);
  const doc = known ? yield* helpDoc(verb) : undefined;
  if (doc === undefined) {
    say(`tk man: there is no verb '${printable(String(verb))}'; 'tk help' lists them`);
    process.exitCode = EXIT.usage;
    return;
  }
  process.stdout.write(manPage(doc));
});
