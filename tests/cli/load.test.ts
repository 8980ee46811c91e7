// tk load and tk dump as users type them: the guide's files, errors, statuses, many at once, other users, a kill in between.
import { beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/programs.ts";
import { type Ran, requireTk, run, type RunOptions, start, TK } from "../support/tk.ts";

const FIXTURES = join(import.meta.dir, "../fixtures/c4m");

beforeAll(requireTk);

interface Home {
  readonly folder: string;
  readonly store: string;
  tk(words: readonly string[], more?: RunOptions): Promise<Ran>;
}

/** A home of its own, with the guide's files in it. */
function home(): Home {
  const folder = temporaryFolder();
  for (const name of readdirSync(FIXTURES)) copyFileSync(join(FIXTURES, name), join(folder, name));
  const env = { PATH: "/usr/bin:/bin", HOME: folder, LC_ALL: "C.UTF-8" };
  return {
    folder,
    store: join(folder, ".config/tk/loaded.json"),
    tk: (words, more = {}) => run([TK, ...words], { cwd: folder, env, ...more }),
  };
}

describe("tk load", () => {
  test("the guide's files, one after the other, add up; each load says what is active", async () => {
    const h = home();
    const active: string[] = [];
    for (const name of ["heartbeat-config", "file-output-config", "network-config", "docker-wrap-config"]) {
      const ran = await h.tk(["load", `${name}.c4m`]);
      active.push(join(h.folder, `${name}.c4m`));
      expect(ran.stderr).toBe(`tk: loaded ${active.at(-1)}\ntk: active now, a later one wins: ${active.join(", ")}\n`);
      expect([ran.status, ran.stdout]).toEqual([0, ""]);
    }
    expect((await h.tk(["dump"])).stdout).toBe(
      ["heartbeat-config", "file-output-config", "network-config", "docker-wrap-config"]
        .map((name) => `use "${name}" from "${h.folder}"\n`)
        .join(""),
    );
    const cache = (await h.tk(["dump", "cache"])).stdout;
    for (const name of readdirSync(FIXTURES)) expect(cache).toContain(readFileSync(join(FIXTURES, name), "utf8"));
  });

  test("a broken file is refused with place, line and caret, and changes nothing", async () => {
    const h = home();
    await h.tk(["load", "heartbeat-config.c4m"]);
    const before = readFileSync(h.store, "utf8");
    writeFileSync(
      join(h.folder, "bad.c4m"),
      'exec.heartbeat: "yes"\nreport_template r { key._PROCESS_PDI.use = true }\n',
    );
    const ran = await h.tk(["load", "bad.c4m"]);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toBe(
      `${h.folder}/bad.c4m:1:17: 'exec.heartbeat.run' gets string, expected bool
  exec.heartbeat: "yes"
                  ^
tk: Could not load '${h.folder}/bad.c4m', nothing was changed
`,
    );
    writeFileSync(join(h.folder, "bad.c4m"), "report_template r { key._PROCESS_PDI.use = true }\n");
    expect((await h.tk(["load", "bad.c4m"])).stderr).toContain(
      "bad.c4m:1:21: report template 'r' contains a key '_PROCESS_PDI', which does not exist; did you mean '_PROCESS_PID'",
    );
    expect(readFileSync(h.store, "utf8")).toBe(before);
  });

  test("--replace and default", async () => {
    const h = home();
    await h.tk(["load", "heartbeat-config.c4m"]);
    await h.tk(["load", "--replace", "network-config.c4m"]);
    expect((await h.tk(["dump"])).stdout).toBe(`use "network-config" from "${h.folder}"\n`);
    const ran = await h.tk(["load", "default"]);
    expect([ran.status, ran.stderr]).toEqual([0, "tk: nothing is loaded now; the defaults hold\n"]);
    expect((await h.tk(["dump"])).stdout).toBe("# Nothing is loaded: the default configuration is empty.\n");
  });

  test("standard input, answers to parameters, a dump to a file and back", async () => {
    const h = home();
    expect((await h.tk(["load", "-"], { stdin: 'log_level: "info"\n' })).status).toBe(0);
    writeFileSync(join(h.folder, "p.c4m"), "parameter exec.command_name { }\n");
    const missing = await h.tk(["load", "p.c4m"]);
    expect([missing.status, missing.stderr.split("\n")[0]]).toEqual([
      1,
      "tk: Cannot load: the parameter 'exec.command_name' has no answer and no default",
    ]);
    expect((await h.tk(["load", "--params", "p.c4m"], { stdin: '{"exec.command_name": "ls"}' })).status).toBe(0);
    expect(JSON.parse((await h.tk(["dump", "params"])).stdout)).toEqual({ "exec.command_name": "ls" });
    const all = (await h.tk(["dump", "all"])).stdout;
    writeFileSync(join(h.folder, "all.json"), all);
    expect((await h.tk(["dump", "uses.c4m"])).status).toBe(0);
    expect(readFileSync(join(h.folder, "uses.c4m"), "utf8")).toContain(`use p from "${h.folder}"`);
    await h.tk(["load", "default"]);
    expect((await h.tk(["load", "--all", "all.json"])).status).toBe(0);
    expect((await h.tk(["dump", "all"])).stdout).toBe(all);
  });

  test.each([
    [["load", "none.c4m"], "tk: Cannot load 'none.c4m': there is no such file"],
    [["load", "."], "tk: Cannot load '.': it is a directory"],
    [
      ["load", "http://localhost/a.c4m"],
      "tk: Cannot load from 'http://localhost/a.c4m': whoever is on the way could change it, expected https",
    ],
    [["load", "--params", "heartbeat-config.c4m"], "tk: Cannot read the answers of --params: "],
  ])("%j ends with status 1 and a sentence", async (words, sentence) => {
    const ran = await home().tk(words);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toStartWith(sentence);
    expect(ran.stderr).not.toContain("    at ");
  });

  test("no file named: status 2", async () => {
    expect((await home().tk(["load"])).status).toBe(2);
  });

  test("a store that is damaged is told; default begins anew", async () => {
    const h = home();
    mkdirSync(join(h.folder, ".config/tk"), { recursive: true });
    writeFileSync(h.store, '{"version": 1, "compon');
    const ran = await h.tk(["load", "heartbeat-config.c4m"]);
    expect([ran.status, ran.stderr]).toEqual([
      1,
      `tk: Cannot add to what was loaded, '${h.store}': it is no JSON\n    \`tk load default\` begins anew\n`,
    ]);
    expect((await h.tk(["load", "default"])).status).toBe(0);
    expect((await h.tk(["load", "heartbeat-config.c4m"])).status).toBe(0);
  });

  test("twenty at once: all of them are there, each whole", async () => {
    const h = home();
    const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
    for (const name of names)
      writeFileSync(join(h.folder, `${name}.c4m`), `# ${name.repeat(2000)}\nskip_custom_reports: true\n`);
    const all = await Promise.all(names.map((name) => h.tk(["load", `${name}.c4m`])));
    expect(all.map((ran) => ran.status)).toEqual(names.map(() => 0));
    const store = JSON.parse(readFileSync(h.store, "utf8")) as { components: { name: string; text: string }[] };
    expect(store.components.map((c) => c.name).sort()).toEqual(names.sort());
    for (const { name, text } of store.components) expect(text).toStartWith(`# ${name.repeat(2000)}\n`);
  });

  test("killed at any moment, the store is the old one or the new one", async () => {
    const h = home();
    await h.tk(["load", "heartbeat-config.c4m"]);
    for (let i = 0; i < 10; i++) {
      const running = start([TK, "load", "network-config.c4m"], {
        cwd: h.folder,
        env: { PATH: "/usr/bin", HOME: h.folder },
      });
      await Bun.sleep(i * 4);
      running.kill("SIGKILL");
      await running.done;
      const { stdout, status } = await h.tk(["dump"]);
      expect(status).toBe(0);
      expect(stdout).toContain("heartbeat-config");
    }
    // What a killed one left behind keeps nobody out.
    expect((await h.tk(["load", "file-output-config.c4m"])).status).toBe(0);
  });

  test("an ordinary user without a home that can be written to gets a sentence", async () => {
    const h = home();
    const ran = await h.tk(["load", "heartbeat-config.c4m"], {
      user: "ordinary",
      env: { PATH: "/usr/bin:/bin", HOME: "/proc" },
    });
    expect(ran.status).toBe(1);
    expect(ran.stderr).toStartWith("tk: Cannot keep configurations in '/proc/.config/tk': ");
  });

  test("hostile texts reach neither the terminal nor the shell of who reads the messages", async () => {
    const h = home();
    writeFileSync(join(h.folder, "evil.c4m"), 'info("a\\x1b[31mb")\nlog_level: "\u001b]0;x\u0007"\n');
    const ran = await h.tk(["load", "evil.c4m"]);
    expect(ran.status).toBe(1);
    expect(ran.stderr.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  test("from the web: https with a certificate that is believed, what it uses included, redirects followed", async () => {
    const h = home();
    const [key, cert] = [join(h.folder, "key.pem"), join(h.folder, "cert.pem")];
    const made = spawnSync(
      "openssl",
      [
        ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost".split(" "),
        ..."-addext subjectAltName=DNS:localhost -keyout".split(" "),
        key,
        "-out",
        cert,
      ],
      { encoding: "utf8" },
    );
    expect(made.stderr + made.status).toEndWith("0");
    const files: Readonly<Record<string, string>> = {
      "/conf/main.c4m": "use part\nexec.heartbeat: true\n",
      "/conf/part.c4m": "exec.heartbeat.nice: 3\n",
      "/conf/huge.c4m": "# ".repeat(1 << 20),
    };
    const server = Bun.serve({
      port: 0,
      hostname: "localhost",
      tls: { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") },
      fetch: (request) => {
        const { pathname } = new URL(request.url);
        if (pathname === "/conf/moved.c4m") return Response.redirect("/conf/main.c4m", 302);
        if (pathname === "/down.c4m") return Response.redirect("http://localhost/conf/main.c4m", 302);
        const text = files[pathname];
        return text === undefined ? new Response("no", { status: 404 }) : new Response(text);
      },
    });
    try {
      const at = `https://localhost:${server.port}`;
      const env = { PATH: "/usr/bin:/bin", HOME: h.folder };
      const trusting = { env: { ...env, NODE_EXTRA_CA_CERTS: cert } };
      const ran = await h.tk(["load", `${at}/conf/main.c4m`], trusting);
      expect([ran.stderr.split("\n")[0], ran.status]).toEqual([`tk: loaded ${at}/conf/main.c4m`, 0]);
      const cache = (await h.tk(["dump", "cache"])).stdout;
      expect(cache).toContain(`# ${at}/conf/part.c4m\nexec.heartbeat.nice: 3\n`);
      expect((await h.tk(["load", `${at}/conf/moved.c4m`], trusting)).stderr).toContain(`, ${at}/conf/moved.c4m\n`);
      const refused = await Promise.all([
        h.tk(["load", `${at}/conf/main.c4m`], { env }),
        h.tk(["load", `${at}/conf/none.c4m`], trusting),
        h.tk(["load", `${at}/down.c4m`], trusting),
        h.tk(["load", `${at}/conf/huge.c4m`], trusting),
      ]);
      expect(refused.map((r) => r.status)).toEqual([1, 1, 1, 1]);
      expect(refused[0]?.stderr).toMatch(/certificate/);
      expect(refused[1]?.stderr).toContain("the server answered 404");
      expect(refused[2]?.stderr).toContain("expected https");
      expect(refused[3]?.stderr).toContain("longer than");
    } finally {
      await server.stop(true);
    }
  });
});
