// The sections of the report, sorted by id. A new section is one file (or a constant in one) and one line here.
import { makeRegistry } from "../base/registry.ts";
import type { Section } from "./section.ts";
import { commands } from "./sections/commands.ts";
import { criticalPath } from "./sections/critical_path.ts";
import { lines, lineThreads, startedBy } from "./sections/lines.ts";
import { parallelism, serialWindows, timeline } from "./sections/parallelism.ts";
import { probeFolders, probes } from "./sections/probes.ts";
import { repeated, short, waste, wrappers } from "./sections/waste.ts";

export const sections = makeRegistry<Section>("section", [
  commands,
  criticalPath,
  lineThreads,
  lines,
  parallelism,
  probeFolders,
  probes,
  repeated,
  serialWindows,
  short,
  startedBy,
  timeline,
  waste,
  wrappers,
]);

/** The section and those that are shown with it, itself first. */
export function sectionsOf(id: string, forPeople: boolean): readonly Section[] {
  return [
    ...sections.entries.filter((s) => s.id === id),
    ...sections.entries.filter((s) => s.group === id && !(forPeople && s.machineOnly === true)),
  ];
}

/** What a report holds when no section is asked for: the brief ones for people, all for programs. */
export function wholeReport(forPeople: boolean): readonly Section[] {
  const order = ["commands", "critical-path", "started-by", "lines", "parallelism", "waste", "probes"];
  const place = (s: Section) => order.indexOf(s.group ?? s.id) * 2 + (s.group === undefined ? 0 : 1);
  return sections.entries.filter((s) => !forPeople || s.brief).toSorted((a, b) => place(a) - place(b));
}
