// Build contexts that are tar streams, made by tar(1) in its formats: the Dockerfile in them is found and replaced, the rest stays.
import { afterAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findInTar, kindOfStream, replaceInTar } from "../../lib/container/tar.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-tar-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LONG = `${"long/".repeat(40)}Dockerfile`;
let made = 0;

function archive(files: Readonly<Record<string, string>>, ...options: string[]): string {
  const root = join(folder, `in${made}`);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  const path = join(folder, `a${made++}.tar`);
  const tar = spawnSync("tar", ["-cf", path, ...options, "-C", root, "."]);
  expect(String(tar.stderr)).toBe("");
  return path;
}

function opened<A>(path: string, work: (fd: number) => A): A {
  const fd = openSync(path, "r");
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

const find = (path: string, name: string) =>
  opened(path, (fd) => {
    const found = findInTar(fd, name, 1 << 20);
    return found === undefined ? undefined : Buffer.from(found.bytes).toString();
  });

function replace(path: string, name: string, content: string): string {
  const out = join(folder, `out${made++}.tar`);
  opened(path, (fd) => replaceInTar(fd, out, findInTar(fd, name, 1 << 20)!, Buffer.from(content)));
  return out;
}

const extract = (path: string, name: string) => String(spawnSync("tar", ["-xOf", path, name]).stdout);
const list = (path: string) => String(spawnSync("tar", ["-tvf", path]).stdout).replaceAll(/ +\d+ (\d{4}-)/g, " $1");

const FILES = {
  Dockerfile: "FROM a\n",
  "sub/other": "x".repeat(1000),
  [LONG]: "FROM long\n",
  "sub/Dockerfile": "FROM sub\n",
};

describe("a Dockerfile in a tar stream", () => {
  for (const format of ["ustar", "gnu", "posix", "v7"])
    test(format, () => {
      // v7 has no room for the long name.
      const files = format === "v7" ? { ...FILES, [LONG]: undefined! } : FILES;
      if (format === "v7") delete (files as Record<string, string>)[LONG];
      const path = archive(files, `--format=${format}`);
      expect(find(path, "Dockerfile")).toBe("FROM a\n");
      expect(find(path, "./sub//Dockerfile")).toBe("FROM sub\n");
      if (format !== "v7") expect(find(path, LONG)).toBe("FROM long\n");
      expect(find(path, "nope")).toBeUndefined();
      expect(find(path, "sub")).toBeUndefined();
      for (const content of ["", "short", "y".repeat(5000)]) {
        const changed = replace(path, "Dockerfile", content);
        expect(extract(changed, "./Dockerfile")).toBe(content);
        expect(extract(changed, "./sub/other")).toBe(FILES["sub/other"]);
        expect(list(changed)).toBe(list(path));
      }
    });

  test("the last of several counts, as for whoever unpacks it", () => {
    const path = archive({ Dockerfile: "FROM first\n" });
    const second = archive({ Dockerfile: "FROM second\n" });
    expect(spawnSync("tar", ["-Af", path, second]).status).toBe(0);
    expect(find(path, "Dockerfile")).toBe("FROM second\n");
  });

  test("a damaged archive is an error, a cut one ends", () => {
    const path = archive(FILES);
    const bytes = readFileSync(path);
    bytes[700] = bytes[700]! ^ 1;
    for (let at = 512; at < 1024; at++) bytes[at] = 0x41;
    writeFileSync(path, bytes);
    expect(() => find(path, "Dockerfile")).toThrow("damaged tar archive");
    const cut = archive({ Dockerfile: "FROM a\n" });
    writeFileSync(cut, readFileSync(cut).subarray(0, 600));
    expect(find(cut, "Dockerfile") ?? "").toBe("");
  });

  test("one that is too large is not read", () => {
    const path = archive({ Dockerfile: "x".repeat(2 << 20) });
    expect(() => find(path, "Dockerfile")).toThrow("larger than");
  });
});

test("what a stream is", () => {
  const text = (s: string) => new TextEncoder().encode(s);
  expect(kindOfStream(readFileSync(archive({ a: "b" })).subarray(0, 512))).toBe("tar");
  expect(kindOfStream(text("FROM a\n"))).toBe("dockerfile");
  expect(kindOfStream(text("FROM a\n".repeat(100)).subarray(0, 512))).toBe("dockerfile");
  expect(kindOfStream(new Uint8Array(512))).toBe("dockerfile");
  expect(kindOfStream(new Uint8Array())).toBe("dockerfile");
  expect(kindOfStream(Uint8Array.of(0x1f, 0x8b, 8))).toBe("gzip");
  for (const magic of ["BZh9", "\xfd7zXZ\0", "\x28\xb5\x2f\xfd"])
    expect(kindOfStream(Uint8Array.from(magic, (c) => c.charCodeAt(0)))).toBe("other-compression");
});
