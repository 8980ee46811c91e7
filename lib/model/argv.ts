// A command's words as text: for people to read and for a shell to run, which is the same text wherever the exact words
// are known. Whatever is printed from argv goes through here; raw words never reach a terminal.
import { escapeCharacter, isPrintable, printable } from "../base/text.ts";
import type { Argv } from "./event.ts";

/** Words that no shell changes. A leading `~` or `=` and an unquoted `#` are left out on purpose. */
const PLAIN = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./~^-]*$/;
const KEYWORDS = new Set(
  "if then else elif fi for while until do done case esac in function select time coproc".split(" "),
);

/**
 * One word, quoted so that a shell reads it back byte for byte: plain, `'...'`, or `$'...'` (bash, zsh, ksh; POSIX 2024)
 * when it holds what must not be printed. `bytes`: the exact bytes of a word that is not UTF-8.
 */
export function quoteWord(word: string, unicode = true, bytes?: Uint8Array): string {
  if (bytes !== undefined) return "$'" + quoteBytes(bytes, unicode) + "'";
  if (PLAIN.test(word)) return word;
  if (isPrintable(word, unicode)) return "'" + word.replaceAll("'", "'\\''") + "'";
  return "$'" + printable(word.replace(/[\\']/g, "\\$&"), unicode) + "'";
}

/** The inside of `$'...'` for bytes: text where they are text, `\xNN` where not. */
function quoteBytes(bytes: Uint8Array, unicode: boolean): string {
  let out = "";
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let i = 0; i < bytes.length;) {
    let size = 0;
    let c = "";
    for (let n = 1; n <= 4 && i + n <= bytes.length && size === 0; n++) {
      try {
        c = strict.decode(bytes.subarray(i, i + n));
        size = n;
      } catch {
        // Not a whole character yet.
      }
      if (n === 1 && bytes[i]! < 0xc2) break;
    }
    if (size === 0) {
      out += "\\x" + bytes[i]!.toString(16).padStart(2, "0");
      i++;
      continue;
    }
    if (c === "\\" || c === "'") out += "\\" + c;
    else out += isPrintable(c, unicode) ? c : escapeCharacter(c);
    i += size;
  }
  return out;
}

/** A whole command. Words whose borders were lost (proctrace's joined strings) are shown as they came, made printable. */
export function quoteArgv(argv: Argv, unicode = true): string {
  if (argv.joined) return printable(argv.words.join(" "), unicode);
  let line = "";
  for (let i = 0; i < argv.words.length; i++) {
    const word = argv.words[i]!;
    const quoted = quoteWord(word, unicode, argv.bytes?.get(i));
    // As first word, an assignment or a keyword would not be run as a command.
    const special = i === 0 && quoted === word && (KEYWORDS.has(word) || word.includes("="));
    line += (i === 0 ? "" : " ") + (special ? `'${word}'` : quoted);
  }
  return line;
}

/** Last part of a path: `/usr/bin/make` is `make`, `-bash` stays. */
export function basename(path: string): string {
  const end = path.replace(/\/+$/, "");
  const at = end.lastIndexOf("/");
  return at < 0 ? end : end.slice(at + 1);
}

/** The program's name from argv: the basename of its first word; of a joined string, of what stands before the first blank. */
export function programName(argv: Argv): string {
  const first = argv.words[0] ?? "";
  return basename(argv.joined ? (/^\S*/.exec(first.trimStart())?.[0] ?? "") : first);
}

const STORE_BIN = /\/nix\/store\/[0-9a-z]{32}-[0-9A-Za-z+\-._?=]+\/s?bin\//g;
const STORE = /\/nix\/store\/[0-9a-z]{32}-/g;

/** Nix store paths shortened: `/nix/store/<hash>-bash-5.2/bin/bash` is `<store>/bash`, any other is `<store>/<name>...`. */
export function shortenStorePaths(text: string): string {
  if (!text.includes("/nix/store/")) return text;
  return text.replace(STORE_BIN, "<store>/").replace(STORE, "<store>/");
}
