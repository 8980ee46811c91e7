// The tree under a process as text, with handles to go on from: what remains of it, and those above what remains, dimmed.
//
//   p0   4.56s         make -j2
//   p1   1.20s  exit 1 ├─ cc -c a.c
//   p2    30ms         └─ as a.s
import { count, cutEnd, displayWidth, padEnd, padStart, printable } from "../base/text.ts";
import { ABSENT } from "../model/ids.ts";
import { withoutFolders } from "../render/commands.ts";
import type { Book } from "./book.ts";
import { endOf, wallOf } from "./describe.ts";
import type { View } from "./output.ts";

/** Columns of a command beside which the line that started it is told. */
const LEAST_COMMAND = 16;

export interface TreeOptions {
  /** The process to begin with; ABSENT for every root. */
  readonly life: number;
  /** By life: those that remain; undefined is all. */
  readonly lives: Uint8Array | undefined;
  /** Levels below the first. */
  readonly depth: number;
  readonly limit: number;
  /** Draws a mark at this process. */
  readonly here: number;
}

export function* treeLines(book: Book, options: TreeOptions, view: View): Iterable<string> {
  const { tree, processes: p } = book;
  const shown = visible(book, options);
  const roots = options.life === ABSENT ? [...tree.roots] : [options.life];
  const drawn: { life: number; lead: string; hidden: number }[] = [];
  const stack: { life: number; lead: string; last: boolean; depth: number }[] = [];
  const glyphs = view.unicode
    ? { branch: "├─ ", last: "└─ ", pass: "│  ", blank: "   " }
    : { branch: "|- ", last: "`- ", pass: "|  ", blank: "   " };
  for (const life of roots.toReversed()) if (shown[life] !== 0) stack.push({ life, lead: "", last: true, depth: 0 });
  let left = 0;
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const { life, depth } = at;
    if (drawn.length >= options.limit) {
      left++;
      continue;
    }
    const children: number[] = [];
    for (let c = tree.childAt[life]!; c < tree.childAt[life + 1]!; c++)
      if (shown[tree.child[c]!] !== 0) children.push(tree.child[c]!);
    const cut = depth >= options.depth && children.length > 0;
    const own = depth === 0 ? "" : at.lead + (at.last ? glyphs.last : glyphs.branch);
    drawn.push({ life, lead: own, hidden: cut ? tree.size[life]! - 1 : 0 });
    if (cut) continue;
    const lead = depth === 0 ? "" : at.lead + (at.last ? glyphs.blank : glyphs.pass);
    for (let i = children.length - 1; i >= 0; i--)
      stack.push({ life: children[i]!, lead, last: i === children.length - 1, depth: depth + 1 });
  }
  if (drawn.length === 0) {
    yield view.paint.dim("no processes") + "\n";
    return;
  }
  const handleWidth = Math.max(...drawn.map(({ life }) => `p${life}`.length));
  const statusWidth = Math.max(...drawn.map(({ life }) => endOf(book, life).length));
  const dots = view.unicode ? "…" : "...";
  for (const { life, lead, hidden } of drawn) {
    const dim = shown[life] === 2;
    const mark = life === options.here ? (view.unicode ? "▸" : ">") : " ";
    const narrow = view.width < 40;
    const wall = narrow ? "" : ` ${padStart(wallOf(book, life), 7)}`;
    const status = narrow || statusWidth === 0 ? "" : `  ${padEnd(endOf(book, life), statusWidth)}`;
    const left = `${mark}${padEnd(`p${life}`, handleWidth)}${wall}`;
    const more = hidden > 0 ? ` (+${hidden})` : "";
    // A lead that leaves no room for the command is cut itself.
    const used = displayWidth(left) + displayWidth(status) + 2 + more.length;
    const cause = startedBy(book, life, view.unicode);
    const least = LEAST_COMMAND + displayWidth(lead);
    const suffix = view.width - used - displayWidth(cause) >= least ? cause : "";
    const room = Math.max(4, view.width - used - displayWidth(suffix));
    const shortLead = displayWidth(lead) > room - 8 ? cutEnd(lead, Math.max(0, room - 8), dots) : lead;
    const space = Math.max(1, room - displayWidth(shortLead));
    const whole = book.commandOf(life);
    const command = cutEnd(displayWidth(whole) > space ? withoutFolders(whole, dots) : whole, space, dots);
    const { paint } = view;
    const failed = endOf(book, life) !== "" && p.exitRow[life] !== ABSENT;
    const text = `${shortLead}${dim ? paint.dim(command) : command}${more === "" ? "" : paint.dim(more)}${suffix === "" ? "" : paint.dim(suffix)}`;
    yield `${paint.dim(left)}${failed ? paint.bad(status) : status}  ${text}\n`;
  }
  if (left > 0)
    yield (
      view.paint.dim(
        cutEnd(`${dots} and ${count(left, "more branch", "more branches")}: tree N draws N`, view.width, dots),
      ) + "\n"
    );
}

/** The script line that started the process, as `tk render` writes it: its file's name alone, and a ? where it was one of several threads. */
function startedBy(book: Book, life: number, unicode: boolean): string {
  const starter = book.world.starters?.ofLife(life);
  if (starter === undefined) return "";
  const name = starter.path.slice(starter.path.lastIndexOf("/") + 1);
  const sure = starter.certainty === "one of several threads" ? "?" : "";
  return printable(`  ${unicode ? "←" : "<-"} ${name}:${starter.line}${sure}`, unicode);
}

/** By life: 1 remains, 2 stands above one that remains, 0 is left out. */
function visible({ processes: p, tree }: Book, { lives, life }: TreeOptions): Uint8Array {
  const shown = new Uint8Array(p.length).fill(lives === undefined ? 1 : 0);
  if (lives === undefined) return shown;
  for (let at = tree.preorder.length - 1; at >= 0; at--) {
    const one = tree.preorder[at]!;
    if (lives[one] === 1) shown[one] = 1;
    const above = p.parent[one]!;
    if (shown[one] !== 0 && above !== ABSENT && shown[above] === 0) shown[above] = lives[above] === 1 ? 1 : 2;
  }
  // The process that the tree begins with stands for those above it.
  if (life !== ABSENT && shown[life] === 0) shown[life] = 2;
  return shown;
}
