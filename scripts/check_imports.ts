// The house's arrows as data: which folder may import which, and which folders stay pure.
// tests/laws/imports.test.ts runs it; `bun scripts/check_imports.ts` prints what is wrong.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

/** Folder → folders of ours that its files may import (besides their own). */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "lib/base": [],
  "lib/model": ["lib/base"],
  "lib/format": ["lib/base", "lib/model"],
  "lib/stage": ["lib/base", "lib/model"],
  "lib/derive": ["lib/base", "lib/model"],
  "lib/render": ["lib/base", "lib/model", "lib/derive", "lib/lines"],
  "lib/analyse": ["lib/base", "lib/model", "lib/derive", "lib/render", "lib/lines"],
  "lib/lines": ["lib/base", "lib/model", "lib/derive"],
  "lib/query": ["lib/base", "lib/model", "lib/derive", "lib/lines", "lib/analyse"],
  "lib/replay": ["lib/base", "lib/model", "lib/derive", "lib/render", "lib/lines", "lib/query", "lib/terminal"],
  "lib/diff": ["lib/base", "lib/model", "lib/derive", "lib/render", "lib/analyse"],
  "lib/repl": [
    "lib/base",
    "lib/model",
    "lib/derive",
    "lib/render",
    "lib/analyse",
    "lib/lines",
    "lib/query",
    "lib/diff",
    "lib/terminal",
  ],
  "lib/host": ["lib/base"],
  "lib/recorders": [],
  "lib/capture": ["lib/base", "lib/model", "lib/format", "lib/host"],
  "lib/pipeline": [
    "lib/base",
    "lib/model",
    "lib/format",
    "lib/stage",
    "lib/derive",
    "lib/render",
    "lib/query",
    "lib/lines",
    "lib/replay",
    "lib/host",
  ],
  "lib/config": ["lib/base"],
  "lib/settings": ["lib/base", "lib/config", "lib/host", "lib/report"],
  "lib/mark": ["lib/base", "lib/host"],
  "lib/sink": ["lib/base", "lib/config", "lib/host"],
  "lib/report": ["lib/base", "lib/config", "lib/host", "lib/mark"],
  "lib/exec": [
    "lib/base",
    "lib/model",
    "lib/format",
    "lib/host",
    "lib/capture",
    "lib/config",
    "lib/report",
    "lib/sink",
  ],
  "lib/container": [
    "lib/base",
    "lib/host",
    "lib/capture",
    "lib/config",
    "lib/settings",
    "lib/exec",
    "lib/report",
    "lib/sink",
  ],
  "lib/collect": ["lib/base", "lib/model", "lib/format", "lib/lines", "lib/host", "lib/capture", "lib/recorders"],
  "lib/terminal": ["lib/base"],
  "lib/tty": ["lib/base", "lib/host", "lib/terminal"],
  "lib/traces": [
    "lib/base",
    "lib/model",
    "lib/format",
    "lib/lines",
    "lib/host",
    "lib/pipeline",
    "lib/trackexec",
    "lib/collect",
    "lib/analyse",
  ],
  "lib/trackexec": ["lib/base", "lib/model", "lib/lines", "lib/analyse", "lib/host", "lib/pipeline"],
  "lib/shell": [
    "lib/base",
    "lib/model",
    "lib/format",
    "lib/derive",
    "lib/render",
    "lib/analyse",
    "lib/lines",
    "lib/traces",
    "lib/query",
    "lib/diff",
    "lib/repl",
    "lib/replay",
    "lib/terminal",
    "lib/tty",
    "lib/host",
    "lib/pipeline",
  ],
  cmd: [
    "lib/container",
    "lib/base",
    "lib/model",
    "lib/format",
    "lib/stage",
    "lib/derive",
    "lib/render",
    "lib/analyse",
    "lib/lines",
    "lib/query",
    "lib/host",
    "lib/capture",
    "lib/config",
    "lib/settings",
    "lib/mark",
    "lib/report",
    "lib/sink",
    "lib/exec",
    "lib/collect",
    "lib/pipeline",
    "lib/trackexec",
    "lib/traces",
    "lib/terminal",
    "lib/tty",
    "lib/replay",
    "lib/diff",
    "lib/repl",
    "lib/shell",
  ],
  "mod.ts": [
    "lib/base",
    "lib/model",
    "lib/format",
    "lib/stage",
    "lib/derive",
    "lib/render",
    "lib/analyse",
    "lib/query",
    "lib/pipeline",
  ],
};

/** No files, no clock, no processes, no Effect. */
export const PURE: readonly string[] = [
  "lib/base",
  "lib/model",
  "lib/format",
  "lib/stage",
  "lib/derive",
  "lib/render",
  "lib/config",
  "lib/analyse",
  "lib/lines",
  "lib/query",
  "lib/diff",
  "lib/repl",
  "lib/replay",
  "lib/terminal",
];

/** Packages that a pure folder may use. */
const PURE_PACKAGES: ReadonlySet<string> = new Set(["neverthrow"]);

/** The one place where the runtime's own names may stand. */
const RUNTIME_DOOR = "lib/host/platform/";

function folderOf(file: string): string {
  if (!file.includes("/")) return file;
  const parts = file.split("/");
  return parts[0] === "lib" ? parts.slice(0, 2).join("/") : parts[0]!;
}

export function sources(root: string): string[] {
  const files = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `${folder}/${name}`);
  return [...files("lib"), ...files("cmd"), "mod.ts"].sort();
}

/** Every broken rule as `file: what`. */
export function checkImports(root: string): string[] {
  const faults: string[] = [];
  for (const file of sources(root)) {
    const text = readFileSync(join(root, file), "utf8");
    const from = folderOf(file);
    const allowed = MAY_IMPORT[from];
    if (!allowed) {
      faults.push(`${file}: folder ${from} is not in the table of scripts/check_imports.ts`);
      continue;
    }
    const imports = text.matchAll(
      /(?:^\s*(?:import|export)\b[^"';]*?from\s*|^\s*import\s*|\bimport\(\s*)["']([^"']+)["']/gm,
    );
    for (const [, target] of imports) {
      if (target!.startsWith(".")) {
        // Recorders that programs load are carried as text.
        if (!/\.(ts|py|sh)$/.test(target!)) faults.push(`${file}: imports ${target} without .ts`);
        const to = folderOf(relative(root, normalize(join(root, dirname(file), target!))));
        if (to !== from && !allowed.includes(to)) faults.push(`${file}: ${from} may not import ${to} (${target})`);
      } else if (PURE.includes(from) && !PURE_PACKAGES.has(target!))
        faults.push(`${file}: ${from} is pure and may not import ${target}`);
      else if (/^(bun|bun:.*)$/.test(target!) && !file.startsWith(RUNTIME_DOOR))
        faults.push(`${file}: ${target} only behind ${RUNTIME_DOOR}`);
    }
    if (!file.startsWith(RUNTIME_DOOR)) {
      const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/gm, "");
      const name = /\b(Bun|Deno)\./.exec(code);
      if (name) faults.push(`${file}: ${name[1]}. only behind ${RUNTIME_DOOR}`);
    }
  }
  return faults;
}

if (import.meta.main) {
  const faults = checkImports(process.cwd());
  for (const fault of faults) console.error(fault);
  process.exit(faults.length > 0 ? 1 : 0);
}
