// Makes dist/tk, or every target's binary: bun scripts/build.ts [--all | --target NAME].
// The flags harden the binary: nothing of the current directory is loaded and no code is made from strings.
import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { spawnSync } from "node:child_process";

const TARGETS = [
  "bun-linux-x64",
  "bun-linux-arm64",
  "bun-linux-x64-musl",
  "bun-linux-arm64-musl",
  "bun-darwin-x64",
  "bun-darwin-arm64",
  "bun-windows-x64",
  "bun-windows-arm64",
] as const;

const HERE = `bun-${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;

async function build(target: string, outfile: string): Promise<void> {
  // Into its own folder first: the maps go, and a build that fails leaves the last binary as it was.
  const folder = `dist/.build-${target}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const made = await Bun.build({
    entrypoints: ["cmd/tk.ts"],
    target: "bun",
    format: "esm",
    splitting: true,
    bytecode: true,
    minify: true,
    sourcemap: "linked",
    define: { "process.env.NODE_ENV": '"production"' },
    compile: {
      target: target as Bun.Build.CompileTarget,
      outfile: `${folder}/tk`,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
      execArgv: ["--disallow-code-generation-from-strings=strict"],
    },
  });
  if (!made.success) {
    for (const log of made.logs) console.error(log.message);
    throw new Error(`could not build for ${target}`);
  }
  const windows = target.includes("windows");
  renameSync(windows ? `${folder}/tk.exe` : `${folder}/tk`, outfile);
  if (!windows) chmodSync(outfile, 0o755);
  rmSync(folder, { recursive: true, force: true });
}

/** A binary that was built wrong can still exit 0 (stack notes): ask it something that loads every layer. */
function smoke(binary: string): void {
  for (const [args, wanted] of [
    [["--version"], /^tk \d/],
    [["render", "--help"], /display-mode/],
  ] as const) {
    const run = spawnSync(binary, args, { encoding: "utf8" });
    if (run.status !== 0 || !wanted.test(run.stdout))
      throw new Error(`the binary does not answer ${args.join(" ")}: ${run.stderr || run.stdout}`);
  }
}

const args = process.argv.slice(2);
mkdirSync("dist", { recursive: true });
try {
  if (args[0] === "--all") {
    for (const target of TARGETS) {
      const name = target.replace("bun-", "");
      const outfile = `dist/tk-${name}${name.startsWith("windows") ? ".exe" : ""}`;
      await build(target, outfile);
      console.log(`${outfile}  ${(statSync(outfile).size / 1e6).toFixed(0)} MB`);
      if (target === HERE) smoke(`./${outfile}`);
    }
  } else {
    const target = args[0] === "--target" ? (args[1] ?? HERE) : HERE;
    const outfile = target === HERE ? "dist/tk" : `dist/tk-${target.replace("bun-", "")}`;
    await build(target, outfile);
    if (target === HERE) smoke(`./${outfile}`);
  }
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
