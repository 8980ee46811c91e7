// A verb's help, from the same description that the parser, the completions and the man pages use. Pure.
import { Option } from "effect";
import type { HelpDoc } from "effect/cli";

const INDENT = "  ";

/** Breaks a paragraph at spaces so that no line is longer than `width`, unless a word is. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}

/** `-o, --output FILE`. */
export function flagUsage(flag: HelpDoc.FlagDoc): string {
  const names = [...flag.aliases.filter((a) => a.length === 2), `--${flag.name}`];
  return [names.join(", "), flag.type].filter((part) => part !== "" && part !== "boolean").join(" ");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines];
}

function pairs(rows: readonly (readonly [string, string])[], width: number): string[] {
  const left = Math.min(26, Math.max(0, ...rows.map(([name]) => name.length)) + 2);
  return rows.flatMap(([name, text]) => {
    const lines = wrap(text, Math.max(20, width - left - INDENT.length));
    const first = name.length + 2 > left ? [INDENT + name] : [];
    return [
      ...first,
      ...lines.map((line, i) => INDENT + (i === 0 && first.length === 0 ? name.padEnd(left) : " ".repeat(left)) + line),
    ];
  });
}

const described = (flag: HelpDoc.FlagDoc): readonly [string, string] => [
  flagUsage(flag),
  Option.getOrElse(flag.description, () => ""),
];

/** Help as `--help` prints it, at most `width` columns wide. */
export function formatHelp(doc: HelpDoc.HelpDoc, width: number): string {
  const lines: string[] = [];
  lines.push(...wrap(doc.description, width));
  lines.push(...section("Usage", [INDENT + doc.usage]));
  lines.push(
    ...section(
      "Operands",
      pairs(
        (doc.args ?? []).map((arg) => [
          arg.name + (arg.variadic ? "..." : ""),
          Option.getOrElse(arg.description, () => ""),
        ]),
        width,
      ),
    ),
  );
  for (const group of doc.subcommands ?? [])
    lines.push(
      ...section(
        group.group ?? "Verbs",
        pairs(
          group.commands.map((c) => [c.name, c.shortDescription ?? c.description]),
          width,
        ),
      ),
    );
  lines.push(...section("Options", pairs([...doc.flags, ...(doc.inheritedFlags ?? [])].map(described), width)));
  lines.push(...section("Everywhere", pairs((doc.globalFlags ?? []).map(described), width)));
  lines.push(
    ...section(
      "Examples",
      (doc.examples ?? []).flatMap((e) => [
        ...(e.description === undefined ? [] : [`${INDENT}# ${e.description}`]),
        INDENT + e.command,
      ]),
    ),
  );
  return lines.join("\n") + "\n";
}
