// The report object: order, empty values, `_CHALKS`, identity and time, the environment, hostile values, user keys.
import { expect, test } from "bun:test";
import { DEFAULT_SETTINGS, type Settings, type UserKey } from "../../lib/config/settings.ts";
import type { Artifact } from "../../lib/mark/artifact.ts";
import { buildReport, randomId, reportText } from "../../lib/report/build.ts";
import { localTime } from "../../lib/report/keys/identity.ts";
import type { ReportContext } from "../../lib/report/key.ts";
import { eventAt } from "../../lib/model/event_at.ts";
import { decodeRecording } from "../../lib/pipeline/decode_recording.ts";
import { RecordingWriter } from "../../lib/format/recording_writer.ts";
import { context, everything, fullReport, GONE, RUN, template, withTemplate } from "../support/reports.ts";

const keysOf = (value: object) => Object.keys(value);

const MARKED: Artifact = {
  path: "/opt/app",
  place: "file",
  type: "ELF",
  hash: "ab".repeat(32),
  mark: new Map<string, string | number>([
    ["MAGIC", "dadfedabbadabbed"],
    ["CHALK_ID", "X6VRPZ-C828-KDNS-QDXRT0"],
    ["METADATA_ID", "AAAAAA-BBBB-CCCC-DDDDDD"],
    ["TIMESTAMP_WHEN_CHALKED", 5],
    ["$CHALK_CONFIG", "private"],
    ["X_TEAM", "blue"],
    ["UNHEARD_OF", "x"],
    ["_OP_ARTIFACT_PATH", "/forged"],
    ["__proto__", "x"],
  ]),
  validated: true,
  problems: [],
};
const UNMARKED: Artifact = { ...MARKED, mark: undefined, validated: undefined };

test("identity first, then by name, counts last", () => {
  const report = buildReport(context({ facts: everything(process.pid), artifact: UNMARKED }), template("report_all"));
  const keys = keysOf(report);
  expect(keys.slice(0, 7)).toEqual([
    "_OPERATION",
    "_TIMESTAMP",
    "_DATE",
    "_TIME",
    "_TZ_OFFSET",
    "_DATETIME",
    "_CHALKS",
  ]);
  expect(keys.slice(-2)).toEqual(["_OP_CHALK_COUNT", "_OP_UNMARKED_COUNT"]);
  const middle = keys.slice(7, -2);
  expect(middle).toEqual([...middle].sort());
  expect(report["_OP_HOST_REPORT_KEYS"]).toEqual(keys);
});

test("a template may move a key", () => {
  const settings: Settings = {
    ...DEFAULT_SETTINGS,
    reportTemplates: new Map([
      [
        "mine",
        {
          name: "mine",
          doc: "",
          copiesFrom: [],
          keys: new Map([
            ["_TIMESTAMP", { use: true, order: 900, objectStore: undefined }],
            ["_EXEC_ID", { use: undefined, order: -1, objectStore: undefined }],
            ["_ACTION_ID", { use: true, order: undefined, objectStore: undefined }],
          ]),
        },
      ],
    ]),
  };
  expect(keysOf(buildReport(context({ settings }), template("mine", settings)))).toEqual([
    "_EXEC_ID",
    "_OPERATION",
    "_ACTION_ID",
    "_TIMESTAMP",
  ]);
});

test("empty values are left out, zero and false are not, _ENV stays", () => {
  const { host } = fullReport({ run: { ...RUN, positional: [], environment: [], commitId: "" }, errors: [] });
  for (const key of ["_ARGV", "_OP_ERRORS", "_OP_CHALKER_COMMIT_ID", "_UNMARKED"]) expect(host).not.toHaveProperty(key);
  expect(host).toMatchObject({
    _ENV: {},
    _OP_CHALK_COUNT: 0,
    _OP_UNMARKED_COUNT: 0,
    _SINCE_TIMESTAMP: 0,
    _OP_EXIT_CODE: 0,
  });
});

test("the exec report has the tool's start, heartbeats their own moment", () => {
  const exec = fullReport().host;
  expect(exec).toMatchObject({
    _OPERATION: "exec",
    _TIMESTAMP: 1709667322781,
    _MONOTIME: 5000,
    _SINCE_TIMESTAMP: 0,
    _SINCE_MONOTIME: 0,
    _EXEC_ID: "0123456789abcdef",
    _ACTION_ID: "fedcba9876543210",
    _ARGV: ["ls", "-la"],
    _OP_ARGV: ["/opt/tk/bin/tk", "exec", "--heartbeat", "--", "ls", "-la"],
    _OP_CMD_FLAGS: ["--heartbeat=true"],
    _OP_EXE_NAME: "tk",
    _OP_EXE_PATH: "/opt/tk/bin",
  });
  expect(exec).not.toHaveProperty("_HEARTBEAT_COUNT");
  expect(new Date(exec["_DATETIME"] as string).getTime()).toBe(1709667322781);
  expect(exec["_DATETIME"]).toBe(
    `${exec["_DATE"] as string}T${exec["_TIME"] as string}${exec["_TZ_OFFSET"] as string}`,
  );
  const beat = fullReport({ operation: "heartbeat", heartbeatCount: 3 }).host;
  expect(beat).toMatchObject({
    _OPERATION: "heartbeat",
    _HEARTBEAT_COUNT: 3,
    _TIMESTAMP: 1709667332781,
    _MONOTIME: 15000,
    _SINCE_TIMESTAMP: 10000,
    _SINCE_MONOTIME: 10000,
  });
  for (const key of ["_ARGV", "_OP_CMD_FLAGS", "_OP_CONFIG"]) expect(beat).not.toHaveProperty(key);
});

test("local time in every zone, never Z", () => {
  const at = 1709667322781;
  expect(localTime(at, -300)).toEqual({ date: "2024-03-05", time: "14:35:22.781", offset: "-05:00" });
  expect(localTime(at, 0)).toEqual({ date: "2024-03-05", time: "19:35:22.781", offset: "+00:00" });
  expect(localTime(at, 345).offset).toBe("+05:45");
  expect(localTime(at, -30).offset).toBe("-00:30");
  expect(localTime(at, 14 * 60).date).toBe("2024-03-06");
});

test("_CHALKS is forced in the command's report and left to the template in a custom one", () => {
  const settings = withTemplate("mine", { _PROCESS_PID: true });
  const keys = template("mine", settings);
  expect(buildReport(context({ settings }), keys)).toMatchObject({ _CHALKS: [{ _PROCESS_PID: 4711 }] });
  expect(buildReport(context({ settings }), keys, true)).not.toHaveProperty("_CHALKS");
  const with_ = withTemplate("mine", { _PROCESS_PID: true, _CHALKS: true });
  expect(buildReport(context(), template("mine", with_), true)).toHaveProperty("_CHALKS");
});

test("a template of nothing gives a report that says what it is", () => {
  expect(reportText(buildReport(context(), template("null")))).toBe('[{"_OPERATION":"exec"}]');
  const settings = withTemplate("silent", { _OPERATION: false });
  expect(reportText(buildReport(context(), template("silent", settings)))).toBe("[{}]");
});

test("a marked artifact brings its mark's keys, counts, and no _UNMARKED", () => {
  const { host, artifact } = fullReport({ artifact: MARKED }, "report_default");
  expect(host).toMatchObject({ _OP_CHALK_COUNT: 1, _OP_UNMARKED_COUNT: 0 });
  expect(host).not.toHaveProperty("_UNMARKED");
  expect(artifact).toMatchObject({
    CHALK_ID: "X6VRPZ-C828-KDNS-QDXRT0",
    METADATA_ID: "AAAAAA-BBBB-CCCC-DDDDDD",
    TIMESTAMP_WHEN_CHALKED: 5,
    X_TEAM: "blue",
    _OP_ARTIFACT_PATH: "/opt/app",
    _OP_ARTIFACT_TYPE: "ELF",
    _CURRENT_HASH: "ab".repeat(32),
    _VALIDATED_METADATA: true,
  });
  for (const key of ["MAGIC", "$CHALK_CONFIG", "UNHEARD_OF"]) expect(artifact).not.toHaveProperty(key);
  expect(Object.hasOwn(artifact, "__proto__")).toBe(false);
  const beat = fullReport({ artifact: MARKED, operation: "heartbeat" }, "heartbeat").artifact;
  expect(beat).toMatchObject({ CHALK_ID: "X6VRPZ-C828-KDNS-QDXRT0", METADATA_ID: "AAAAAA-BBBB-CCCC-DDDDDD" });
  expect(beat).not.toHaveProperty("X_TEAM");
});

test("an unmarked artifact is named", () => {
  const { host, artifact } = fullReport({ artifact: UNMARKED });
  expect(host).toMatchObject({ _OP_CHALK_COUNT: 0, _OP_UNMARKED_COUNT: 1, _UNMARKED: ["/opt/app"] });
  expect(artifact).not.toHaveProperty("_VALIDATED_METADATA");
});

test("the mark of an image is of a container when a container's id is known", () => {
  const image: Artifact = { ...MARKED, place: "image", type: undefined, path: "/chalk.json" };
  expect(fullReport({ artifact: image }).artifact["_OP_ARTIFACT_TYPE"]).toBe("Docker Image");
  const id = "c0".repeat(32);
  for (const line of [
    `0::/docker/${id}`,
    `1:cpu:/kubepods/burstable/pod1/${id}`,
    `0::/system.slice/docker-${id}.scope`,
  ]) {
    const facts = { ...GONE, cgroup: { path: "/", lines: [line], limits: new Map() } };
    expect(fullReport({ artifact: image, facts }).artifact).toMatchObject({
      _OP_ARTIFACT_TYPE: "Docker Container",
      _INSTANCE_CONTAINER_ID: id,
    });
  }
});

function environmentOf(environment: readonly (string | Uint8Array)[], env: Partial<Settings["env"]> = {}) {
  const bytes = environment.map((e) => (typeof e === "string" ? new TextEncoder().encode(e) : e));
  const settings = { ...DEFAULT_SETTINGS, env: { ...DEFAULT_SETTINGS.env, ...env } };
  return fullReport({ run: { ...RUN, environment: bytes }, settings }).host;
}

test("five names of the environment by default, secrets never", () => {
  const all = ["PATH=/bin", "PWD=/", "USER=u", "HOME=/root", "AWS_SECRET_ACCESS_KEY=s3cret", "TOKEN=t", "EMPTY="];
  expect(environmentOf(all)["_ENV"]).toEqual({
    PATH: "/bin",
    PWD: "/",
    USER: "u",
    AWS_SECRET_ACCESS_KEY: "<<redact>>",
  });
  expect(environmentOf(all, { defaultAction: "show" })["_ENV"]).toEqual({
    PATH: "/bin",
    PWD: "/",
    USER: "u",
    HOME: "/root",
    AWS_SECRET_ACCESS_KEY: "<<redact>>",
    TOKEN: "t",
    EMPTY: "",
  });
  const strict = {
    defaultAction: "redact",
    neverShow: ["PATH", "AWS_SECRET_ACCESS_KEY"],
    alwaysShow: ["PATH"],
  } as const;
  expect(environmentOf(["PATH=/bin", "A=b", "AWS_SECRET_ACCESS_KEY=x"], strict)["_ENV"]).toEqual({ A: "<<redact>>" });
});

test("hostile names and values of the environment stay what they are", () => {
  const long = "x".repeat(1 << 20);
  const bytes = Uint8Array.of(0x42, 0x3d, 0xff, 0xfe);
  const host = environmentOf(
    [`LONG=${long}`, "ESC=\x1b[31m\u009b\u202e", bytes, "__proto__=p", "==x", "noequals", "1=one"],
    {
      defaultAction: "show",
    },
  );
  const env = host["_ENV"] as Record<string, string>;
  expect(env["LONG"]).toBe(long);
  expect(env["ESC"]).toBe("\x1b[31m\u009b\u202e");
  expect(env["B"]).toBe("\ufffd\ufffd");
  expect(Object.getOwnPropertyDescriptor(env, "__proto__")?.value).toBe("p");
  expect(env["="]).toBe("x");
  expect(Object.keys(env)).not.toContain("noequals");
  expect(host["_TK_ENV_B64"]).toEqual([Buffer.from(bytes).toString("base64")]);
  // A redacted value is not given away in base64.
  expect(environmentOf([bytes], { defaultAction: "redact" })).not.toHaveProperty("_TK_ENV_B64");
});

test("report text is one line in which nothing steers a terminal", () => {
  const environment = [new TextEncoder().encode("PWD=\x1b]0;t\x07\n\u009b2J\u202e\u2028\u{e0041}é")];
  const text = reportText(buildReport(context({ run: { ...RUN, environment } }), template("report_default")));
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(text).toStartWith('[{"_OPERATION":"exec"');
  expect(JSON.parse(text)[0]._ENV.PWD).toBe("\x1b]0;t\x07\n\u009b2J\u202e\u2028\u{e0041}é");
});

test("use since the last report is of the same process only", () => {
  const stat = { ...everything(process.pid).stat!, startTime: 77, utime: 100, stime: 50, cutime: 10, cstime: 0 };
  const later: Partial<ReportContext> = {
    operation: "heartbeat",
    facts: { ...GONE, life: "alive", monotonicNs: 20e9, stat: { ...stat, utime: 130, stime: 60, cutime: 15 } },
    previous: { ...GONE, life: "alive", monotonicNs: 19e9, stat },
  };
  expect(fullReport(later).artifact).toMatchObject({
    _TK_CPU_SINCE_LAST_NS: 400_000_000,
    _TK_CHILDREN_CPU_SINCE_LAST_NS: 50_000_000,
    _TK_SINCE_LAST_NS: 1_000_000_000,
  });
  const other = { ...later, previous: { ...GONE, stat: { ...stat, startTime: 5 } } };
  expect(fullReport(other).artifact).not.toHaveProperty("_TK_CPU_SINCE_LAST_NS");
});

test("the end of the program is told where it is known", () => {
  expect(fullReport({ waitStatus: 3 << 8 }).artifact).toMatchObject({ _TK_STATE: "gone", _TK_EXIT_CODE: 3 });
  expect(fullReport({ waitStatus: 15 }).artifact).toMatchObject({ _TK_EXIT_SIGNAL: 15 });
  expect(fullReport({ waitStatus: 0 }).artifact).toMatchObject({ _TK_EXIT_CODE: 0 });
  expect(fullReport().artifact).not.toHaveProperty("_TK_EXIT_CODE");
});

test("keys of the configuration stand at their level, and a failing one costs only itself", () => {
  const key = (name: string, level: UserKey["level"], compute: UserKey["compute"]): [string, UserKey] => [
    name,
    { name, level, doc: "", compute },
  ];
  const userKeys = new Map([
    key("_X_TEAM", "host", () => "blue"),
    key("_X_FILE", "artifact", (path) => `of ${path}`),
    key("_X_BAD", "host", () => {
      throw new Error("no such thing");
    }),
    key("_X_OFF", "host", () => "never"),
  ]);
  const settings = withTemplate("mine", { _X_TEAM: true, _X_FILE: true, _X_BAD: true, _OP_FAILED_KEYS: true }, [], {
    ...DEFAULT_SETTINGS,
    userKeys,
  });
  expect(buildReport(context({ settings, artifact: UNMARKED }), template("mine", settings))).toEqual({
    _OPERATION: "exec",
    _CHALKS: [{ _X_FILE: "of /opt/app" }],
    _OP_FAILED_KEYS: {
      _X_BAD: [
        { code: "KEY_COLLECTION_ERROR", error: "no such thing", description: "The function of key _X_BAD failed" },
      ],
    },
    _X_TEAM: "blue",
  });
});

test("random ids are 64 bits in lower-case hex", () => {
  const ids = new Set(Array.from({ length: 200 }, randomId));
  expect(ids.size).toBe(200);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/);
});

test("a report is an event line of a recording", () => {
  const writer = new RecordingWriter();
  writer.report(12, 4711, "exec", buildReport(context(), template("null")));
  writer.report(13, 4711, "heartbeat", { text: "\u2028\u009b" });
  const lines = new TextDecoder().decode(writer.out.view());
  expect(lines).toBe(
    '{"Report":{"seq":0,"timestamp":12,"pid":4711,"operation":"exec","report":{"_OPERATION":"exec"}}}\n' +
      '{"Report":{"seq":1,"timestamp":13,"pid":4711,"operation":"heartbeat","report":{"text":"\\u2028\\u009b"}}}\n',
  );
  const recording = decodeRecording(writer.out.view());
  expect(recording.problems.total).toBe(0);
  expect(recording.events.length).toBe(2);
  expect(eventAt(recording, 1)).toMatchObject({ kind: "report", pid: 4711, ts: 13, seq: 1 });
});
