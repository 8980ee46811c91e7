// Marks where real tools put them: ELF sections (objcopy), scripts, archives (zip), bytecode (python), and files that lie.
import { beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { MarkFile } from "../../lib/mark/file.ts";
import { findMark, languageOf } from "../../lib/mark/find_mark.ts";
import { temporaryFolder } from "../support/programs.ts";
import { makeMark, REAL_MARK } from "../support/marks.ts";
import { lacks } from "../support/needs.ts";

const folder = temporaryFolder(false);
const at = (name: string) => join(folder, name);
let mark: string;

function run(command: string, ...args: string[]): void {
  const done = spawnSync(command, args, { encoding: "utf8", cwd: folder });
  if (done.status !== 0) throw new Error(`${command}: ${done.error?.message ?? done.stderr}`);
}

function find(name: string) {
  const file = MarkFile.open(at(name))!;
  try {
    const found = findMark(file, at(name));
    return { type: found.type, id: found.mark?.get("CHALK_ID"), problems: found.problems, mark: found.mark };
  } finally {
    file.close();
  }
}

const ID = "6WR6AR-SN6H-J6CD-K66GSK";

beforeAll(() => {
  mark = makeMark();
  writeFileSync(at("main.c"), "int main(void){return 0;}\n");
  writeFileSync(at("mark.json"), REAL_MARK);
  if (lacks("objcopy")) return;
  run("gcc", "-o", "plain", "main.c");
  run("objcopy", "--add-section", ".chalk.mark=mark.json", "plain", "marked");
});

test.skipIf(lacks("objcopy"))("an ELF file with a section, and it still runs", () => {
  expect(find("plain")).toMatchObject({ type: "ELF", id: undefined, problems: [] });
  expect(find("marked")).toMatchObject({ type: "ELF", id: ID });
  run(at("marked"));
});

test.skipIf(lacks("objcopy"))("an ELF file with the mark at its end", () => {
  copyFileSync(at("plain"), at("appended"));
  appendFileSync(at("appended"), "\n" + REAL_MARK);
  expect(find("appended")).toMatchObject({ type: "ELF", id: ID });
});

test.skipIf(lacks("objcopy"))("a file of many GiB is not read whole", () => {
  copyFileSync(at("marked"), at("huge"));
  truncateSync(at("huge"), 20 * 1024 ** 3);
  const began = performance.now();
  expect(find("huge")).toMatchObject({ type: "ELF", id: ID });
  writeFileSync(at("huge.sh"), `#!/bin/sh\n# ${REAL_MARK}\n`);
  truncateSync(at("huge.sh"), 20 * 1024 ** 3);
  expect(find("huge.sh").id).toBe(ID);
  expect(performance.now() - began).toBeLessThan(1500);
});

test.skipIf(lacks("objcopy"))("ELF headers that lie give no mark and no exception", () => {
  const bytes = readFileSync(at("marked"));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const table = Number(view.getBigUint64(40, true));
  let n = 0;
  const lie = (change: (b: Buffer, v: DataView) => void) => {
    const copy = Buffer.from(bytes);
    change(copy, new DataView(copy.buffer, copy.byteOffset, copy.length));
    const name = `lie${n++}`;
    writeFileSync(at(name), copy);
    expect(find(name).type).toBe("ELF");
  };
  lie((_, v) => v.setBigUint64(40, (1n << 63n) - 1n, true));
  lie((_, v) => v.setBigUint64(40, BigInt(bytes.length - 3), true));
  lie((_, v) => v.setUint16(58, 1, true));
  lie((_, v) => v.setUint16(58, 0xffff, true));
  lie((_, v) => v.setUint16(60, 0xffff, true));
  lie((_, v) => v.setUint16(60, 0, true));
  lie((_, v) => v.setUint16(62, 0xfffe, true));
  lie((b) => (b[4] = 1));
  lie((b) => (b[4] = 9));
  lie((b) => (b[5] = 2));
  for (let i = 0; i < 5; i++)
    lie((_, v) => {
      v.setUint32(table + i * 64, 0xffffffff, true);
      v.setBigUint64(table + i * 64 + 24, 0xffffffffffffffffn, true);
      v.setBigUint64(table + i * 64 + 32, 0xffffffffffffffffn, true);
    });
  for (const size of [0, 3, 4, 16, 52, 63, 64, 65, 200]) {
    writeFileSync(at("cut"), bytes.subarray(0, size));
    expect(find("cut").id).toBeUndefined();
  }
});

test("a script with a comment line, whatever stands around it", () => {
  const cases: [string, string][] = [
    [`#!/bin/bash\necho hi\n# ${REAL_MARK}\n`, "bash"],
    [`#!/usr/bin/env python3.11\n# ${REAL_MARK}\nprint(1)`, "python"],
    [`#! /usr/bin/env -S FOO=1 node --flag\n// ${REAL_MARK}`, "node"],
    [`#!/usr/bin/perl5.36\n#${REAL_MARK.replaceAll(" ", "")}\r\n`, "perl"],
    [`#!/bin/sh\n# ${REAL_MARK.replace('{ "MAGIC" : ', '{\n\t"MAGIC"  :\n')}\n`, "sh"],
    [`#!/bin/sh\nmagic='{ "MAGIC" : "dadfedabbadabbed" }'\n# ${REAL_MARK}\necho dadfedabbadabbed\n`, "sh"],
    [`#!/bin/sh\n# ${REAL_MARK}\nx='{ "MAGIC" : "dadfedabbadabbed" }'\n`, "sh"],
  ];
  for (const [text, type] of cases) {
    writeFileSync(at("script"), text);
    expect(find("script")).toMatchObject({ type, id: ID, problems: [] });
  }
  writeFileSync(at("unmarked.sh"), "#!/bin/sh\n# dadfedabbadabbed\necho\n");
  expect(find("unmarked.sh")).toMatchObject({ type: "sh", id: undefined, problems: [] });
});

test("the last mark counts, and a place holder is none", () => {
  writeFileSync(at("two"), `#!/bin/sh\n# ${mark}\n# ${REAL_MARK}\n# { "MAGIC" : "dadfedabbadabbed" }\n`);
  expect(find("two").id).toBe(ID);
});

test("a broken mark is told", () => {
  for (const text of [
    REAL_MARK.slice(0, -2),
    REAL_MARK.slice(0, 300),
    REAL_MARK.replace(",", ",,"),
    `{ "MAGIC" : "dadfedabbadabbed", "A" : ${"[".repeat(50_000)}`,
  ]) {
    writeFileSync(at("broken"), `#!/bin/sh\n# ${text}`);
    const found = find("broken");
    expect(found.id).toBeUndefined();
    expect(found.problems.length).toBe(1);
    expect(found.problems[0]).toStartWith("A chalk mark that cannot be read: ");
  }
});

test("a file made of beginnings of marks is given up soon", () => {
  writeFileSync(at("beginnings"), "#!/bin/sh\n" + '{ "MAGIC" : "dadfedabbadabbed", "A" : "'.repeat(200_000));
  const began = performance.now();
  expect(find("beginnings").id).toBeUndefined();
  expect(performance.now() - began).toBeLessThan(3000);
});

test("names of a mark mean nothing to us", () => {
  const text = makeMark({ toString: 1, constructor: { prototype: 1 } }).replace(
    '"HASH"',
    '"__proto__": {"polluted": true}, "HASH"',
  );
  writeFileSync(at("names"), `#!/bin/sh\n# ${text}\n`);
  expect(find("names").mark?.get("__proto__")).toEqual(new Map([["polluted", true]]));
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test.skipIf(lacks("zip"))(
  "archives keep it in chalk.json, packed or not, with or without something before them",
  () => {
    mkdirSync(at("sub"), { recursive: true });
    writeFileSync(at("chalk.json"), REAL_MARK + " ".repeat(5000));
    writeFileSync(at("sub/chalk.json"), mark);
    writeFileSync(at("other.txt"), "x".repeat(100_000));
    for (const [name, type] of [
      ["a.jar", "JAR"],
      ["a.war", "WAR"],
      ["a.ear", "EAR"],
      ["a.zip", "ZIP"],
    ] as const) {
      run("zip", "-q", name, "other.txt", "sub/chalk.json", "chalk.json");
      expect(find(name)).toMatchObject({ type, id: ID });
    }
    run("zip", "-q", "-0", "stored.zip", "chalk.json", "other.txt");
    expect(find("stored.zip").id).toBe(ID);
    writeFileSync(at("app.pyz"), Buffer.concat([Buffer.from("#!/usr/bin/env python3\n"), readFileSync(at("a.zip"))]));
    expect(find("app.pyz")).toMatchObject({ type: "ZIP", id: ID });
    run("zip", "-q", "deep.zip", "sub/chalk.json");
    expect(find("deep.zip")).toMatchObject({ type: "ZIP", id: undefined });
    run(
      "python3",
      "-c",
      "import zipfile as z\nf=z.ZipFile('zip64.zip','w')\nh=f.open('chalk.json','w',force_zip64=True)\nh.write(open('chalk.json','rb').read());h.close();f.close()",
    );
    expect(find("zip64.zip").type).toBe("ZIP");
  },
);

test.skipIf(lacks("zip"))("archives that lie", () => {
  const good = readFileSync(at("stored.zip"));
  for (let i = 0; i < good.length; i++) {
    // Every byte of the directory and of the first header.
    if (i > 60 && i < good.length - 250) continue;
    for (const value of [0, 0xff]) {
      const copy = Buffer.from(good);
      copy[i] = value;
      writeFileSync(at("lie.zip"), copy);
      find("lie.zip");
    }
  }
  run(
    "python3",
    "-c",
    "import zipfile as z\nf=z.ZipFile('bomb.zip','w',z.ZIP_DEFLATED)\nf.writestr('chalk.json','{ \"MAGIC\" : \"dadfedabbadabbed\", \"A\":\"' + 'a'*(64<<20))\nf.close()",
  );
  expect(find("bomb.zip").id).toBeUndefined();
});

test("python bytecode has it at its end", () => {
  writeFileSync(at("m.py"), "print(1)\n");
  run("python3", "-c", "import py_compile; py_compile.compile('m.py', 'm.pyc')");
  expect(find("m.pyc")).toMatchObject({ type: "Python Bytecode", id: undefined });
  appendFileSync(at("m.pyc"), REAL_MARK);
  expect(find("m.pyc")).toMatchObject({ type: "Python Bytecode", id: ID });
  run("python3", "m.pyc");
});

test("other kinds of files", () => {
  writeFileSync(at("x.py"), `# ${REAL_MARK}\n`);
  expect(find("x.py")).toMatchObject({ type: "python", id: ID });
  writeFileSync(at("data"), Uint8Array.of(1, 2, 0, 3));
  expect(find("data")).toMatchObject({ type: undefined, id: undefined });
  writeFileSync(at("empty"), "");
  expect(find("empty")).toMatchObject({ type: undefined, id: undefined });
});

test("only regular files are opened", () => {
  expect(MarkFile.open(folder)).toBeUndefined();
  expect(MarkFile.open(at("missing"))).toBeUndefined();
  expect(MarkFile.open("/dev/zero")).toBeUndefined();
  run("mkfifo", "fifo");
  expect(MarkFile.open(at("fifo"))).toBeUndefined();
  symlinkSync(at("loop"), at("loop"));
  expect(MarkFile.open(at("loop"))).toBeUndefined();
});

test("languageOf follows #! lines as the kernel and people write them", () => {
  const of = (line: string) => languageOf(new TextEncoder().encode(line));
  expect(of("#!/bin/sh")).toBe("sh");
  expect(of("#!\tpython3.3.1 -u\n")).toBe("python");
  expect(of("#!/usr/bin/env\n")).toBeUndefined();
  expect(of("#!")).toBeUndefined();
  expect(of("# /bin/sh")).toBeUndefined();
});

test.skipIf(lacks("objcopy"))("hash is sha256sum's", async () => {
  const file = MarkFile.open(at("plain"))!;
  const sum = spawnSync("sha256sum", [at("plain")], { encoding: "utf8" }).stdout.slice(0, 64);
  expect(await file.hash()).toBe(sum);
  file.close();
});
