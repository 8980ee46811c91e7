// docker's command line: which words are a build's, what its flags say, and that the rest stays as it was typed.
import { describe, expect, test } from "bun:test";
import {
  asksOnly,
  BuildFlags,
  buildsOtherwise,
  buildWith,
  findBuild,
  parseBuild,
} from "../../lib/container/build_command.ts";

const HELP = `Usage:  docker buildx build [OPTIONS] PATH | URL | -

Options:
      --add-host strings              Add a custom host-to-IP mapping
      --build-arg stringArray         Set build-time variables
      --build-context stringArray     Additional build contexts
  -D, --debug                         Enable debug logging
  -f, --file string                   Name of the Dockerfile (default: "PATH/Dockerfile")
      --new-plain                     A flag of tomorrow
      --new-valued string
                                      Another one
  -q, --quiet                         Suppress the build output
  -t, --tag stringArray               Image identifier
`;

const flags = new BuildFlags(HELP);

function parse(line: string, known = flags) {
  const words = line.split(" ");
  const place = findBuild(words);
  if (place === undefined) return undefined;
  return parseBuild(words, place, known, { FROM_ENV: "yes" });
}

const read = (line: string) => parse(line)!._unsafeUnwrap();
const refused = (line: string) => parse(line)!._unsafeUnwrapErr();

describe("which words are a build", () => {
  const builds: Readonly<Record<string, readonly [number, number]>> = {
    "build .": [0, 1],
    "buildx build .": [0, 2],
    "buildx b .": [0, 2],
    "image build .": [0, 2],
    "builder build .": [0, 2],
    "--context build -D build .": [3, 4],
    "--context=x --host tcp://h buildx --builder b build .": [3, 7],
  };
  for (const [line, [globals, head]] of Object.entries(builds))
    test(line, () => expect(findBuild(line.split(" "))).toEqual({ globals, head }));

  for (const line of [
    "ps",
    "image ls",
    "run build",
    "buildx bake",
    "buildx ls build",
    "--unknown build .",
    "push build",
    "compose build",
    "-v",
    "buildx",
  ])
    test(`not ${line}`, () => expect(findBuild(line.split(" "))).toBeUndefined());
  test("not nothing", () => expect(findBuild([])).toBeUndefined());

  test("what builds without docker build is known by name", () => {
    expect(buildsOtherwise(["compose", "up", "--build"])).toBe("docker compose");
    expect(buildsOtherwise(["compose", "-f", "x", "build"])).toBe("docker compose");
    expect(buildsOtherwise(["buildx", "bake"])).toBe("docker buildx bake");
    expect(buildsOtherwise(["compose", "ps"])).toBeUndefined();
  });
});

describe("flags of a build", () => {
  test("in every spelling", () => {
    const command = read(
      "build -qt a --tag=b -f=D1 -fD2 --file D3 --target=T --build-arg A=1=2 --build-arg FROM_ENV --build-arg NONE --platform linux/amd64,linux/arm64 --pull .",
    );
    expect(command.file).toBe("D3");
    expect(command.target).toBe("T");
    expect([...command.arguments]).toEqual([
      ["A", "1=2"],
      ["FROM_ENV", "yes"],
    ]);
    expect(command.platforms).toEqual(["linux/amd64", "linux/arm64"]);
    expect(command.pull).toBe(true);
    expect(command.context).toBe(".");
    expect(command.rest.join(" ")).toBe(
      "-qt a --tag=b --target=T --build-arg A=1=2 --build-arg FROM_ENV --build-arg NONE --platform linux/amd64,linux/arm64 --pull .",
    );
  });

  test("only -f is taken out, also from a bundle", () => {
    const command = read("--context c build -qf D . -t x");
    expect(buildWith(command, ["--file=N"])).toEqual("--context c build --file=N --quiet=true . -t x".split(" "));
    expect(command.file).toBe("D");
    expect(command.globals).toEqual(["--context", "c"]);
  });

  test("- is an operand, -- ends the flags", () => {
    expect(read("build -f - .").file).toBe("-");
    expect(read("build -").context).toBe("-");
    const command = read("build -t x -- -odd");
    expect(command.context).toBe("-odd");
    expect(buildWith(command, ["--file=N"]).join(" ")).toBe("build --file=N -t x -- -odd");
  });

  test("booleans may be said to be off", () => {
    expect(read("build --pull=false .").pull).toBe(false);
    expect(read("build -q=0 .").rest).toEqual(["-q=0", "."]);
  });

  test("the builder, on either side", () => {
    expect(read("buildx --builder a build .").builder).toBe("a");
    expect(read("buildx --builder=a build --builder b .").builder).toBe("b");
    expect(read("build .").builder).toBeUndefined();
  });

  test("docker's own help teaches new flags", () => {
    expect(read("build --new-plain . --new-valued v").context).toBe(".");
    expect(refused("build --newer x .")).toBe("its flag --newer is not known");
    expect(read("build --newer=x .").context).toBe(".");
    expect(refused("build -z .")).toBe("its flag -z is not known");
  });

  test("what cannot be a build is left alone", () => {
    expect(refused("build")).toBe("docker build takes one context, and here are 0");
    expect(refused("build a b")).toBe("docker build takes one context, and here are 2");
    expect(refused("build . --tag")).toBe("its flag --tag has no value");
    expect(refused("build . -t")).toBe("its flag -t has no value");
  });

  test("questions are no builds", () => {
    for (const line of ["build --help", "build . --check", "build --call=outline .", "build -h", "build --print=x ."])
      expect(asksOnly(line.split(" "))).toBe(true);
    expect(asksOnly(["build", "-t", "help", "."])).toBe(false);
  });

  test("a builder without named contexts says so by silence", () => {
    expect(flags.namedContexts).toBe(true);
    expect(new BuildFlags(HELP.replace(/.*build-context.*\n/, "")).namedContexts).toBe(false);
    expect(new BuildFlags("").takesValue("--tag")).toBe(true);
  });
});
