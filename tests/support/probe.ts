// Ways to start tests/programs/probe.c, and what may differ between a plain start and one under `tk record`.
// Each context is a shell script that runs "$@" in some special state; the last word of "$@" is where the probe writes.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Need } from "./needs.ts";
import { temporaryFolder } from "./programs.ts";

export interface Context {
  readonly name: string;
  /** `bash -c script context "$@"`; never a bare `"$@"` at the end, which bash would exec: the parent is a witness. */
  readonly script: string;
  /** The probe is named without its folder, which the script finds in $PROGRAMS. */
  readonly bare?: boolean;
  readonly needs?: readonly Need[];
}

const PYTHON_PARENT = `
import os, subprocess, sys
env = dict(os.environb)
env[b"BYTES"] = b"\\xff\\xfe\\n"
sys.exit(subprocess.run(sys.argv[1:], env=env, umask=0o27).returncode)
`;

const BLOCKED_MASK = `
import signal, subprocess, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGALRM, signal.SIGINT, signal.SIGCHLD, 40, 64])
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGQUIT, signal.SIG_IGN)
p = subprocess.Popen(sys.argv[1:])
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
sys.exit(p.wait())
`;

/** A folder whose files would change a runtime that reads its working directory. */
export function hostileFolder(): string {
  const folder = temporaryFolder();
  const file = (name: string, text: string) => writeFileSync(join(folder, name), text);
  file(".env", "HOSTILE=1\nPATH=/hostile\nTK_HOSTILE=1\nBUN_OPTIONS=--smol\n");
  file(".env.local", "HOSTILE_LOCAL=1\n");
  file("evil.ts", 'require("fs").writeFileSync(__dirname + "/EXECUTED", "1"); console.log("EXECUTED");\n');
  file("bunfig.toml", 'preload = ["./evil.ts"]\n[run]\nsilent = false\n');
  file("tsconfig.json", '{"compilerOptions": {"paths": {"*": ["./evil.ts"]}, "jsx": "react"}}\n');
  file("package.json", '{"name": "hostile", "imports": {"#platform": "./evil.ts"}, "type": "commonjs"}\n');
  file("deno.json", '{"imports": {"effect": "./evil.ts"}}\n');
  file("libc.so.6", "not a library\n");
  file("libc.so", "not a library\n");
  mkdirSync(join(folder, "node_modules"));
  mkdirSync(join(folder, "node_modules", "effect"));
  file("node_modules/effect/index.js", 'require("../../evil.ts")\n');
  return folder;
}

/** `folder` holds the files that some contexts need; all users can read it. */
export function contexts(folder: string): Context[] {
  writeFileSync(join(folder, "parent.py"), PYTHON_PARENT);
  writeFileSync(join(folder, "mask.py"), BLOCKED_MASK);
  writeFileSync(join(folder, "words.txt"), "0123456789abcdef\n");
  writeFileSync(join(folder, "jobs.mk"), "all: one\none:\n\t+@bash ./jobs.sh; exit $$?\n.PHONY: all one\n");
  const here = (name: string) => `'${join(folder, name)}'`;
  const run = '"$@"; exit $?';
  return [
    { name: "plain", script: run },
    { name: "nohup", script: 'nohup "$@" </dev/null >/dev/null 2>&1; exit $?' },
    { name: "SIGPIPE and SIGXFSZ ignored", script: `trap '' PIPE XFSZ; ${run}` },
    {
      name: "many signals ignored",
      script: `trap '' INT QUIT TERM HUP USR1 TSTP TTIN TTOU CHLD WINCH RTMIN+3; ${run}`,
    },
    {
      name: "ulimit",
      script: `ulimit -Sn 777; ulimit -c 0; ulimit -Ss 4096; ulimit -St 1000; ulimit -Sv 200000000 ; ${run}`,
    },
    { name: "hard limits", script: `ulimit -n 500; ulimit -s 2048; ulimit -l 64; ${run}` },
    {
      name: "descriptors",
      script: `exec 3<${here("words.txt")} 4>/dev/null 7<>${here("words.txt")} 63< <(echo x); read -N 5 -u 3 _x; ${run}`,
    },
    {
      name: "descriptor 10 to 40, some shared",
      script: `for i in {10..40}; do eval "exec $i</dev/zero"; done; exec 41>&1 42>&1; ${run}`,
    },
    { name: "stdin closed", script: `"$@" <&-; exit $?` },
    { name: "stdout and stderr closed", script: `"$@" >&- 2>&-; exit $?` },
    { name: "all three closed", script: `"$@" <&- >&- 2>&-; exit $?` },
    { name: "stdin is a file, in the middle", script: `exec <${here("words.txt")}; read -N 3 _x; ${run}` },
    { name: "stdin is a pipe", script: `echo text | "$@"; exit $?` },
    { name: "nice", script: `nice -n 5 "$@"; exit $?` },
    { name: "ionice and batch scheduling", script: `ionice -c3 chrt -b 0 taskset -c 0 "$@"; exit $?` },
    { name: "blocked mask", needs: ["python"], script: `/usr/bin/python3 ${here("mask.py")} "$@"; exit $?` },
    { name: "python parent", needs: ["python"], script: `/usr/bin/python3 ${here("parent.py")} "$@"; exit $?` },
    { name: "umask and oom_score_adj", script: `umask 077; echo 300 >/proc/self/oom_score_adj; ${run}` },
    { name: "empty environment", script: `env -i "$@"; exit $?` },
    { name: "odd environment", script: `env -i "=x" "A=1" "A=2" $'C=\\xff\\n' "D=" "$@"; exit $?` },
    {
      name: "runtime variables",
      script: `BUN_CONFIG_X=1 NODE_OPTIONS=--no-warnings NODE_ENV=test NO_COLOR=1 FORCE_COLOR=0 LD_BIND_NOW=1 "$@"; exit $?`,
    },
    {
      name: "make's job server",
      needs: ["make"],
      script: `printf '%q ' "$@" >jobs.sh; echo '; exit $?' >>jobs.sh; make -s -j3 -f ${here("jobs.mk")}; r=$?; rm jobs.sh; exit $r`,
    },
    { name: "found through PATH", bare: true, script: `PATH=/nowhere:$PATH:$PROGRAMS; ${run}` },
    {
      name: "found through an empty entry of PATH",
      bare: true,
      script: `cd "$PROGRAMS"; PATH=/nowhere::$PATH; ${run}`,
    },
  ];
}

/** The report without what no recorder can hide, for a run by `mode` ("" is plain). */
export function visibleFacts(report: string, mode: "events" | "complete"): string[] {
  const hidden = [
    /^(environ|proc_environ) _=/, // the shell's own note of what it started
    /^status TracerPid:/,
    /^status FDSize:/,
    /^execfn (\.\/)?probe$/, // an empty entry of PATH: "./" in front as bash does it, or none as execvp(3) does it
  ];
  if (mode === "complete")
    hidden.push(/^status (NoNewPrivs|Seccomp|Seccomp_filters|Speculation\w+):/, /^no_new_privs /);
  return report.split("\n").filter((line) => !hidden.some((h) => h.test(line)));
}
