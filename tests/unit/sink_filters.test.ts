// Filters: text in, text out; what each of them does to a report and to a log message.
import { describe, expect, test } from "bun:test";
import { FILTERS } from "../../lib/config/sink_fields.ts";
import { applyFilters, FILTER_NAMES, type FilterContext } from "../../lib/sink/filters.ts";

const REPORT: FilterContext = {
  topic: "report",
  level: undefined,
  threshold: "warn",
  width: 20,
  unixSeconds: 1700000000,
};
const LOG: FilterContext = { ...REPORT, topic: "logs", level: "warn" };

test("every filter that a configuration may name exists, and none else", () => {
  expect([...FILTER_NAMES].sort()).toEqual([...FILTERS].sort());
});

describe("reports", () => {
  test("pretty_json indents by two and keeps one element per line", () => {
    expect(applyFilters('[{"a":1,"b":[true,"x"]}]', ["pretty_json"], REPORT)).toBe(
      '[\n  {\n    "a": 1,\n    "b": [\n      true,\n      "x"\n    ]\n  }\n]',
    );
  });

  test("pretty_json leaves what is no JSON, and what steers a terminal stays escaped", () => {
    expect(applyFilters("no json", ["pretty_json"], REPORT)).toBe("no json");
    const hostile = applyFilters(String.raw`[{"a":"\u001b[31m\u202e"}]`, ["pretty_json"], REPORT);
    expect(hostile).toContain(String.raw`\u001b[31m\u202e`);
    expect(hostile).not.toContain("\x1b");
  });

  test("fix_new_line adds one newline and never a second", () => {
    expect(applyFilters("a", ["fix_new_line", "fix_new_line"], REPORT)).toBe("a\n");
  });

  test("filters of log messages leave reports alone", () => {
    const long = `[{"a":"${"word ".repeat(20)}"}]`;
    expect(applyFilters(long, ["log_level", "log_prefix", "wrap"], REPORT)).toBe(long);
  });

  test("groups of continuous integration surround the text", () => {
    expect(applyFilters("[]\n", ["github_log_group"], REPORT)).toBe("::group::tk report\n[]\n::endgroup::");
    expect(applyFilters("[]\n", ["gitlab_log_section"], REPORT)).toBe(
      "\x1b[0Ksection_start:1700000000:tk_report[collapsed=true]\r\x1b[0Ktk report\n[]\n" +
        "\x1b[0Ksection_end:1700000000:tk_report\r\x1b[0K",
    );
  });

  test("add_topic names the topic before and behind, and indents", () => {
    expect(applyFilters("a\nb\n", ["add_topic"], REPORT)).toBe("[[start report]]\n  a\n  b\n[[end report]]");
  });

  test("filters apply in their order; unknown ones and names of Object change nothing", () => {
    expect(applyFilters("[1]", ["github_log_group", "fix_new_line", "nope", "constructor"], REPORT)).toBe(
      "::group::tk report\n[1]\n::endgroup::\n",
    );
  });
});

describe("log messages", () => {
  test("log_level ends what is below the threshold", () => {
    expect(applyFilters("x", ["log_level", "fix_new_line"], { ...LOG, level: "info" })).toBeUndefined();
    expect(applyFilters("x", ["log_level"], LOG)).toBe("x");
    expect(applyFilters("x", ["log_level"], { ...LOG, level: "error" })).toBe("x");
  });

  test("log_prefix says the level as the original does", () => {
    expect(applyFilters("x", ["log_prefix"], LOG)).toBe("warn:  x");
    expect(applyFilters("x", ["log_prefix"], { ...LOG, level: "error" })).toBe("error: x");
  });

  test("wrap breaks at blanks, indents what follows, and keeps short lines as they are", () => {
    expect(applyFilters("a  b", ["wrap"], LOG)).toBe("a  b");
    expect(applyFilters("one two three four five six seven", ["wrap"], LOG)).toBe(
      "one two three four\n  five six seven",
    );
    expect(applyFilters("x".repeat(50), ["wrap"], LOG)).toBe("x".repeat(50));
    expect(applyFilters("日本語 日本語 日本語 日本語", ["wrap"], LOG)!.split("\n").length).toBeGreaterThan(1);
  });
});
