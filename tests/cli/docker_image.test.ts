// What wrapped images do: the ENTRYPOINT and CMD that tk wrote are executed as they stand, as the first process of a PID namespace,
// in a root file system that has nothing but what the build puts there. Needs root, unshare and busybox (package busybox-static).
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DockerPlace, type Call } from "../support/docker.ts";
import { isRoot, requireTk, start, type Ran, type Running } from "../support/tk.ts";

const canRun = isRoot && existsSync("/bin/busybox");
if (!canRun) console.log("docker_image: not run: it needs root and busybox (package busybox-static)");

let place: DockerPlace;

beforeAll(() => {
  requireTk();
  place = new DockerPlace();
  place.image("alpine", {});
});
afterAll(() => place.close());

const SINK = `
docker.wrap_entrypoint: true
sink_config f {
  sink: "file"
  filename: "/tmp/reports.log"
}
subscribe("report", "f")
unsubscribe("report", "default_out")
`;

/** Builds with tk and the stand-in; the loaded configuration travels into the image. */
async function build(dockerfile: string, config = "", ...words: string[]): Promise<Call> {
  place.forget();
  place.put({ Dockerfile: dockerfile, "image.c4m": SINK + config });
  expect((await place.tk(["load", "default"])).status).toBe(0);
  expect((await place.tk(["load", "image.c4m"])).status).toBe(0);
  const ran = await place.tk(["docker", "build", ...words, "."]);
  expect([ran.status, ran.stderr]).toEqual([0, ""]);
  return place.builds().at(-1)!;
}

/** What docker starts: the words of the last ENTRYPOINT and the last CMD of a stage, counted from 0. */
function startOf({ dockerfile }: Call, stage: number): string[] {
  const text = dockerfile.split(/^FROM .*$/m)[stage + 1]!;
  const last = (keyword: string) => [...text.matchAll(new RegExp(`^${keyword} (.*)$`, "gm"))].at(-1)?.[1];
  const words = (value: string | undefined): string[] =>
    value === undefined ? [] : value.startsWith("[") ? JSON.parse(value) : ["/bin/sh", "-c", value];
  return [...words(last("ENTRYPOINT")), ...words(last("CMD"))];
}

interface Container {
  readonly root: string;
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly readOnly?: boolean;
}

/** The words as the first process of a container: its own processes, mounts and root, docker's PATH. */
function container({ root, words, env, user, readOnly }: Container): Running {
  const script = [
    'mount --bind "$0" "$0"',
    'mount -t proc proc "$0/proc"',
    'mount -t tmpfs -o mode=1777 tmpfs "$0/dev"',
    'mknod -m 666 "$0/dev/null" c 1 3',
    // /tmp stays writable, and its files can be read afterwards.
    'mount --bind "$0/tmp" "$0/tmp" && chmod 1777 "$0/tmp"',
    ...(readOnly === true ? ['mount -o remount,ro,bind "$0"'] : []),
    `exec /usr/bin/env -i ${environmentWords(env)} /usr/sbin/chroot ${user === undefined ? "" : `--userspec=${user}`} "$0" "$@"`,
  ].join(" && ");
  const command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, root, ...words];
  return start(command, { cwd: "/", env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } });
}

/** chroot itself must not get LD_*: `env` puts them together for whoever comes after it. */
function environmentWords(env: Readonly<Record<string, string>> = {}): string {
  return [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ...Object.entries(env).map(([k, v]) => `${k}=${v}`),
  ].join(" ");
}

interface Report {
  readonly _OPERATION: string;
  readonly _CHALKS: readonly { readonly [key: string]: unknown }[];
}

/** Reports that were written inside; the reporter of a PID 1 that has ended is gone with it, so they are looked for a while. */
function reportsIn(root: string): Report[] {
  const log = join(root, "tmp", "reports.log");
  if (!existsSync(log)) return [];
  return readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => JSON.parse(line) as Report[]);
}

async function runImage(call: Call, stage = 0, more: Partial<Container> = {}): Promise<{ ran: Ran; root: string }> {
  const root = place.makeRoot(call, true);
  const ran = await container({ root, words: startOf(call, stage), ...more }).done;
  return { ran, root };
}

/** The host's pid of the container's first process. */
async function firstProcess(running: Running): Promise<number> {
  for (;;) {
    const children = readFileSync(`/proc/${running.pid}/task/${running.pid}/children`, "utf8").trim();
    if (/^\d+$/.test(children)) return Number(children);
    await Bun.sleep(5);
  }
}

describe.if(canRun)("a wrapped image without any C library", () => {
  test("exec form with a CMD", async () => {
    const call = await build('FROM scratch\nENTRYPOINT ["sh", "-c"]\nCMD ["echo pid $$; sleep 0.5; exit 7"]\n');
    expect(startOf(call, 0)).toEqual([
      "/tk",
      "exec",
      "--exec-command-name",
      "sh",
      "--",
      "-c",
      "echo pid $$; sleep 0.5; exit 7",
    ]);
    const { ran, root } = await runImage(call);
    expect([ran.stdout, ran.stderr, ran.status]).toEqual(["pid 1\n", "", 7]);
    const [report] = reportsIn(root);
    expect(report!._OPERATION).toBe("exec");
    expect(report!._CHALKS[0]).toMatchObject({
      _PROCESS_PID: 1,
      _PROCESS_ARGV: ["sh", "-c", "echo pid $$; sleep 0.5; exit 7"],
      _PROCESS_EXE_PATH: "/bin/busybox",
    });
  });

  test("shell form", async () => {
    const call = await build("FROM scratch\nENTRYPOINT echo one | cat; sleep 0.5; exit 3\n");
    const { ran, root } = await runImage(call);
    expect([ran.stdout, ran.stderr, ran.status]).toEqual(["one\n", "", 3]);
    expect(reportsIn(root)[0]!._CHALKS[0]!["_PROCESS_ARGV"]).toEqual([
      "/bin/sh",
      "-c",
      "echo one | cat; sleep 0.5; exit 3",
    ]);
  });

  test("CMD only, in both forms; other words take its place", async () => {
    const call = await build('FROM alpine\nCMD ["sh", "-c", "echo from cmd; sleep 0.5"]\n');
    const { ran, root } = await runImage(call);
    expect([ran.stdout, ran.stderr, ran.status]).toEqual(["from cmd\n", "", 0]);
    expect(reportsIn(root).length).toBe(1);
    // docker run IMAGE echo -n --heartbeat
    const entrypoint = startOf(call, 0).slice(0, 3);
    const other = await runImage(call, 0, { words: [...entrypoint, "echo", "-n", "--heartbeat", "--"] });
    expect(other.ran.stdout).toBe("--heartbeat --");
    const shell = await build("FROM alpine\nCMD echo from $0; exit 4\n");
    const second = await runImage(shell);
    expect([second.ran.stdout, second.ran.status]).toEqual(["from /bin/sh\n", 4]);
  });

  test("the stage of --target", async () => {
    const text =
      'FROM scratch AS one\nCMD ["echo", "one"]\nFROM one AS two\nRUN x\nFROM scratch\nCMD ["echo", "three"]\n';
    const call = await build(text, "", "--target", "two");
    expect((await runImage(call, 1)).ran.stdout).toBe("one\n");
    const whole = await build(text);
    expect((await runImage(whole, 2)).ran.stdout).toBe("three\n");
  });

  test("as any user, on a read-only root", async () => {
    const call = await build('FROM scratch\nENTRYPOINT ["sh", "-c", "id -u; touch /x; sleep 0.5; exit 5"]\n');
    const { ran, root } = await runImage(call, 0, { user: "4711:4711", readOnly: true });
    expect(ran.stdout).toBe("4711\n");
    expect(ran.stderr).toBe("touch: /x: Read-only file system\n");
    expect(ran.status).toBe(5);
    expect(reportsIn(root)[0]!._CHALKS[0]!["_PROCESS_UID"]).toEqual([4711, 4711, 4711, 4711]);
  });

  test("the program's environment is docker's, LD_PRELOAD included, and tk is not touched by it", async () => {
    const call = await build('FROM scratch\nENTRYPOINT ["env"]\n');
    // busybox is static, so chroot is the only program here that would load it; it is given by a static env instead.
    const root = place.makeRoot(call, true);
    const words = ["/bin/busybox", "env", "LD_PRELOAD=/no/such.so", "LD_LIBRARY_PATH=/evil", ...startOf(call, 0)];
    const ran = await container({ root, words }).done;
    expect(ran.stderr).toBe("");
    expect(ran.stdout.trim().split("\n").sort()).toEqual([
      "LD_LIBRARY_PATH=/evil",
      "LD_PRELOAD=/no/such.so",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]);
  });

  test("nothing but tk and one static program", async () => {
    const call = await build('FROM scratch\nENTRYPOINT ["/program", "a b", ""]\n');
    const root = place.makeRoot(call, false);
    const source = join(place.folder, "static.c");
    writeFileSync(
      source,
      '#include <stdio.h>\n#include <unistd.h>\nint main(int c, char **v) { printf("%d %s %s|%s|\\n", getpid(), v[0], v[1], v[2]); fflush(stdout); sleep(1); return c; }\n',
    );
    expect(spawnSync("gcc", ["-static", "-o", join(root, "program"), source]).status).toBe(0);
    const ran = await container({ root, words: startOf(call, 0) }).done;
    expect([ran.stdout, ran.stderr, ran.status]).toEqual(["1 /program a b||\n", "", 3]);
    expect(reportsIn(root).length).toBe(1);
    expect(readdirSync(root).sort()).toEqual([".tk", "dev", "proc", "program", "tk", "tk.loaded.json", "tmp"]);
  });

  test("a program that is not there", async () => {
    const call = await build('FROM scratch\nENTRYPOINT ["nope"]\n');
    const { ran, root } = await runImage(call);
    expect(ran.status).toBe(127);
    expect(ran.stderr).toContain("nope");
    expect(reportsIn(root)).toEqual([]);
  });
});

describe.if(canRun)("signals and orphans of a wrapped image", () => {
  const TRAP = "trap 'echo got TERM; exit 9' TERM; echo ready; while :; do sleep 0.1; done";

  async function stopped(config: string): Promise<Ran> {
    const call = await build(`FROM scratch\nENTRYPOINT ["sh", "-c", "${TRAP}"]\n`, config);
    const root = place.makeRoot(call, true);
    const running = container({ root, words: startOf(call, 0) });
    const first = await firstProcess(running);
    while (reportsIn(root).length === 0) await Bun.sleep(20);
    // docker stop
    process.kill(first, "SIGTERM");
    return running.done;
  }

  test("SIGTERM reaches the program, which has tk's place", async () => {
    const ran = await stopped("");
    expect([ran.stdout, ran.status]).toEqual(["ready\ngot TERM\n", 9]);
  });

  test("SIGTERM reaches the program under tk as its parent", async () => {
    const ran = await stopped("exec.chalk_as_parent: true\n");
    expect([ran.stdout, ran.status]).toEqual(["ready\ngot TERM\n", 9]);
  });

  test("tk as parent reaps orphans and passes the status on", async () => {
    // Twenty orphans that end while the program goes on; it then counts who is left as a zombie.
    const program =
      "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.2 & sleep 0.2 &) ; done; sleep 1; cat /proc/[0-9]*/stat | while read -r a b c d; do echo $c; done | grep -c Z; exit 6";
    const call = await build(
      `FROM scratch\nENTRYPOINT ["sh", "-c", ${JSON.stringify(program)}]\n`,
      "exec.chalk_as_parent: true\n",
    );
    const root = place.makeRoot(call, true);
    spawnSync("ln", ["-s", "busybox", join(root, "bin", "grep")]);
    const ran = await container({ root, words: startOf(call, 0) }).done;
    expect([ran.stdout, ran.stderr, ran.status]).toEqual(["0\n", "", 6]);
    expect(reportsIn(root)[0]!._CHALKS[0]).toMatchObject({ _PROCESS_PARENT_PID: 1 });
  });

  test("death by a signal is what a container runtime sees", async () => {
    const call = await build(
      'FROM scratch\nENTRYPOINT ["sh", "-c", "sleep 0.3; kill -KILL $$"]\n',
      "exec.chalk_as_parent: true\n",
    );
    const { ran } = await runImage(call);
    expect(ran.shell).toBe(137);
  });

  test("heartbeats inside", async () => {
    const config = "exec.heartbeat: true\nexec.heartbeat_rate: <<300 ms>>\n";
    const call = await build('FROM scratch\nENTRYPOINT ["sleep", "2"]\n', config);
    const { ran, root } = await runImage(call);
    expect(ran.status).toBe(0);
    const operations = reportsIn(root).map((report) => report._OPERATION);
    expect(operations[0]).toBe("exec");
    expect(operations.filter((operation) => operation === "heartbeat").length).toBeGreaterThanOrEqual(2);
  });
});

describe.if(canRun)("other verbs of tk inside an image", () => {
  test("--version and render", async () => {
    const call = await build('FROM scratch\nENTRYPOINT ["x"]\n');
    const root = place.makeRoot(call, true);
    mkdirSync(join(root, "data"));
    writeFileSync(join(root, "data", "r.prof"), '{"Exec":{"seq":1,"timestamp":1,"pid":5,"filename":"/bin/true"}}\n');
    const inside = (...words: string[]) => container({ root, words: ["/tk", ...words] }).done;
    expect((await inside("--version")).stdout).toMatch(/^tk \d/);
    expect((await inside("render", "/data/r.prof")).status).toBe(0);
  });
});
