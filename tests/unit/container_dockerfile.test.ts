// Dockerfiles: which stages there are, what a container starts across them, and what is written instead, form by form.
import { describe, expect, test } from "bun:test";
import { ok } from "neverthrow";
import type { Ask } from "../../lib/container/base_image.ts";
import type { BuildCommand } from "../../lib/container/build_command.ts";
import { MAX_DOCKERFILE, parseDockerfile, targetStage } from "../../lib/container/dockerfile.ts";
import { applyStage, execForm, NOTHING_SET } from "../../lib/container/entrypoint.ts";
import { fromVariables, substitute } from "../../lib/container/substitution.ts";
import { normalisePlatform, planWrap } from "../../lib/container/wrap_plan.ts";
import { DEFAULT_SETTINGS } from "../../lib/config/settings.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const BUILDER = { platform: "linux/amd64", defaultTarget: "linux/amd64" };

interface Options {
  readonly target?: string;
  readonly platforms?: readonly string[];
  readonly arguments?: Readonly<Record<string, string>>;
  readonly contexts?: Readonly<Record<string, string>>;
  /** Configurations by image, of linux/amd64, as `docker image inspect` has them. */
  readonly images?: Readonly<Record<string, object>>;
  readonly docker?: Partial<typeof DEFAULT_SETTINGS.docker>;
  readonly pull?: boolean;
}

const asked: (readonly string[])[] = [];

function commandOf(o: Options): BuildCommand {
  return {
    globals: [],
    head: ["build"],
    rest: ["."],
    file: undefined,
    target: o.target,
    platforms: o.platforms ?? [],
    arguments: new Map(Object.entries(o.arguments ?? {})),
    contexts: new Map(Object.entries(o.contexts ?? {})),
    context: ".",
    pull: o.pull ?? false,
    builder: undefined,
  };
}

async function plan(text: string, o: Options = {}) {
  asked.length = 0;
  const ask: Ask = (words) => {
    asked.push(words);
    const config = o.images?.[words.at(-1)!];
    if (config === undefined || words[0] !== "image") return Promise.resolve(undefined);
    return Promise.resolve(JSON.stringify([{ Os: "linux", Architecture: "amd64", Config: config }]));
  };
  const settings = { ...DEFAULT_SETTINGS, docker: { ...DEFAULT_SETTINGS.docker, ...o.docker } };
  return planWrap(bytes(text), commandOf(o), settings, BUILDER, ask);
}

/** The changed Dockerfile; the reason in angle brackets when there is none. */
async function changed(text: string, o: Options = {}): Promise<string> {
  const result = await plan(text, o);
  if (result.isErr()) return `<${result.error}>`;
  return result.value === undefined ? "<wrapped already>" : new TextDecoder().decode(result.value.dockerfile("SRC"));
}

/** Only the lines behind the copies: what is started. */
async function start(text: string, o: Options = {}): Promise<string> {
  const all = await changed(text, o);
  return /tk\.loaded\.json\n([^]*?)\n# tk: end/.exec(all)?.[1] ?? all;
}

const NO_BASE = { alpine: {} };

describe("what is written instead of ENTRYPOINT and CMD", () => {
  const table: readonly (readonly [name: string, dockerfile: string, expected: string])[] = [
    ["exec form", 'ENTRYPOINT ["a","b"]', 'ENTRYPOINT ["/tk","exec","--exec-command-name","a","--","b"]'],
    ["exec form of one word", 'ENTRYPOINT ["a"]', 'ENTRYPOINT ["/tk","exec","--exec-command-name","a","--"]'],
    [
      "exec form with a CMD, which is repeated",
      'ENTRYPOINT ["a"]\nCMD ["c", "d"]',
      'ENTRYPOINT ["/tk","exec","--exec-command-name","a","--"]\nCMD ["c","d"]',
    ],
    [
      "a CMD above the ENTRYPOINT counts as well",
      'CMD c d\nENTRYPOINT ["a"]',
      'ENTRYPOINT ["/tk","exec","--exec-command-name","a","--"]\nCMD ["/bin/sh","-c","c d"]',
    ],
    ["shell form", "ENTRYPOINT a b", 'ENTRYPOINT ["/tk","exec","--exec-command-name","/bin/sh","--","-c","a b"]'],
    [
      "shell form with another SHELL",
      'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nENTRYPOINT a | b',
      'ENTRYPOINT ["/tk","exec","--exec-command-name","/bin/bash","--","-o","pipefail","-c","a | b"]',
    ],
    [
      "only the SHELL before it counts",
      'ENTRYPOINT a\nSHELL ["/bin/bash", "-c"]',
      'ENTRYPOINT ["/tk","exec","--exec-command-name","/bin/sh","--","-c","a"]',
    ],
    ["CMD alone is left alone", 'CMD ["sh", "-c", "x"]', 'ENTRYPOINT ["/tk","exec","--"]'],
    ["CMD alone in shell form", "CMD x | y", 'ENTRYPOINT ["/tk","exec","--"]'],
    ["empty ENTRYPOINT", "ENTRYPOINT []\nCMD x", 'ENTRYPOINT ["/tk","exec","--"]\nCMD ["/bin/sh","-c","x"]'],
    ["ENTRYPOINT of one empty word", 'ENTRYPOINT [""]', 'ENTRYPOINT ["/tk","exec","--"]'],
    [
      "ENTRYPOINT with nothing is the empty line of shell",
      "ENTRYPOINT",
      'ENTRYPOINT ["/tk","exec","--exec-command-name","/bin/sh","--","-c",""]',
    ],
    ["first word blank", 'ENTRYPOINT [" "]', "<the first word of its ENTRYPOINT is blank>"],
    ["first word empty", 'ENTRYPOINT ["",""]', "<the first word of its ENTRYPOINT is blank>"],
    ["tk already", 'ENTRYPOINT ["/tk","exec","--"]', "<wrapped already>"],
    ["chalk already", 'ENTRYPOINT ["/chalk","exec","--"]', "<wrapped already>"],
    ["nothing at all", "RUN x", "<there is neither an ENTRYPOINT nor a CMD>"],
    ["an empty CMD is none", "CMD []", "<there is neither an ENTRYPOINT nor a CMD>"],
    [
      "the last one counts",
      "CMD x\nENTRYPOINT a\nENTRYPOINT []\nCMD y",
      'ENTRYPOINT ["/tk","exec","--"]\nCMD ["/bin/sh","-c","y"]',
    ],
    ["keywords in any case", "entrypoint a", 'ENTRYPOINT ["/tk","exec","--exec-command-name","/bin/sh","--","-c","a"]'],
    [
      "what looks like JSON and is none is shell",
      "ENTRYPOINT ['a']",
      `ENTRYPOINT ["/tk","exec","--exec-command-name","/bin/sh","--","-c","['a']"]`,
    ],
    [
      "continued lines and comments between them",
      "ENTRYPOINT a \\\n  # why\n\n  b \\  \n c",
      'ENTRYPOINT ["/tk","exec","--exec-command-name","/bin/sh","--","-c","a   b  c"]',
    ],
    [
      "quotes and control characters survive",
      'ENTRYPOINT ["a\\"b", "\\u0007", "é"]',
      'ENTRYPOINT ["/tk","exec","--exec-command-name","a\\"b","--","\\u0007","é"]',
    ],
    [
      "heredocs hide what looks like instructions",
      'RUN <<EOF\nENTRYPOINT x\nCMD y\nEOF\nCMD ["z"]',
      'ENTRYPOINT ["/tk","exec","--"]',
    ],
    ["ONBUILD is not for this image", "ONBUILD ENTRYPOINT x\nCMD y", 'ENTRYPOINT ["/tk","exec","--"]'],
  ];
  for (const [name, dockerfile, expected] of table)
    test(name, async () => expect(await start(`FROM alpine\n${dockerfile}\n`, { images: NO_BASE })).toBe(expected));

  test("wrap_cmd false leaves CMD alone", async () => {
    const docker = { wrapCmd: false };
    expect(await start("FROM alpine\nCMD x", { images: NO_BASE, docker })).toMatch(/^<there is only a CMD/);
    expect(await start("FROM alpine\nENTRYPOINT x", { images: NO_BASE, docker })).toContain("exec-command-name");
  });
});

describe("what lies below", () => {
  test("a CMD from an earlier stage is repeated, since a new ENTRYPOINT drops it", async () => {
    const text = "FROM scratch AS one\nCMD x\nFROM one\nRUN y\n";
    expect(await start(text)).toBe('ENTRYPOINT ["/tk","exec","--"]\nCMD ["/bin/sh","-c","x"]');
  });

  test("an ENTRYPOINT drops the CMD from below", async () => {
    const text = 'FROM scratch AS one\nCMD x\nFROM one\nENTRYPOINT ["e"]\n';
    expect(await start(text)).toBe('ENTRYPOINT ["/tk","exec","--exec-command-name","e","--"]');
  });

  test("an ENTRYPOINT from below stays with a new CMD", async () => {
    const text = 'FROM scratch AS One\nENTRYPOINT ["e"]\nFROM ONE AS two\nFROM two\nCMD ["c"]\n';
    expect(await start(text)).toBe('ENTRYPOINT ["/tk","exec","--exec-command-name","e","--"]\nCMD ["c"]');
  });

  test("SHELL is inherited; a CMD keeps the shell it was written under", async () => {
    const text = 'FROM scratch AS one\nSHELL ["/bin/ash","-c"]\nCMD x\nFROM one\nSHELL ["/bin/zsh","-c"]\nRUN y';
    expect(await start(text)).toBe('ENTRYPOINT ["/tk","exec","--"]\nCMD ["/bin/ash","-c","x"]');
  });

  test("a stage's ONBUILD works in the next one", async () => {
    const text = 'FROM scratch AS one\nONBUILD CMD ["c"]\nFROM one\nRUN y';
    expect(await start(text)).toBe('ENTRYPOINT ["/tk","exec","--"]');
  });

  test("the base image's own configuration counts", async () => {
    const images = { base: { Entrypoint: ["/e.sh"], Cmd: ["serve"] }, cmd: { Cmd: ["serve"], Entrypoint: null } };
    expect(await start("FROM base\nRUN x", { images })).toBe(
      'ENTRYPOINT ["/tk","exec","--exec-command-name","/e.sh","--"]\nCMD ["serve"]',
    );
    expect(await start("FROM base\nCMD y", { images })).toBe(
      'ENTRYPOINT ["/tk","exec","--exec-command-name","/e.sh","--"]\nCMD ["/bin/sh","-c","y"]',
    );
    expect(await start("FROM cmd\nRUN x", { images })).toBe('ENTRYPOINT ["/tk","exec","--"]\nCMD ["serve"]');
    expect(await start("FROM base\nENTRYPOINT []", { images })).toBe('ENTRYPOINT ["/tk","exec","--"]');
  });

  test("its SHELL, too", async () => {
    const images = { base: { Shell: ["/bin/bash", "-ec"] } };
    expect(await start("FROM base\nENTRYPOINT x", { images })).toContain('"/bin/bash","--","-ec","x"');
  });

  test("without an ENTRYPOINT an unknown base image is not guessed", async () => {
    expect(await start("FROM unknown\nCMD x")).toMatch(/^<it has no ENTRYPOINT, and whether the base image 'unknown'/);
    expect(asked.map((words) => words.slice(0, 3).join(" "))).toEqual([
      "image inspect unknown",
      "buildx imagetools inspect",
    ]);
    // With an ENTRYPOINT nothing has to be known.
    expect(await start('FROM unknown\nENTRYPOINT ["x"]')).toContain("exec-command-name");
    expect(asked).toEqual([]);
  });

  test("an image for another platform is not the base", async () => {
    expect(await start("FROM alpine\nCMD x", { images: NO_BASE, platforms: ["linux/arm64"] })).toMatch(/not known/);
    expect(await start("FROM --platform=linux/arm64 alpine\nCMD x", { images: NO_BASE })).toMatch(/not known/);
  });

  test("--build-context may put something else under the name", async () => {
    const images = { alpine: { Cmd: ["x"] }, other: { Entrypoint: ["o"] } };
    const from = "FROM alpine\nRUN x";
    expect(await start(from, { images, contexts: { alpine: "docker-image://other" } })).toContain('"o"');
    expect(await start(from, { images, contexts: { alpine: "./folder" } })).toMatch(/not known/);
  });

  test("an image whose name looks like a flag is not asked for", async () => {
    expect(await start("FROM $X\nCMD x", { arguments: { X: "--help" } })).toMatch(/not known/);
    expect(asked).toEqual([]);
  });
});

describe("ARG in FROM", () => {
  const images = { "alpine:3": { Cmd: ["right"] } };
  const right = 'ENTRYPOINT ["/tk","exec","--"]\nCMD ["right"]';
  test("its default", async () => expect(await start("ARG V=3\nFROM alpine:$V\nRUN x", { images })).toBe(right));
  test("the command line's value", async () =>
    expect(await start("ARG V=4\nFROM alpine:${V}\nRUN x", { images, arguments: { V: "3" } })).toBe(right));
  test("a value that the Dockerfile does not declare does not count", async () =>
    expect(await start("FROM alpine:${V:-3}\nRUN x", { images, arguments: { V: "4" } })).toBe(right));
  test("quotes, and one from another", async () =>
    expect(await start('ARG A="alpine"\nARG B=$A:3\nFROM "$B"\nRUN x', { images })).toBe(right));
  test("a stage by its ARG", async () =>
    expect(await start("ARG S=one\nFROM scratch AS one\nCMD x\nFROM $S\nRUN y")).toContain('CMD ["/bin/sh","-c","x"]'));
  test("a form that only the builder knows", async () =>
    expect(await start("ARG V=x3\nFROM alpine:${V#x}\nCMD x", { images })).toMatch(/whether its base image has one/));

  test("every form", () => {
    const variables = new Map([
      ["A", "a"],
      ["EMPTY", ""],
    ]);
    const at = (text: string) => substitute(text, variables, "\\");
    expect(at("$A-${A}-${A:-x}-${A-x}-${A:+y}")).toBe("a-a-a-a-y");
    expect(at("${EMPTY:-x}${EMPTY-x}${NONE-x}${NONE:+y}${NONE:-${A}}")).toBe("xxa");
    expect(at("\\$A '$A' \"$A\"")).toBe("$A $A a");
    for (const odd of ["${A", "'x", "${A:?}".replace("A", "NONE"), "${A//x/y}", "$1", "${}"])
      expect(at(odd)).toBeUndefined();
  });

  test("platforms are predefined", () => {
    const platforms = { build: "linux/amd64", target: "linux/arm64/v8" };
    const variables = fromVariables([{ name: "TARGETARCH", value: undefined }], new Map(), platforms, "\\");
    expect(substitute("$BUILDPLATFORM $TARGETPLATFORM $TARGETARCH $TARGETVARIANT", variables, "\\")).toBe(
      "linux/amd64 linux/arm64/v8 arm64 v8",
    );
    expect(["arm64", "linux/x86_64", "linux/arm64/v8", "linux"].map(normalisePlatform)).toEqual([
      "linux/arm64",
      "linux/amd64",
      "linux/arm64/v8",
      "linux",
    ]);
  });
});

describe("the stage that is built", () => {
  const text = [
    "# syntax=docker/dockerfile:1",
    "FROM scratch AS build",
    'ENTRYPOINT ["b"]',
    "",
    "# about the next one",
    "FROM scratch AS test",
    'ENTRYPOINT ["t"]',
    "FROM scratch",
    'ENTRYPOINT ["last"]',
  ].join("\n");

  test("is the last one, whose file may end without a newline", async () => {
    expect(await changed(text)).toBe(
      `${text}
# tk: from here to the end of the stage, so that tk starts the program
COPY --from=SRC /linux/amd64/tk /tk
COPY --from=SRC /linux/amd64/.tk /.tk
COPY --from=SRC /linux/amd64/tk.loaded.json /tk.loaded.json
ENTRYPOINT ["/tk","exec","--exec-command-name","last","--"]
# tk: end
`,
    );
  });

  test("or the one that --target names or counts; the rest stays byte for byte", async () => {
    for (const target of ["build", "BUILD", "0"]) {
      const all = (await changed(text, { target })).split("\n");
      expect(all[3]).toBe("# tk: from here to the end of the stage, so that tk starts the program");
      expect(all[7]).toContain('"b"');
      expect([...all.slice(0, 3), ...all.slice(9)].join("\n")).toBe(text);
    }
    expect(await changed(text, { target: "nope" })).toBe("<it has no stage 'nope'>");
    expect(await changed(text, { target: "3" })).toBe("<it has no stage '3'>");
  });

  test("lines end as they do in the file", async () => {
    const windows = 'FROM scratch\r\nENTRYPOINT ["a", \\\r\n "b"]\r\n';
    const all = await changed(windows);
    expect(all.startsWith(windows)).toBe(true);
    expect(all).toContain('["/tk","exec","--exec-command-name","a","--","b"]');
  });

  test("the escape directive is heard", async () => {
    const all = await start('# escape=`\nFROM scratch\nENTRYPOINT ["a", `\n "\\u0062"]\nCMD c:\\', {});
    expect(all).toBe('ENTRYPOINT ["/tk","exec","--exec-command-name","a","--","b"]\nCMD ["/bin/sh","-c","c:\\\\"]');
  });

  test("several platforms take their files by TARGETARCH", async () => {
    const platforms = ["linux/amd64", "linux/arm64/v8"];
    const result = await plan('FROM scratch\nENTRYPOINT ["a"]', { platforms });
    const value = result._unsafeUnwrap()!;
    expect(value.platforms).toEqual(["linux/amd64", "linux/arm64"]);
    const all = new TextDecoder().decode(value.dockerfile("SRC"));
    expect(all).toContain("ARG TARGETARCH\nCOPY --from=SRC /linux/${TARGETARCH}/tk /tk\n");
    // One stage is for one platform whatever is asked for.
    const fixed = await plan('FROM --platform=linux/arm64 scratch\nENTRYPOINT ["a"]', { platforms });
    expect(fixed._unsafeUnwrap()!.platforms).toEqual(["linux/arm64"]);
    expect(await changed('FROM scratch\nENTRYPOINT ["a"]', { platforms: ["windows/amd64"] })).toBe(
      "<it is not for Linux>",
    );
  });

  test("the files' name is nobody else's", async () => {
    const result = await plan('FROM scratch AS tk-files\nFROM scratch\nENTRYPOINT ["a"]', {
      contexts: { "tk-files-2": "x" },
    });
    expect(result._unsafeUnwrap()!.source).toBe("tk-files-3");
  });

  test("labels and variables of the configuration", async () => {
    const docker = {
      customLabels: { team: 'a "b" $C \\', "bad name": "x" },
      additionalEnvVars: { MODE: "x", LINES: "a\nb" },
    };
    const result = await plan('FROM scratch\nENTRYPOINT ["a"]', { docker });
    const value = result._unsafeUnwrap()!;
    const all = new TextDecoder().decode(value.dockerfile("SRC"));
    expect(all).toContain('LABEL run.crashoverride.team="a \\"b\\" \\$C \\\\"\nENV MODE="x"\nENTRYPOINT');
    expect(value.notes).toEqual([
      "LABEL 'run.crashoverride.bad name' is left out: it cannot be written",
      "ENV 'LINES' is left out: it cannot be written",
    ]);
  });

  test("the syntax line decides how files can get in, and whether the language is known", async () => {
    const old = async (line: string) =>
      (await plan(`${line}\nFROM scratch\nENTRYPOINT ["a"]`)).map((value) => value!.oldSyntax).unwrapOr(undefined);
    expect(await old("# syntax=docker/dockerfile:1.2")).toBe(true);
    expect(await old("#syntax = docker/dockerfile:1.3-labs")).toBe(true);
    expect(await old("# syntax=docker/dockerfile:experimental")).toBe(true);
    for (const now of [
      "docker/dockerfile",
      "docker/dockerfile:1",
      "docker/dockerfile:1.4",
      "docker.io/docker/dockerfile-upstream:master",
    ])
      expect(await old(`# syntax=${now}`)).toBe(false);
    expect(await changed("# syntax=someone/else:1\nFROM scratch\nCMD x")).toBe(
      "<its Dockerfile was not understood: it is in the language of 'someone/else:1'>",
    );
  });
});

describe("what is no Dockerfile", () => {
  const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
    ["empty", "", "it has no FROM"],
    ["only comments", "# hello\n\n", "it has no FROM"],
    ["instructions without FROM", "RUN x\nCMD y", "it has no FROM"],
    ["FROM without an image", "FROM\nCMD x", "line 1: FROM names no image"],
    ["NUL", "FROM a\0\nCMD x", "it holds a NUL character"],
    ["not UTF-8", new Uint8Array([70, 82, 79, 77, 32, 0xff, 0xfe]), "it is not UTF-8"],
    ["a carriage return inside", "FROM a\rCMD x", "it holds a carriage return within a line"],
    ["cut off", "FROM a\nCMD x \\", "its last line is continued, and nothing follows"],
    ["huge", new Uint8Array(MAX_DOCKERFILE + 1).fill(35), "it is larger than 256 KiB"],
  ];
  for (const [name, content, why] of cases)
    test(name, async () => {
      const result = await parseDockerfile(typeof content === "string" ? bytes(content) : content);
      expect(result.isErr() ? result.error : "parsed").toBe(why);
    });

  test("a byte order mark is none of its text", async () => {
    expect(await start('\ufeffFROM scratch\nENTRYPOINT ["a"]')).toContain('"a"');
  });

  test("instructions that nobody knows are the builder's business", async () => {
    expect(await start("FROM scratch\nFROBNICATE x\nENTRYPOINT a")).toContain('"a"');
  });

  test("the largest one that is read", async () => {
    const line = "RUN echo $A ${B:-c} \\\n  y\n";
    const text = `FROM scratch\n${line.repeat(Math.floor((MAX_DOCKERFILE - 100) / line.length))}CMD x\n`;
    expect((await parseDockerfile(bytes(text))).map((file) => file.stages.length)).toEqual(ok(1));
  }, 60_000);

  test("any soup of its words ends in stages or a sentence", async () => {
    const words = [
      "FROM",
      "scratch",
      "AS",
      "a",
      "CMD",
      "ENTRYPOINT",
      "[",
      '"x"',
      "]",
      "\\",
      "\n",
      "\n",
      "#",
      "<<E",
      "E",
      "$A",
      "ONBUILD",
      "SHELL",
      "--platform=x",
      "\t",
    ];
    let seed = 1;
    const next = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
    for (let i = 0; i < 200; i++) {
      const text = Array.from({ length: 1 + next(40) }, () => words[next(words.length)]!).join(" ");
      const result = await parseDockerfile(bytes(text));
      if (result.isOk()) {
        expect(targetStage(result.value, undefined).isOk()).toBe(true);
        expect(typeof (await changed(text, { images: NO_BASE }))).toBe("string");
      } else expect(result.error).toMatch(/^[\w'].*[^.]$/);
    }
  }, 30_000);
});

test("exec form is a list of strings and nothing else", () => {
  expect(execForm('["a", "b"]')).toEqual(["a", "b"]);
  for (const other of ['["a", 1]', '["a"] b', "['a']", "[a]", '{"a":1}', "a", '["a",]', ""])
    expect(execForm(other)).toBeUndefined();
});

test("a broken SHELL changes nothing", () => {
  const shell = (text: string) => applyStage(NOTHING_SET, [{ keyword: "SHELL", text, line: 1 }]).shell;
  expect(shell("bash -c")).toBeUndefined();
  expect(shell("[]")).toBeUndefined();
});
