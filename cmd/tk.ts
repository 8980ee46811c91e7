#!/usr/bin/env -S deno run -A
// Entry: what needs no command line is answered here; all else is loaded on demand, which keeps `tk --version` instant.
import { VERSION } from "../lib/base/version.ts";

const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) console.log(`tk ${VERSION}`);
else await import("./main.ts").then((main) => main.main(words));
