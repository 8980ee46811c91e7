// The commands of the shell, sorted by name. Help, completion, docs and the law test that every one is typed into the real binary read this list.
import { makeRegistry } from "../base/registry.ts";
import { STAGES } from "../query/parser.ts";
import { beginsCondition } from "./bare_condition.ts";
import type { ReplCommand } from "./command.ts";
import { analyse, diff, render, replay, shell, source } from "./commands/elsewhere.ts";
import { filter, filters, forget, name, pop, save, use } from "./commands/filtering.ts";
import { hot, info, ls, path, timeline, tree } from "./commands/looking.ts";
import { back, cd, find, goto, mark, marks, next, prev, root, up } from "./commands/moving.ts";
import { clear, format, history, makeHelp, quit } from "./commands/shell.ts";
import { show } from "./commands/show.ts";
import { events, images, linesView, procs, reports } from "./commands/views.ts";

const help = makeHelp(() => commands.entries);

export const commands = makeRegistry<ReplCommand>("commands", [
  analyse,
  back,
  cd,
  clear,
  diff,
  events,
  filter,
  filters,
  find,
  forget,
  format,
  goto,
  help,
  history,
  hot,
  images,
  info,
  linesView,
  ls,
  mark,
  marks,
  name,
  next,
  path,
  pop,
  prev,
  procs,
  quit,
  render,
  replay,
  reports,
  root,
  save,
  shell,
  show,
  source,
  timeline,
  tree,
  up,
  use,
]);

/** Whether the line is the language's: it begins with a table, a stage, or is a condition by itself. */
export function beginsQuery(first: string, text = first): boolean {
  if (STAGES.has(first)) return true;
  const command = commands.find(first);
  if (command.isOk()) return command.value.speaksQuery === true || beginsCondition(text, true);
  return beginsCondition(text, false);
}
