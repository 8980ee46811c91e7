// The command line as users type it: help, mistakes, completions, manual pages, and what a hostile directory can do.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lacks } from "../support/needs.ts";
import { run, TK } from "../support/tk.ts";

const VERBS = ["record", "doctor", "sort", "ingest", "render", "man"];

const work = mkdtempSync(join(tmpdir(), "tk-command-line-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const RECORDING = [
  '{"Fork":{"seq":0,"timestamp":0,"parent_pid":1,"child_pid":10,"parent_pgid":1}}',
  '{"ExecFull":{"seq":1,"timestamp":1000000,"pid":10,"ppid":1,"pgid":10,"filename":"/bin/sh","args":["sh","-c","true"]}}',
  '{"Exit":{"seq":2,"timestamp":5000000,"pid":10,"ppid":1,"pgid":10,"exit_code":0}}',
  "",
].join("\n");

test("--version and -V print the version, alone and after other words", async () => {
  for (const words of [["--version"], ["-V"]])
    expect((await run([TK, ...words])).stdout).toMatch(/^tk \d+\.\d+\.\d+\n$/);
});

test("no words, --help and help print the same help on stdout, naming every verb", async () => {
  const [bare, flag, verb] = await Promise.all([run([TK]), run([TK, "--help"]), run([TK, "help"])]);
  expect(bare.status).toBe(0);
  expect(flag.stdout).toBe(bare.stdout);
  expect(verb.stdout).toBe(bare.stdout);
  for (const name of VERBS) expect(bare.stdout).toMatch(new RegExp(`^  ${name}  `, "m"));
});

test("help of each verb has its options, examples, and fits 80 columns", async () => {
  for (const name of VERBS) {
    const asVerb = await run([TK, "help", name]);
    const asFlag = await run([TK, name, "--help"]);
    expect(asVerb.stdout).toBe(asFlag.stdout);
    expect(asVerb.status).toBe(0);
    expect(asVerb.stderr).toBe("");
    expect(asVerb.stdout).toContain("\nUsage\n");
    expect(asVerb.stdout).toContain("\nExamples\n");
    const [text] = asVerb.stdout.split("\nExamples\n");
    for (const line of text!.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  }
});

test("what is not understood goes to stderr with where to read on, status 2, and nothing on stdout", async () => {
  for (const [words, said] of [
    [["rendr"], /Did you mean this\?\s+render/],
    [["sort", "--memroy", "1G"], /Did you mean this\?\s+--memory/],
    [["sort", "--memory", "12"], /at least 1M/],
    [["render", "-d", "pie"], /multiplexed.*mermaid.*tree/s],
    [["record"], /command/],
    [["ingest", "x.prof"], /--pid/],
    [["ingest", "-p", "many"], /--pid/],
    [["man", "nothing"], /no verb|[Uu]nknown/],
    [["help", "nothing"], /Unknown subcommand "nothing"/],
    [["help", "recrd"], /Did you mean this\?\s+record/],
    [["nothing", "--help"], /Unknown subcommand "nothing"/],
    [["sort", "--memory", "12"], /Expected: a size of/],
    [["render", "--limit", "-3"], /--limit: "-3". Expected: a whole number from 0/],
    [["render", "--width=-5"], /--width: "-5". Expected: a whole number from 0/],
    [["render", "--limit", "1e3"], /--limit: "1e3"/],
    [["ingest", "-p", "1.5"], /--pid: "1.5". Expected: a whole number/],
    [["ingest", "-p", "1", "--life", "0"], /--life: "0". Expected: a whole number from 1/],
  ] as const) {
    const ran = await run([TK, ...words]);
    expect(ran.stderr).toMatch(said);
    expect(ran.stdout).toBe("");
    expect(ran.status).toBe(2);
  }
});

test("short options take their value glued, with = or in the next word", async () => {
  const tree = await run([TK, "render", "-d", "tree"], { stdin: RECORDING });
  expect(tree.stdout).toContain("sh -c true");
  for (const words of [["-dtree"], ["-d=tree"], ["--display-mode=tree"], ["--display-mode", "tree", "-"]])
    expect((await run([TK, "render", ...words], { stdin: RECORDING })).stdout).toBe(tree.stdout);
});

test("mistakes are quoted without what would steer a terminal", async () => {
  const hostile = "\x1b]0;title\x07\x9b31m\u202eabc";
  for (const words of [
    [hostile],
    ["help", hostile],
    ["man", hostile],
    ["--completions", hostile],
    ["sort", `--${hostile}`],
    ["render", "-d", hostile],
    ["render", "--limit", hostile],
    ["sort", "--memory", hostile],
    ["ingest", "-p", hostile],
    ["doctor", hostile],
  ]) {
    const ran = await run([TK, ...words]);
    expect(ran.status).toBe(2);
    expect(ran.stdout).toBe("");
    expect(ran.stderr).toContain("title");
    expect(ran.stderr).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
  }
});

test("short options of record may share a word, the last with its value", async () => {
  const file = join(work, "bundle.prof");
  for (const words of [["-qo", file], [`-qo${file}`], [`-qo=${file}`], ["-q", `-o${file}`]]) {
    rmSync(file, { force: true });
    const ran = await run([TK, "record", ...words, "sh", "-c", "echo $0 -o; exit 3"]);
    expect([ran.status, ran.stdout, ran.stderr]).toEqual([3, "sh -o\n", ""]);
    expect(readFileSync(file, "utf8")).toContain('"End"');
  }
});

test("options end at the command's name: what follows is the command's", async () => {
  const ran = await run([TK, "record", "-q", "-o", join(work, "x.prof"), "echo", "-o", "--help", "--", "-q"]);
  expect(ran.stdout).toBe("-o --help -- -q\n");
  expect(ran.status).toBe(0);
});

test("completion scripts are accepted by their shells and know verbs, options and choices", async () => {
  for (const [shell, check] of [
    ["bash", ["bash", "-n"]],
    ["zsh", ["zsh", "-n"]],
    ["fish", ["fish", "--no-execute"]],
  ] as const) {
    const script = await run([TK, "--completions", shell]);
    expect(script.status).toBe(0);
    for (const word of [...VERBS, "display-mode", "by-process"]) expect(script.stdout).toContain(word);
    if (lacks(shell)) continue;
    const file = join(work, `completion.${shell}`);
    writeFileSync(file, script.stdout);
    const checked = await run([...check, file]);
    expect(checked.stderr).toBe("");
    expect(checked.status).toBe(0);
  }
});

test("bash completes verbs after tk", async () => {
  const file = join(work, "completion.bash");
  writeFileSync(file, (await run([TK, "--completions", "bash"])).stdout);
  const script = `source ${file}; COMP_WORDS=(tk re); COMP_CWORD=1; COMP_LINE='tk re'; COMP_POINT=5
    fn=$(complete -p tk | sed 's/.*-F \\([^ ]*\\).*/\\1/'); $fn tk re tk; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const ran = await run(["bash", "--norc", "-c", script]);
  expect(ran.stdout.split("\n").map((s) => s.trim())).toEqual(expect.arrayContaining(["record", "render"]));
});

test("bash completes files for operands, and choices for options", async () => {
  const dir = mkdtempSync(join(work, "files-"));
  writeFileSync(join(dir, "out.prof"), "");
  const file = join(work, "completion.bash");
  writeFileSync(file, (await run([TK, "--completions", "bash"])).stdout);
  const script = `source ${file}
    COMP_WORDS=(tk render o); COMP_CWORD=2; COMP_LINE="tk render o"; _tk tk o render; echo "\${COMPREPLY[@]}"
    COMP_WORDS=(tk render -d me); COMP_CWORD=3; COMP_LINE="tk render -d me"; _tk tk me -d; echo "\${COMPREPLY[@]}"`;
  expect((await run(["bash", "--norc", "-c", script], { cwd: dir })).stdout).toBe("out.prof\nmermaid\n");
});

test("manual pages are well-formed, and man shows every option", async () => {
  for (const verb of [[], ...VERBS.map((v) => [v])]) {
    const page = await run([TK, "man", ...verb]);
    expect(page.status).toBe(0);
    expect(page.stdout).toStartWith(".TH TK");
    expect(page.stdout).toContain(".SH EXIT STATUS");
    if (lacks("man")) continue;
    const file = join(work, "page.1");
    writeFileSync(file, page.stdout);
    const shown = await run(["man", "--warnings", "-E", "ascii", "-l", file], {
      env: { PATH: process.env.PATH ?? "", MANWIDTH: "80", LC_ALL: "C.UTF-8" },
    });
    expect(shown.stderr).toBe("");
    expect(shown.stdout).toContain("EXAMPLES");
  }
});

test("variables of the runtime do not change what tk is, but for the one that docs/platforms.md names", async () => {
  for (const [name, value] of [
    ["BUN_OPTIONS", "--nonsense --smol"],
    ["NODE_OPTIONS", "--nonsense"],
    ["BUN_CONFIG_FILE", "./bunfig.toml"],
    ["BUN_RUNTIME_TRANSPILER_CACHE_PATH", "/nonexistent"],
  ] as const) {
    const ran = await run([TK, "render", "-d", "tree"], { env: { [name]: value }, stdin: RECORDING });
    expect([name, ran.status, ran.stderr]).toEqual([name, 0, ""]);
    expect(ran.stdout).toContain("sh -c true");
  }
});

test("code that the environment names is not run", async () => {
  for (const extension of ["ts", "js"]) {
    const evil = join(work, `evil.${extension}`);
    writeFileSync(evil, 'console.log("evil"); process.exit(66);\n');
    const ran = await run([TK, "--version"], { env: { BUN_OPTIONS: `--preload=${evil}` } });
    expect([ran.status, ran.stdout]).toEqual([1, ""]);
  }
});

test("nothing of a hostile current directory is loaded", async () => {
  const dir = mkdtempSync(join(work, "hostile-"));
  writeFileSync(join(dir, ".env"), "TK_HOSTILE=1\n");
  writeFileSync(join(dir, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
  writeFileSync(join(dir, "evil.ts"), 'console.log("evil"); process.exit(66);\n');
  writeFileSync(join(dir, "tsconfig.json"), "{ nonsense");
  writeFileSync(join(dir, "package.json"), '{ "name": "evil", "imports": { "#platform": "./evil.ts" } }');
  const ran = await run([TK, "record", "-q", "-o", join(work, "h.prof"), "--", "env"], { cwd: dir });
  expect(ran.status).toBe(0);
  expect(ran.stdout).not.toContain("TK_HOSTILE");
  expect(ran.stdout).not.toContain("evil");
  expect((await run([TK, "render", "-d", "tree"], { cwd: dir, stdin: RECORDING })).stdout).toContain("sh -c true");
});

test("bad input is told with its place, the rest is kept; --strict makes it status 3", async () => {
  const broken = `${RECORDING}not json\n{"Exit":{"timestamp":"soon","pid":10}}\n`;
  for (const verb of [["sort"], ["render", "-d", "tree"], ["render", "-d", "by-process"], ["render"]]) {
    const lenient = await run([TK, ...verb], { stdin: broken });
    expect(lenient.stderr).toContain("stdin:4: ");
    expect(lenient.stdout).toContain("sh");
    expect(lenient.status).toBe(0);
    expect((await run([TK, ...verb, "--strict"], { stdin: broken })).status).toBe(3);
  }
});

test("files that are no recordings are told apart, without a stack", async () => {
  const empty = join(work, "empty.prof");
  writeFileSync(empty, "");
  for (const [file, said] of [
    [work, "directory"],
    [join(work, "missing.prof"), "no such file"],
    [TK, "binary file"],
  ] as const) {
    const ran = await run([TK, "render", "-d", "tree", file]);
    expect(ran.stderr).toContain(said);
    expect(ran.stderr).not.toContain("    at ");
    expect(ran.status).toBe(1);
  }
  const ran = await run([TK, "render", "-d", "tree", empty]);
  expect(ran.stderr).not.toContain("    at ");
  expect(ran.status).toBe(0);
});
