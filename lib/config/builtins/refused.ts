// Functions of chalk's configurations that act on the world. A configuration of tk is data: whoever can change it
// must not be able to start programs, write files or send things; that is what sinks and docs/configuration.md are for.
import type { RefusedBuiltin } from "../builtin.ts";

const REASONS: readonly (readonly [string, string])[] = [
  ["run system", "a configuration cannot start programs"],
  ["url_get url_get_pinned url_post url_post_pinned", "a configuration cannot open connections"],
  ["write_file copy_file move_file rm_file mkdir chmod to_tmp_file", "a configuration cannot change files"],
  ["chdir", "a configuration cannot change the directory"],
  ["set_env", "a configuration cannot change the environment, which is the program's"],
  ["add_override copy_object", "only assignments change attributes"],
  ["memoize canonicalize_tool dir_size dir_size_under function_doc_dump", "tk has no use for it"],
];

export const REFUSED_BUILTINS: readonly RefusedBuiltin[] = REASONS.flatMap(([names, why]) =>
  names.split(" ").map((name) => ({ name, why })),
);
