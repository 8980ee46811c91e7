// Mermaid itself, under happy-dom: what it makes of a chart, with the text as its browser shows it.
import { Window } from "happy-dom";

interface GanttTask {
  readonly task: string;
  readonly section: string;
  readonly startTime: Date;
  readonly endTime: Date;
  readonly crit?: boolean;
  readonly active?: boolean;
}

export interface DrawnTask {
  readonly label: string;
  readonly section: string;
  readonly start: number;
  readonly took: number;
  readonly failed: boolean;
}

const NAMES = [
  "Element",
  "Node",
  "HTMLElement",
  "SVGElement",
  "DocumentFragment",
  "HTMLTemplateElement",
  "NodeFilter",
  "NamedNodeMap",
  "HTMLFormElement",
  "DOMParser",
] as const;

const load = async () => {
  const w = new Window();
  Object.assign(globalThis, { window: w, document: w.document });
  for (const name of NAMES) Object.assign(globalThis, { [name]: w[name] });
  return (await import("mermaid")).default;
};

let loaded: ReturnType<typeof load> | undefined;

/** Takes the browser out of the global scope again, for the tests that come after. */
export function unloadMermaid(): void {
  for (const name of ["window", "document", ...NAMES]) Reflect.deleteProperty(globalThis, name);
  loaded = undefined;
}

/**
 * Text as it stands in the finished picture. Mermaid carries entities through its parser as `ﬂ°°58¶ß` and turns those
 * marks into `&#58;` in the picture's markup, where other text has been escaped; the browser resolves both.
 */
function shown(text: string): string {
  const markup = text.replaceAll("&", "&amp;").replace(/ﬂ°°/g, "&#").replace(/ﬂ°/g, "&").replace(/¶ß/g, ";");
  return markup.replace(/&(?:#(\d+)|(\w*));?/g, (whole, code: string | undefined, name: string) => {
    if (code !== undefined && whole.endsWith(";")) return String.fromCodePoint(Number(code));
    if (name === "amp") return "&";
    throw new Error(`an entity that was not meant: ${whole}`);
  });
}

/** The tasks of a chart as Mermaid understands them. Throws where Mermaid refuses the text. */
export async function tasksOf(text: string): Promise<{ title: string; tasks: DrawnTask[] }> {
  const mermaid = await (loaded ??= load());
  const parsed = await mermaid.parse(text);
  if (parsed.diagramType !== "gantt") throw new Error("not a gantt chart");
  const diagram = await mermaid.mermaidAPI.getDiagramFromText(text);
  const db = diagram.db as unknown as { getTasks(): GanttTask[]; getDiagramTitle(): string };
  return {
    title: shown(db.getDiagramTitle()),
    tasks: db.getTasks().map((t) => ({
      label: shown(t.task).trim(),
      section: shown(t.section),
      start: t.startTime.getTime(),
      took: t.endTime.getTime() - t.startTime.getTime(),
      failed: t.crit === true,
    })),
  };
}
