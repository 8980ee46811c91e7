#!/usr/bin/env -S deno run -A
// Entry: what needs no command line is answered here, and so is the way to a program under `tk exec`, which must be short, and
// to docker, all of whose words are its own; all else is loaded on demand, which keeps `tk --version` instant.
import { VERSION } from "../lib/base/version.ts";
import { verbAt } from "./verb.ts";

// Under the name `docker` tk is `tk docker`.
const words = [...(/(^|\/)docker$/.test(process.argv0) ? ["docker"] : []), ...process.argv.slice(2)];
const verb = verbAt(words);
if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) console.log(`tk ${VERSION}`);
else if (words[verb] === "exec") await import("./exec_run.ts").then((exec) => exec.main(words, verb));
else if (words[verb] === "docker") await import("./docker_run.ts").then((docker) => docker.main(words, verb));
else if (words[0] === "exec-reporter") await import("./exec_reporter.ts").then((reporter) => reporter.main(words));
else if (words[0] === "lines-collector")
  await import("./lines_collector.ts").then((collector) => collector.main(words));
else await import("./main.ts").then((main) => main.main(words));
