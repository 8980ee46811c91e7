// What the output is and can show: columns, colours, characters. The environment's word is the user's.

/** Whether the locale's characters are UTF-8; a terminal without a locale shows ASCII only. */
export function speaksUnicode(env: NodeJS.ProcessEnv = process.env): boolean {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return /utf-?8/i.test(locale);
}

/** Colours: asked for, or a terminal that has them and a user who did not refuse (NO_COLOR, TERM=dumb). */
export function wantsColor(choice: "auto" | "always" | "never", toTerminal: boolean, env = process.env): boolean {
  if (choice !== "auto") return choice === "always";
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return true;
  return toTerminal && env["TERM"] !== "dumb";
}

/** Columns to fit: as asked (0 is no limit), else the terminal's, else no limit. */
export function fitWidth(asked: number | undefined, toTerminal: boolean): number {
  if (asked !== undefined) return asked > 0 ? asked : Infinity;
  return toTerminal ? (process.stdout.columns ?? 80) : Infinity;
}
