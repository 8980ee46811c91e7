// What tk injects into the programs it records lines of, carried in the binary as text: `tk record --lines` writes these
// files into its private run directory. Python finds `python/` through PYTHONPATH.
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
];
