// What the older player, a Python program, does with words that are typed at its prompt: numbers as `int` reads them, and a line as
// `repr` shows it in an error.

/** `int(text)`: undefined where Python raises. */
export function pythonInt(text: string): number | undefined {
  return /^[+-]?\d+(_\d+)*$/.test(text) ? Number(text.replaceAll("_", "")) : undefined;
}

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}]/gu;

/** `repr(text)`. */
export function pythonRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll(quote, `\\${quote}`)
    .replace(UNPRINTABLE, (c) => {
      if (c === " ") return c;
      if (c === "\n") return "\\n";
      if (c === "\r") return "\\r";
      if (c === "\t") return "\\t";
      const hex = c.codePointAt(0)!.toString(16);
      if (hex.length <= 2) return `\\x${hex.padStart(2, "0")}`;
      return hex.length <= 4 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
    });
  return quote + escaped + quote;
}
