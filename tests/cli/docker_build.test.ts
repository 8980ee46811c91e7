// `tk docker` against a docker that notes what it was asked: everything goes through as typed, builds are wrapped, and whenever
// something is in the way docker gets the command line and the standard input that it would have got without tk.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { DockerPlace } from "../support/docker.ts";
import { KEY, Pty } from "../support/pty.ts";
import { requireTk, run, TK, type RunOptions } from "../support/tk.ts";
import { lacks } from "../support/needs.ts";

let place: DockerPlace;

beforeAll(() => {
  requireTk();
  place = new DockerPlace();
});
afterAll(() => place.close());
beforeEach(() => {
  place.forget();
  place.image("alpine", {});
});

const WRAP = ["--wrap", "docker"];
const GUIDE = 'FROM alpine\nCMD ["sh", "-c", "while true; do echo hello; sleep 30; done"]\n';

async function wrapped(words: readonly string[], options: RunOptions = {}) {
  const ran = await place.tk([...WRAP, ...words], options);
  const builds = place.builds();
  return { ran, builds, last: builds.at(-1)! };
}

const isWrapped = (dockerfile: string) => /\n# tk: [^]*ENTRYPOINT \["\/tk","exec",[^]*# tk: end\n/.test(dockerfile);

/** Nothing stays of a build, wherever it was interrupted. */
function expectNothingLeft(files: readonly string[]): void {
  expect(readdirSync(place.context, { recursive: true }).map(String).sort()).toEqual([...files].sort());
  expect(place.leftOvers()).toEqual([]);
}

describe("what is no build", () => {
  test("goes through word for word, with its status", async () => {
    const words = ["run", "--rm", "-it", "", "a b", "--help", "--wrap", "--", "-x", "build", "é\u0001"];
    const ran = await place.tk(["docker", ...words], { env: { STAND_IN_STATUS: "42" } });
    expect(ran.status).toBe(42);
    expect(ran.stdout).toStartWith("stand-in: run --rm -it");
    expect(ran.stderr).toBe("");
    expect(place.calls().map((call) => call.words)).toEqual([words]);
  });

  test("--help, --version and nothing at all are docker's", async () => {
    for (const words of [["--help"], ["--version"], []]) {
      const ran = await place.tk(["docker", ...words]);
      expect(ran.stdout).toStartWith("stand-in:");
      expect(ran.status).toBe(0);
    }
  });

  test("takes over tk's process: same pid, standard input, environment, death by signal", async () => {
    const docker = join(place.folder, "other-docker");
    writeFileSync(docker, '#!/bin/sh\necho "pid $$"\ncat\nenv | grep ^SEEN\nkill -KILL $$\n');
    chmodSync(docker, 0o755);
    writeFileSync(join(place.folder, "exe.c4m"), `docker_exe: "${docker}"\n`);
    const running = place.start(["--config-file", join(place.folder, "exe.c4m"), "docker", "attach"], {
      stdin: "typed\n",
      env: { SEEN: "yes" },
    });
    const ran = await running.done;
    expect(ran.stdout).toBe(`pid ${running.pid}\ntyped\nSEEN=yes\n`);
    expect(ran.signal).toBe("SIGKILL");
  });

  test("no docker: a clear sentence and status 127", async () => {
    const empty = join(place.folder, "empty");
    mkdirSync(empty, { recursive: true });
    const ran = await place.tk(["docker", "ps"], { env: { PATH: empty } });
    expect(ran.status).toBe(127);
    expect(ran.stderr).toStartWith("tk: Cannot run docker: there is no docker in PATH besides tk itself\n");
    const config = join(place.folder, "missing.c4m");
    writeFileSync(config, 'docker_exe: "/nowhere/docker"\n');
    const named = await place.tk([`--config-file=${config}`, "docker", "ps"]);
    expect(named.status).toBe(127);
    expect(named.stderr).toContain("docker_exe is '/nowhere/docker', which is no program");
  });

  test("under the name docker tk is tk docker, and never takes itself for docker", async () => {
    const first = join(place.folder, "first");
    mkdirSync(first);
    symlinkSync(TK, join(first, "docker"));
    const env = { ...place.environment, PATH: `${first}:${place.environment["PATH"]}` };
    const ran = await run([join(first, "docker"), "ps", "-a"], { env });
    expect(ran.stdout).toBe("stand-in: ps -a\n");
    expect((await run([join(first, "docker"), "ps"], { env: { ...env, PATH: first } })).status).toBe(127);
  });

  test("a broken configuration does not stand between a user and docker", async () => {
    const config = join(place.folder, "broken.c4m");
    writeFileSync(config, "docker.wrap_entrypoint: 5\n");
    const ran = await place.tk([`--config-file=${config}`, "docker", "ps"]);
    expect(ran.status).toBe(0);
    expect(ran.stdout).toBe("stand-in: ps\n");
    expect(ran.stderr).toContain("going on without any configuration");
  });

  test("unknown flags of tk before the word docker are an error", async () => {
    const ran = await place.tk(["--nonsense", "docker", "ps"]);
    expect(ran.status).toBe(2);
    expect(place.calls()).toEqual([]);
  });

  test("tk's own help is where the other verbs have it", async () => {
    const ran = await place.tk(["help", "docker"]);
    expect(ran.stdout).toContain("put tk into the images");
    expect(place.calls()).toEqual([]);
  });
});

describe("a build without wrapping", () => {
  test("goes through as it is, with a hint unless it is to be quiet", async () => {
    place.put({ Dockerfile: GUIDE });
    const ran = await place.tk(["docker", "build", "-t", "x", "."]);
    expect(ran.status).toBe(0);
    expect(ran.stderr).toContain("with `docker.wrap_entrypoint: true` loaded, tk would start its program");
    expect(place.calls().map((call) => call.words.join(" "))).toEqual(["build -t x ."]);
    expect((await place.tk(["docker", "build", "-q", "."])).stderr).toBe("");
  });

  test("a question is no build", async () => {
    const ran = await place.tk([...WRAP, "build", "--help"]);
    expect(ran.stdout).toStartWith("Usage:  docker build [OPTIONS]");
    expect(ran.stderr).toBe("");
  });

  test("compose and bake are told apart, and built as they are", async () => {
    const ran = await place.tk([...WRAP, "compose", "build"]);
    expect(ran.stderr).toContain("docker compose builds images as they are");
    expect(ran.stdout).toBe("stand-in: compose build\n");
  });
});

describe("a wrapped build", () => {
  test("the guide's image, by its configuration, with what was loaded inside", async () => {
    place.put({ Dockerfile: GUIDE, "wrap-config.c4m": "docker.wrap_entrypoint: true\n" });
    expect((await place.tk(["load", "wrap-config.c4m"])).status).toBe(0);
    const ran = await place.tk(["docker", "build", "-t", "chalk-demo-container", "."]);
    expect(ran.stderr).toBe("");
    expect(ran.status).toBe(0);
    const [build, ...more] = place.builds();
    expect(more).toEqual([]);
    expect(build!.dockerfile).toBe(
      `${GUIDE}# tk: from here to the end of the stage, so that tk starts the program
COPY --from=tk-files /linux/${process.arch === "x64" ? "amd64" : process.arch}/tk /tk
COPY --from=tk-files /linux/${process.arch === "x64" ? "amd64" : process.arch}/.tk /.tk
COPY --from=tk-files /linux/${process.arch === "x64" ? "amd64" : process.arch}/tk.loaded.json /tk.loaded.json
ENTRYPOINT ["/tk","exec","--"]
# tk: end
`,
    );
    expect(build!.words.filter((word) => !word.startsWith("--"))).toEqual(["build", "-t", "chalk-demo-container", "."]);
    const root = place.makeRoot(build!, false);
    const store = JSON.parse(readFileSync(join(root, "tk.loaded.json"), "utf8"));
    expect(store.components).toMatchObject([{ name: "wrap-config", text: "docker.wrap_entrypoint: true\n" }]);
    expect(statSync(join(root, "tk.loaded.json")).mode & 0o777).toBe(0o644);
    expect(statSync(join(root, "tk")).mode & 0o777).toBe(0o755);
    expectNothingLeft(["Dockerfile", "wrap-config.c4m"]);
    expect((await place.tk(["load", "default"])).status).toBe(0);
  });

  test("buildx build, image build, global flags: only the Dockerfile is another", async () => {
    place.put({ Dockerfile: GUIDE });
    for (const head of ["buildx build", "image build", "--context c buildx build"]) {
      place.forget();
      const { ran, last } = await wrapped([...head.split(" "), "--no-cache", "-t", "a b", "."]);
      expect(ran.stderr).toBe("");
      expect(isWrapped(last.dockerfile)).toBe(true);
      expect(last.words.filter((word) => !/^--(file|build-context)=/.test(word))).toEqual([
        ...head.split(" "),
        "--no-cache",
        "-t",
        "a b",
        ".",
      ]);
    }
  });

  test("-f anywhere, with the ignore file that belongs to it; a lower-case default", async () => {
    place.put({
      "sub/Prod.docker": GUIDE,
      "sub/Prod.docker.dockerignore": "secret\n",
      ".dockerignore": "other\n",
      "dir/dockerfile": GUIDE,
    });
    const { last } = await wrapped(["build", "-t", "x", "-f", "sub/Prod.docker", "."]);
    expect(isWrapped(last.dockerfile)).toBe(true);
    expect(last.ignore).toBe("secret\n");
    expect(last.words.join(" ")).toMatch(/--file=\S+\/Prod\.docker -t x \.$/);
    const lower = await wrapped(["build", "dir"]);
    expect(isWrapped(lower.last.dockerfile)).toBe(true);
    expectNothingLeft([
      ".dockerignore",
      "dir",
      "dir/dockerfile",
      "sub",
      "sub/Prod.docker",
      "sub/Prod.docker.dockerignore",
    ]);
  });

  test("--target decides the stage", async () => {
    place.put({ Dockerfile: 'FROM alpine AS one\nENTRYPOINT ["one"]\nFROM alpine\nENTRYPOINT ["two"]\n' });
    const { last } = await wrapped(["build", "--target", "one", "."]);
    expect(last.dockerfile).toMatch(
      /ENTRYPOINT \["\/tk","exec","--exec-command-name","one","--"\]\n# tk: end\nFROM alpine\n/,
    );
    const whole = await wrapped(["build", "."]);
    expect(whole.last.dockerfile).toEndWith('"--exec-command-name","two","--"]\n# tk: end\n');
  });

  test("a Dockerfile on standard input", async () => {
    place.put({ file: "x" });
    const { ran, last } = await wrapped(["build", "-f", "-", "."], { stdin: GUIDE });
    expect(ran.stderr).toBe("");
    expect(isWrapped(last.dockerfile)).toBe(true);
    expect(last.context).toEqual([".", "./file"]);
  });

  test("a Dockerfile on standard input, and no context", async () => {
    const { ran, last } = await wrapped(["build", "-"], { stdin: GUIDE });
    expect(ran.stderr).toBe("");
    expect(last.dockerfile).toStartWith(GUIDE);
    expect(isWrapped(last.dockerfile)).toBe(true);
  });

  for (const compressed of [false, true])
    test(`a context on standard input, ${compressed ? "gzip" : "tar"}`, async () => {
      place.put({ Dockerfile: "FROM nothing\n", "sub/D": GUIDE, data: "kept" });
      const tar = new Uint8Array(spawnSync("tar", ["-C", place.context, "-cf", "-", "."]).stdout);
      const path = join(place.folder, "context.tar");
      writeFileSync(path, compressed ? gzipSync(tar) : tar);
      const line = `exec "$0" --wrap docker build -f sub/D -t x - < "${path}"`;
      const ran = await run(["sh", "-c", line, TK], { env: place.environment });
      expect(ran.stderr).toBe("");
      const last = place.builds().at(-1)!;
      expect(isWrapped(last.dockerfile)).toBe(true);
      expect(last.words.at(-1)).toBe("-");
      expect([...last.context].sort()).toEqual(["./", "./Dockerfile", "./data", "./sub/", "./sub/D"]);
    });

  test("what the registry says of the base image, platform by platform", async () => {
    const config = (entry: string) => ({ config: { Entrypoint: [entry] } });
    place.remoteImage("remote:1", { "linux/amd64": config("/on-amd"), "linux/arm64/v8": config("/on-arm") });
    place.put({ Dockerfile: "FROM remote:1\nCMD x\n" });
    expect((await wrapped(["build", "--platform=linux/amd64", "."])).last.dockerfile).toContain('"/on-amd"');
    const both = await wrapped(["build", "--platform=linux/amd64,linux/arm64", "."]);
    expect(both.ran.stderr).toContain("cannot wrap ENTRYPOINT due to: what it starts differs between platforms");
  });

  test("another platform needs a binary for it", async () => {
    place.put({ Dockerfile: 'FROM alpine\nENTRYPOINT ["a"]\n' });
    const other = process.arch === "x64" ? "arm64" : "amd64";
    const { ran, last } = await wrapped(["build", "--platform", `linux/${other}`, "."]);
    expect(ran.status).toBe(0);
    expect(ran.stderr).toContain(
      `there is no tk for linux/${other}, looked for as '${place.folder}/home/.local/chalk/bin/linux/${other}/tk'`,
    );
    expect(last.words.join(" ")).toBe(`build --platform linux/${other} .`);
    // A binary of this machine under the other one's name.
    const wrong = join(place.folder, "home/.local/chalk/bin/linux", other);
    mkdirSync(wrong, { recursive: true });
    symlinkSync(TK, join(wrong, "tk"));
    const mixed = await wrapped(["build", `--platform=linux/${other}`, "."]);
    expect(mixed.ran.stderr).toContain(`that file is no tk for linux/${other}`);
    rmSync(wrong, { recursive: true });
    // The machine that builds may not be this one.
    const remote = await wrapped(["build", "."], { env: { STAND_IN_PLATFORM: `linux/${other}` } });
    expect(remote.ran.stderr).toContain(`there is no tk for linux/${other}`);
    place.builder("far", `Name: far\nNodes:\nPlatforms:        linux/${other}*, linux/386\n`);
    const far = await wrapped(["buildx", "build", "--builder=far", "."]);
    expect(far.ran.stderr).toContain(`there is no tk for linux/${other}`);
  });

  test("a builder without named contexts takes the files from an image, which is built once", async () => {
    place.put({ Dockerfile: GUIDE, ".dockerignore": "*\n!Dockerfile" });
    const env = { STAND_IN_BUILDX: "0" };
    const first = await wrapped(["build", "-t", "x", "."], { env });
    expect(first.ran.stderr).toBe("");
    const image = /COPY --from=(tk-files:[0-9a-f]{24}) \/linux/.exec(first.last.dockerfile)?.[1];
    expect(isWrapped(first.last.dockerfile)).toBe(true);
    const files = place.calls().find((call) => call.words.includes(image!) && call.words.includes("build"))!;
    expect(files.dockerfile).toMatch(/^FROM scratch\n(COPY linux\/\w+\/\S+ \/linux\/\w+\/\S+\n){3}$/);
    expect(existsSync(join(files.files!, "linux"))).toBe(true);
    expectNothingLeft([".dockerignore", "Dockerfile"]);
    place.forget();
    await wrapped(["build", "."], { env });
    expect(place.calls().filter((call) => call.words.includes("--tag"))).toEqual([]);
  });

  test("an old syntax line, too", async () => {
    place.put({ Dockerfile: `# syntax=docker/dockerfile:1.2\n${GUIDE}` });
    const { last } = await wrapped(["build", "."]);
    expect(last.dockerfile).toMatch(/COPY --from=tk-files:[0-9a-f]{24} /);
    expect(last.words.join(" ")).not.toContain("--build-context");
  });

  test("eight at once in one context", async () => {
    place.put({ Dockerfile: GUIDE, ".dockerignore": "x\n" });
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, i) => place.tk([...WRAP, "build", "-t", `n${i}`, "."])),
    );
    for (const ran of all) expect([ran.status, ran.stderr]).toEqual([0, ""]);
    const builds = place.builds();
    expect(builds.map((build) => build.words.find((word) => /^n\d$/.test(word))).sort()).toEqual([
      "n0",
      "n1",
      "n2",
      "n3",
      "n4",
      "n5",
      "n6",
      "n7",
    ]);
    for (const build of builds) {
      expect(isWrapped(build.dockerfile)).toBe(true);
      expect(build.context).toEqual([".", "./.dockerignore", "./Dockerfile"]);
      expect(build.ignore).toBe("x\n");
    }
    expectNothingLeft([".dockerignore", "Dockerfile"]);
  });
});

describe("when wrapping is not possible", () => {
  const alone: readonly (readonly [name: string, dockerfile: string | Uint8Array | undefined, why: string])[] = [
    ["nothing to start", "FROM scratch\nRUN x\n", "there is neither an ENTRYPOINT nor a CMD"],
    ["base image unknown", "FROM nobody/knows\nCMD x\n", "whether the base image 'nobody/knows' has one is not known"],
    ["no Dockerfile", undefined, "cannot be read: no such file or directory"],
    ["NUL in it", "FROM scratch\0\nCMD x\n", "it holds a NUL character"],
    ["not text", Uint8Array.of(0xff, 0xfe, 0x41), "it is not UTF-8"],
    ["huge", "FROM scratch\n".repeat(1 << 16), "it is larger than 256 KiB"],
    ["another language", "# syntax=x/y\n(cook soup)\n", "in the language of 'x/y'"],
    ["blank first word", 'FROM alpine\nENTRYPOINT [" "]\n', "the first word of its ENTRYPOINT is blank"],
  ];
  for (const [name, dockerfile, why] of alone)
    test(`${name}: said, and built as it is`, async () => {
      place.put(dockerfile === undefined ? {} : { Dockerfile: dockerfile });
      const { ran, builds } = await wrapped(["build", "-t", "x", "."], { env: { STAND_IN_STATUS: "3" } });
      expect(ran.stderr).toContain("tk: docker: cannot wrap ENTRYPOINT due to: ");
      expect(ran.stderr).toContain(why);
      expect(builds.map((build) => build.words.join(" "))).toEqual(["build -t x ."]);
      expect(ran.status).toBe(3);
      expect(place.leftOvers()).toEqual([]);
    });

  test("control characters of a file do not reach the terminal", async () => {
    place.put({ Dockerfile: "FROM x\u001b[2Jy\nCMD x\n" });
    const { ran } = await wrapped(["build", "."]);
    expect(ran.stderr).not.toContain("\u001b");
  });

  test("a folder or a pipe as Dockerfile, an address as context, a flag of tomorrow, two contexts", async () => {
    place.put({ "D/x": "", Dockerfile: GUIDE });
    spawnSync("mkfifo", [join(place.context, "pipe")]);
    const lines: readonly (readonly [string, string])[] = [
      ["build -f D .", "it is a directory"],
      ["build -f pipe .", "it is no regular file"],
      ["build https://example.com/repo.git", "its context 'https://example.com/repo.git' is not a directory"],
      ["build --tomorrow x .", "its flag --tomorrow is not known"],
      ["build a b", "docker build takes one context, and here are 2"],
      ["build -f - -", "cannot both be standard input"],
    ];
    for (const [line, why] of lines) {
      place.forget();
      const { ran, builds } = await wrapped(line.split(" "));
      expect(ran.stderr).toContain(why);
      expect(builds.map((build) => build.words.join(" "))).toEqual([line]);
    }
  });

  test("standard input that was read is given again", async () => {
    const { ran, last } = await wrapped(["build", "-"], { stdin: "FROM nobody/knows\nCMD x\n" });
    expect(ran.stderr).toContain("not known");
    expect(last.words.join(" ")).toBe("build -");
    expect(last.stdin).toBe("FROM nobody/knows\nCMD x\n");
  });

  test("an image that starts tk already is left as it is", async () => {
    place.image("mine", { Entrypoint: ["/tk", "exec", "--"], Cmd: ["x"] });
    place.put({ Dockerfile: "FROM mine\nCMD y\n" });
    const { ran, builds } = await wrapped(["build", "."]);
    expect(ran.stderr).toBe("tk: docker: the image starts tk already, and nothing is added\n");
    expect(builds.map((build) => build.words.join(" "))).toEqual(["build ."]);
  });

  test("no place for files at all", async () => {
    place.put({ Dockerfile: GUIDE });
    const env = { HOME: "/proc/nowhere", TMPDIR: "/proc/nowhere" };
    const { ran, builds } = await wrapped(["build", "."], { env });
    expect(ran.status).toBe(0);
    expect(ran.stderr).toContain("docker: retrying without tk due to: ");
    expect(builds.map((build) => build.words.join(" "))).toEqual(["build ."]);
  });
});

describe("when the wrapped build fails", () => {
  const FAILS = { STAND_IN_WRAPPED: "17" };

  test("the build runs again as it was typed, and its status counts", async () => {
    place.put({ Dockerfile: GUIDE });
    for (const status of ["0", "5"]) {
      place.forget();
      const { ran, builds } = await wrapped(["build", "-t", "x", "."], { env: { ...FAILS, STAND_IN_STATUS: status } });
      expect(ran.status).toBe(Number(status));
      expect(ran.stderr).toBe(
        "tk: docker: retrying without tk due to: the build of the wrapped image ended with status 17\n",
      );
      expect(builds.map((build) => isWrapped(build.dockerfile))).toEqual([true, false]);
      expect(builds[1]!.words.join(" ")).toBe("build -t x .");
      expectNothingLeft(["Dockerfile"]);
    }
  });

  test("with the standard input that it had", async () => {
    const { ran, builds } = await wrapped(["build", "-f", "-", "."], { env: FAILS, stdin: GUIDE });
    expect(ran.status).toBe(0);
    expect(builds.map((build) => build.stdin)).toEqual([undefined, GUIDE]);
    expect(builds[1]!.dockerfile).toBe(GUIDE);
  });

  test("a report goes to topic fail, without the values of build arguments", async () => {
    place.put({ Dockerfile: GUIDE });
    const log = join(place.folder, "fail.log");
    const config = join(place.folder, "fail.c4m");
    writeFileSync(config, `sink_config f {\n  sink: "file"\n  filename: "${log}"\n}\nsubscribe("fail", "f")\n`);
    const words = ["build", "--build-arg", "TOKEN=hush", "--build-arg=B=hush", "-t", "x", "."];
    const ran = await place.tk([`--config-file=${config}`, ...WRAP, ...words], {
      env: { ...FAILS, STAND_IN_STATUS: "4" },
    });
    expect(ran.status).toBe(4);
    const [report] = JSON.parse(readFileSync(log, "utf8"));
    expect(report._OPERATION).toBe("docker");
    expect(report._OP_ERRORS).toEqual(["the build of the wrapped image ended with status 17"]);
    expect(report._ARGV).toEqual([
      "build",
      "--build-arg",
      "TOKEN=<<redact>>",
      "--build-arg=B=<<redact>>",
      "-t",
      "x",
      ".",
    ]);
    rmSync(log);
  });
});

describe("when tk is asked to end", () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
    test(`${signal} reaches docker; nothing is built again, nothing stays`, async () => {
      place.put({ Dockerfile: GUIDE, ".dockerignore": "x\n" });
      const running = place.start([...WRAP, "build", "."], { env: { STAND_IN_WAIT: "30" } });
      while (place.waiting() === 0) await Bun.sleep(10);
      running.kill(signal);
      const ran = await running.done;
      expect(ran.ms).toBeLessThan(20_000);
      expect(ran.shell).toBe({ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]);
      expect(place.builds().length).toBe(1);
      expectNothingLeft([".dockerignore", "Dockerfile"]);
    });

  test.skipIf(lacks("terminal"))("Ctrl-C reaches docker once, though the terminal tells both", async () => {
    place.put({ Dockerfile: GUIDE });
    const pty = new Pty({ cwd: place.context, env: { ...place.environment, STAND_IN_WAIT: "30" } });
    try {
      await pty.prompt(0);
      pty.type(`${TK} --wrap docker build .${KEY.enter}`);
      while (place.waiting() === 0) await Bun.sleep(10);
      expect(await pty.keys(KEY.ctrlC)).toBe(130);
    } finally {
      await pty.close();
    }
    expect(place.builds().map((build) => build.interrupts)).toEqual([1]);
    expectNothingLeft(["Dockerfile"]);
  });

  test("killed outright, it leaves the context as it was", async () => {
    place.put({ Dockerfile: GUIDE, ".dockerignore": "x\n" });
    const running = place.start([...WRAP, "build", "."], { env: { STAND_IN_WAIT: "1" } });
    while (place.waiting() === 0) await Bun.sleep(10);
    running.kill("SIGKILL");
    await running.done;
    expect(readdirSync(place.context).sort()).toEqual([".dockerignore", "Dockerfile"]);
    expect(readFileSync(join(place.context, ".dockerignore"), "utf8")).toBe("x\n");
  });
});
