// tk docker in the command tree: its help. The words of a real `tk docker ...` never come here, since all of them are docker's
// (cmd/tk.ts hands them to cmd/docker_run.ts).
import { Effect } from "effect";
import { Argument, Command } from "effect/cli";

export const docker = Command.make(
  "docker",
  {
    words: Argument.String("docker-words").pipe(
      Argument.withDescription("Everything behind `docker` is docker's own, flags included"),
      Argument.variadic(),
    ),
  },
  ({ words }) => Effect.promise(() => import("./docker_run.ts").then((m) => m.main(["docker", ...words], 0))),
).pipe(
  Command.withDescription(
    "Run docker, and put tk into the images that it builds.\n\n" +
      "Every command goes to the real docker as it is. With `docker.wrap_entrypoint: true` in a loaded configuration, " +
      "`docker build` and `docker buildx build` make an image whose entrypoint is `tk exec` in front of the original one, with the loaded " +
      "configuration inside. When that is not possible the image is built as it would be without tk, and tk says why. " +
      "Flags of tk stand before the word docker: --config-file FILE, --wrap, --no-wrap.",
  ),
  Command.withShortDescription("Run docker, and put tk into the images that it builds"),
  Command.withExamples([
    { command: "tk docker build -t app .", description: "build an image; wrapped if a loaded configuration says so" },
    { command: "tk --wrap docker build -t app .", description: "wrap this one" },
    { command: "tk docker ps", description: "the same as docker ps" },
  ]),
);
