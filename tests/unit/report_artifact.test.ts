// Which file stands for a program: the executable, a marked script, an image's /chalk.json; live and after its end.
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { collectFacts, FACT_NAMES } from "../../lib/report/facts/collect.ts";
import { ProgramArtifact } from "../../lib/report/artifact_of.ts";
import { temporaryFolder } from "../support/programs.ts";
import { REAL_MARK } from "../support/marks.ts";
import { everything, fullReport, GONE, LiveProgram } from "../support/reports.ts";
import { lacks } from "../support/needs.ts";

const folder = temporaryFolder(false);
const ID = "6WR6AR-SN6H-J6CD-K66GSK";

function script(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

const WAITING = "echo ready; read x\n";

async function whileRunning<T>(
  command: string,
  args: readonly string[],
  look: (pid: number) => Promise<T>,
): Promise<T> {
  const live = new LiveProgram(command, args);
  try {
    await live.ready;
    return await look(live.pid);
  } finally {
    await live.stop();
  }
}

test("an unmarked script: the interpreter stands for the program", async () => {
  const path = script("plain.sh", `#!/bin/bash\n${WAITING}`);
  await whileRunning(path, [], async (pid) => {
    const artifact = await new ProgramArtifact().inspect(everything(pid), path, true);
    const bash = spawnSync("readlink", ["-f", "/bin/bash"], { encoding: "utf8" }).stdout.trim();
    expect(artifact).toMatchObject({ path: bash, type: "ELF", mark: undefined });
    expect(artifact?.hash).toBe(spawnSync("sha256sum", [bash], { encoding: "utf8" }).stdout.slice(0, 64));
    const { host } = fullReport({ artifact, facts: everything(pid) });
    expect(host).toMatchObject({ _UNMARKED: [bash], _OP_CHALK_COUNT: 0, _OP_UNMARKED_COUNT: 1 });
  });
});

test("a marked script is found, told what was started or not", async () => {
  const path = script("marked.sh", `#!/bin/bash\n${WAITING}# ${REAL_MARK}\n`);
  await whileRunning(path, ["argument"], async (pid) => {
    for (const known of [path, undefined]) {
      const facts = everything(pid);
      const artifact = await new ProgramArtifact().inspect(facts, known, true);
      expect(artifact).toMatchObject({ path, type: "bash", validated: true, problems: [] });
      expect(artifact?.hash).toMatch(/^[0-9a-f]{64}$/);
      const report = fullReport({ artifact, facts }, "report_default");
      expect(report.host["_OP_CHALK_COUNT"]).toBe(1);
      expect(report.host).not.toHaveProperty("_UNMARKED");
      expect(report.artifact).toMatchObject({
        CHALK_ID: ID,
        METADATA_ID: "ECSG1B-Z42X-AZEM-T93DN8",
        TIMESTAMP_WHEN_CHALKED: 1703173284113,
        _OP_ARTIFACT_PATH: path,
        _OP_ARTIFACT_TYPE: "bash",
        _VALIDATED_METADATA: true,
        _PROCESS_PID: pid,
        _PROCESS_COMMAND_NAME: "marked.sh",
      });
    }
  });
});

test("a script whose mark was tampered with is marked, not valid, and says why", async () => {
  const path = script("forged.sh", `#!/bin/sh\n# ${REAL_MARK.replace("viega", "mallory")}\n`);
  const artifact = await new ProgramArtifact().inspect(
    { ...GONE, exe: new TextEncoder().encode("/bin/sh") },
    path,
    false,
  );
  expect(fullReport({ artifact }).artifact).toMatchObject({
    CHALK_ID: ID,
    _VALIDATED_METADATA: false,
    _ERR_INFO: ["METADATA_ID of the chalk mark does not follow from its content"],
  });
});

test.skipIf(lacks("objcopy"))("a marked executable by another name, and after it was deleted", async () => {
  writeFileSync(join(folder, "m.json"), REAL_MARK);
  const cat = join(folder, "marked-cat");
  const made = spawnSync("objcopy", ["--add-section", `.chalk.mark=${join(folder, "m.json")}`, "/bin/cat", cat]);
  expect(made.status).toBe(0);
  const link = join(folder, "link");
  symlinkSync(cat, link);
  const live = new LiveProgram(link, []);
  try {
    live.child.stdin!.write("ready\n");
    await live.ready;
    const inspector = new ProgramArtifact();
    expect(await inspector.inspect(everything(live.pid), link, false)).toMatchObject({
      path: cat,
      type: "ELF",
      validated: true,
    });
    rmSync(cat);
    const facts = everything(live.pid);
    expect(fullReport({ facts }).artifact["_PROCESS_EXE_PATH"]).toBe(`${cat} (deleted)`);
    expect(await new ProgramArtifact().inspect(facts, link, false)).toMatchObject({ path: cat, validated: true });
  } finally {
    await live.stop();
  }
});

test("a program that has gone is what was started", async () => {
  const path = script("gone.sh", "#!/bin/sh\n");
  expect(await new ProgramArtifact().inspect(GONE, path, true)).toMatchObject({ path, type: "sh", mark: undefined });
  expect(await new ProgramArtifact().inspect(GONE, undefined, true)).toBeUndefined();
  expect(await new ProgramArtifact().inspect(GONE, "/nonexistent/x", true)).toMatchObject({
    path: "/nonexistent/x",
    type: undefined,
    hash: undefined,
  });
});

test("the program's own /chalk.json speaks before everything else", async () => {
  const procRoot = temporaryFolder();
  const exe = join(folder, "some-exe");
  copyFileSync("/bin/true", exe);
  mkdirSync(join(procRoot, "4711/root"), { recursive: true });
  writeFileSync(join(procRoot, "4711/root/chalk.json"), REAL_MARK);
  symlinkSync(exe, join(procRoot, "4711/exe"));
  writeFileSync(join(procRoot, "4711/stat"), "4711 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 " + "0 ".repeat(30));
  const facts = collectFacts({ pid: 4711, facts: new Set(FACT_NAMES), procRoot });
  expect(facts.life).toBe("alive");
  const artifact = await new ProgramArtifact(procRoot).inspect(facts, exe, false);
  expect(artifact).toMatchObject({ path: "/chalk.json", place: "image", validated: true });
  expect(fullReport({ artifact, facts }).artifact).toMatchObject({ _OP_ARTIFACT_TYPE: "Docker Image", CHALK_ID: ID });
});

test("what was seen is remembered until the file changes", async () => {
  const path = script("changing.sh", `#!/bin/sh\n# ${REAL_MARK}\n`);
  const inspector = new ProgramArtifact();
  const facts = { ...GONE, exe: new TextEncoder().encode("/bin/sh") };
  const first = await inspector.inspect(facts, path, true);
  expect(await inspector.inspect(facts, path, true)).toBe(first!);
  writeFileSync(path, "#!/bin/sh\n");
  expect((await inspector.inspect(facts, path, true))?.path).toBe("/bin/sh");
});
