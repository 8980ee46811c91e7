// Reports of the compiled `tk exec` on their way out: every kind of sink in one configuration, a collector that is away and
// comes back, one that hangs, and the program that notices none of it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PLAIN_ENV } from "../support/programs.ts";
import { Bench, lines } from "../support/sinks.ts";
import { requireTk, start, TK, type Ran } from "../support/tk.ts";

const bench = new Bench();
beforeAll(requireTk);
afterAll(() => bench.close());

const env = {
  ...PLAIN_ENV,
  HOME: bench.path("home"),
  XDG_STATE_HOME: bench.path("state"),
  XDG_CONFIG_HOME: bench.path("config"),
  COLLECTOR_KEY: "hush-key",
};

function exec(config: string, ...command: readonly string[]): Promise<Ran> {
  writeFileSync(bench.path("c.c4m"), config);
  return start([TK, "exec", "-f", "c.c4m", "--log-level=warn", "--as-parent", "--", ...command], {
    cwd: bench.folder,
    env,
  }).done;
}

interface Report {
  readonly _OPERATION: string;
  readonly _ACTION_ID: string;
}

const parse = (text: string) => JSON.parse(text) as Report[];

test("post, s3, rotating_log and file get the same report; the program's output is its own", async () => {
  const { received, origin } = await bench.collector();
  const ran = await exec(
    `sink_config web {
  sink: "post"
  uri: "${origin}/in"
  headers: { "X-Key" : env("COLLECTOR_KEY") }
  timeout: 5000
}
sink_config store {
  sink: "s3"
  uri: "s3://bucket/dir/report.json"
  uid: "id"
  secret: "hush-secret"
  region: "eu-west-1"
  endpoint: "${origin}"
}
sink_config turning {
  sink: "rotating_log"
  filename: "./turning.log"
  max: <<1mb>>
}
sink_config exec_file_output {
  sink: "file"
  enabled: true
  filename: "./exec-reports.log"
}
subscribe("report", "web")
subscribe("report", "store")
subscribe("report", "turning")
subscribe("report", "exec_file_output")
unsubscribe("report", "default_out")
`,
    "/bin/sh",
    "-c",
    "echo out; echo err >&2; exit 3",
  );
  expect(ran).toMatchObject({ status: 3, stdout: "out\n", stderr: "err\n" });
  const web = received.find(({ method }) => method === "POST")!;
  const store = received.find(({ method }) => method === "PUT")!;
  expect(received).toHaveLength(2);
  const [report] = parse(web.body);
  expect(report!._OPERATION).toBe("exec");
  expect(web.headers["x-key"]).toBe("hush-key");
  expect(web.headers["x-chalk-action-id"]).toBe(report!._ACTION_ID);
  expect(store.url).toMatch(/^\/bucket\/dir\/\d{13}-[0-9A-Z]{26}-report\.json$/);
  for (const text of [store.body, bench.text("turning.log"), bench.text("exec-reports.log")])
    expect(parse(text)).toEqual([report!]);
  expect(existsSync(bench.path("state/tk/reports.log"))).toBe(false);
  expect(existsSync(bench.cachePath)).toBe(false);
});

test("a collector that is away costs the program nothing, is told once, and gets both reports when it is back", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  server.close();
  const config = `sink_config web {
  sink: "post"
  uri: "http://127.0.0.1:${port}/hush-path"
}
subscribe("report", "web")
`;
  const away = await exec(config, "/bin/sh", "-c", "echo out; exit 4");
  expect(away).toMatchObject({ status: 4, stdout: "out\n" });
  expect(lines(away.stderr)).toEqual([
    `tk: sink 'web': http://127.0.0.1:${port}: the connection was refused; what it does not take is kept in '${bench.cachePath}' and sent later`,
  ]);
  expect(bench.kept()).toHaveLength(1);
  const bodies: string[] = [];
  const back = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Uint8Array) => (body += Buffer.from(chunk).toString("latin1")));
    request.on("end", () => {
      bodies.push(body);
      response.end();
    });
  });
  bench.track(back);
  await new Promise<void>((done) => back.listen(port, "127.0.0.1", done));
  expect(await exec(config, "/bin/true")).toMatchObject({ status: 0, stderr: "" });
  expect(bodies).toHaveLength(1);
  expect(parse(bodies[0]!).map((report) => report._OPERATION)).toEqual(["exec", "exec"]);
  expect(bench.kept()).toEqual([]);
});

test("a collector that hangs: heartbeats keep their times, the default log has them all", async () => {
  rmSync(bench.path("state"), { recursive: true, force: true });
  const { origin } = await bench.collector(() => undefined);
  const config = `exec.heartbeat: true
exec.heartbeat_rate: <<200 msec>>
report_template heartbeat {
  key._HEARTBEAT_COUNT.use = true
}
sink_config web {
  sink: "post"
  uri: "${origin}"
  timeout: 400
}
subscribe("report", "web")
`;
  const ran = await exec(config, "/bin/sleep", "1.5");
  expect(ran.status).toBe(0);
  const log = readFileSync(bench.path("home/.local/state/tk/reports.log"), "utf8");
  const beats = lines(log).flatMap((line) => JSON.parse(line) as { _OPERATION: string; _TIMESTAMP: number }[]);
  const times = beats.filter((report) => report._OPERATION === "heartbeat").map((report) => report._TIMESTAMP);
  expect(times.length).toBeGreaterThanOrEqual(7);
  for (let i = 1; i < times.length - 1; i++) expect(times[i]! - times[i - 1]!).toBeLessThan(400);
  expect(bench.kept().length).toBeGreaterThanOrEqual(7);
}, 30_000);

test("a sink that cannot work and a directory that cannot be written disturb nobody", async () => {
  mkdirSync(bench.path("a_directory"), { recursive: true });
  const ran = await exec(
    `sink_config odd {
  sink: "post"
  uri: "not an address"
}
sink_config place {
  sink: "file"
  filename: "./a_directory"
  use_search_path: false
}
subscribe("report", "odd")
subscribe("report", "place")
`,
    "/bin/echo",
    "fine",
  );
  expect(ran).toMatchObject({ status: 0, stdout: "fine\n" });
  // The two are tried side by side.
  const told = lines(ran.stderr).map((line) => line.replace(/; what it does.*/, ""));
  expect(told.toSorted()).toEqual([
    "tk: sink 'odd': uri is not an address, expected one that begins with https:// or http://",
    `tk: sink 'place': '${bench.path("a_directory")}': it is a directory`,
  ]);
});
