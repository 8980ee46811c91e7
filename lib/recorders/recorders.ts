// What tk injects into the programs it records lines of, carried in the binary as text: `tk record --lines` writes these
// files into its private run directory. Python finds `python/` through PYTHONPATH, Bash `bash/` through BASH_ENV.
import bashEnv from "./bash/bash_env.sh" with { type: "text" };
import calls from "./python/_tk_calls.py" with { type: "text" };
import fast from "./python/_tk_fast.py" with { type: "text" };
import rest from "./python/_tk_rest.py" with { type: "text" };
import rewrite from "./python/_tk_rewrite.py" with { type: "text" };
import sitecustomize from "./python/sitecustomize.py" with { type: "text" };
import trackexec from "./python/tk_trackexec.py" with { type: "text" };

export interface RecorderFile {
  readonly name: string;
  readonly text: string;
}

/** The files of RUN/py. */
export const PYTHON_FILES: readonly RecorderFile[] = [
  { name: "sitecustomize.py", text: sitecustomize },
  { name: "tk_trackexec.py", text: trackexec },
  { name: "_tk_calls.py", text: calls },
  { name: "_tk_fast.py", text: fast },
  { name: "_tk_rest.py", text: rest },
  { name: "_tk_rewrite.py", text: rewrite },
];

/** What BASH_ENV names. */
export const BASH_FILE: RecorderFile = { name: "bash_env.sh", text: bashEnv };
