// The keys and prompts of the line player. Those of the older line tracer's player come first and mean what they mean there; where it
// opens its prompt for any other key, some keys do something here instead: none of its own commands begins with them.
import { count } from "../base/text.ts";
import { pythonInt, pythonRepr } from "./python_text.ts";
import type { LinePlayer, Motion } from "./line_player.ts";
import { DONE, type Reply } from "./view.ts";

/** The older player's keys come as bytes: what the arrows send after ESC and [. */
const IGNORED: ReadonlySet<string> = new Set(["escape", "[", "~"]);

const MOTIONS: Readonly<Record<string, readonly [Motion, 1 | -1]>> = {
  s: ["step", 1],
  n: ["next", 1],
  c: ["continue", 1],
  S: ["step", -1],
  N: ["next", -1],
  C: ["continue", -1],
  R: ["finish", 1],
  E: ["finish", -1],
};

const MOTION_WORDS: ReadonlySet<string> = new Set(Object.keys(MOTIONS));

/** Lines that are beside the source: one at a time, or none. */
export type Panel = "help" | "stack" | "breakpoints" | "tracks";

const PANELS: Readonly<Record<string, Panel>> = { W: "stack", L: "breakpoints", T: "tracks" };

/** Most times that a motion is done at one command. */
const MOST_TIMES = 1e9;

/** Which share of the time stands beside each line. */
export type Heat = "off" | "self" | "cumulated";

const HEAT_WORDS: Readonly<Record<Heat, string>> = {
  self: "each line's own share of the time",
  cumulated: "each line's share of the time, with what it called",
  off: "no shares of the time",
};

/** What keys change besides the player. */
export interface KeyState {
  panel: Panel | undefined;
  /** The chosen row of a panel. */
  selected: number;
  /** Rows of the panel, as painted last. */
  panelRows: number;
  /** Lines of the help above the screen. */
  helpScroll: number;
  /** Columns of the source left of the screen. */
  sideways: number;
  /** What was searched for last, and where it was found. */
  search: { readonly text: string; readonly backwards: boolean } | undefined;
  found: { readonly file: number; readonly line: number } | undefined;
  heat: Heat;
  /** The user wants to see it, even if it takes a while to find out. */
  heatAsked: boolean;
  heatKnown: boolean;
}

export const newKeyState = (): KeyState => ({
  panel: undefined,
  selected: 0,
  panelRows: 0,
  helpScroll: 0,
  sideways: 0,
  search: undefined,
  found: undefined,
  heat: "self",
  heatAsked: false,
  heatKnown: false,
});

/** How far left and right keys go. */
const SIDEWAYS = 8;

export function press(player: LinePlayer, state: KeyState, chord: string): Reply {
  if (IGNORED.has(chord) && (state.panel === undefined || state.panel === "help")) return DONE;
  player.begin();
  if (chord === "h" || chord === "f1") {
    if (state.panel === "help") {
      state.panel = undefined;
      player.bringIntoView();
    } else {
      state.panel = "help";
      state.helpScroll = 0;
      // The older player draws its help from the top, and the source anew after it.
      player.scroll = 0;
    }
    return DONE;
  }
  if (state.panel === "help") return pressInHelp(state, chord);
  if (chord === "q") return { kind: "quit" };
  if (state.panel !== undefined) return pressInPanel(player, state, chord);
  switch (chord) {
    case "up":
    case "A":
      player.scrollBy(-1);
      return DONE;
    case "down":
    case "B":
      player.scrollBy(1);
      return DONE;
    case "pageup":
    case "5":
      player.scrollByPage(-1);
      return DONE;
    case "pagedown":
    case "6":
      player.scrollByPage(1);
      return DONE;
    case "home":
      player.scrollBy(-Infinity);
      return DONE;
    case "end":
      player.scrollBy(Infinity);
      return DONE;
    case "left":
      state.sideways = Math.max(0, state.sideways - SIDEWAYS);
      return DONE;
    case "right":
      state.sideways += SIDEWAYS;
      return DONE;
    case "H":
      // The first time it is only asked for, where it takes a while.
      if (!state.heatAsked && !state.heatKnown) state.heat = "off";
      state.heatAsked = true;
      state.heat = state.heat === "self" ? "cumulated" : state.heat === "cumulated" ? "off" : "self";
      player.note = HEAT_WORDS[state.heat];
      return DONE;
    case ".":
      player.chosen = undefined;
      player.bringIntoView();
      return DONE;
    case "/":
    case "?":
      return { kind: "prompt", mark: chord, text: "" };
    case ">":
    case "<":
      searchAgain(player, state, chord === "<");
      return DONE;
  }
  const motion = MOTIONS[chord];
  if (motion !== undefined) {
    if (!player.move(...motion)) player.changed();
    return DONE;
  }
  const panel = PANELS[chord];
  if (panel !== undefined) {
    openPanel(player, state, panel);
    return DONE;
  }
  // Keys that type nothing do nothing.
  if (Array.from(chord).length > 1 && chord !== "space" && chord !== "enter") return { kind: "unknown" };
  return { kind: "prompt", mark: "> ", text: /^[a-z]$/.test(chord) ? `${chord} ` : "" };
}

function pressInHelp(state: KeyState, chord: string): Reply {
  if (chord === "up") state.helpScroll = Math.max(0, state.helpScroll - 1);
  else if (chord === "down") state.helpScroll++;
  else if (chord === "pageup") state.helpScroll = Math.max(0, state.helpScroll - Math.max(1, state.panelRows - 1));
  else if (chord === "pagedown") state.helpScroll += Math.max(1, state.panelRows - 1);
  return DONE;
}

function openPanel(player: LinePlayer, state: KeyState, panel: Panel): void {
  state.panel = panel;
  state.selected = 0;
  if (panel === "stack") state.selected = player.cursor.depth - 1;
  if (panel === "tracks") state.selected = Math.max(0, player.tracks().indexOf(player.cursor.track));
}

function panelLength(player: LinePlayer, panel: Panel): number {
  if (panel === "stack") return player.cursor.depth;
  return panel === "breakpoints" ? player.breakpoints.all.length : player.tracks().length;
}

function pressInPanel(player: LinePlayer, state: KeyState, chord: string): Reply {
  const panel = state.panel!;
  const last = Math.max(0, panelLength(player, panel) - 1);
  const close = () => {
    state.panel = undefined;
  };
  const page = Math.max(1, state.panelRows - 1);
  const go: Readonly<Record<string, number>> = {
    up: state.selected - 1,
    down: state.selected + 1,
    pageup: state.selected - page,
    pagedown: state.selected + page,
    home: 0,
    end: last,
  };
  if (go[chord] !== undefined) state.selected = Math.max(0, Math.min(last, go[chord]));
  else if (chord === "escape" || PANELS[chord] === panel) close();
  else if (PANELS[chord] !== undefined) openPanel(player, state, PANELS[chord]);
  else if (chord === "delete" && panel === "breakpoints") {
    const b = player.breakpoints.all[state.selected];
    if (b !== undefined) player.breakpoints.remove(b.file, b.line);
    state.selected = Math.min(state.selected, Math.max(0, last - 1));
  } else if (chord === "enter") {
    close();
    choose(player, panel, state.selected);
  } else return { kind: "unknown" };
  return DONE;
}

function choose(player: LinePlayer, panel: Panel, row: number): void {
  if (panel === "tracks") {
    const track = player.tracks()[row];
    if (track !== undefined) player.switchTo(track);
    return;
  }
  const frame = panel === "stack" ? player.stack()[row] : undefined;
  const place =
    panel === "breakpoints"
      ? player.breakpoints.all[row]
      : frame && { file: player.traces.codes[frame.code]?.file ?? -1, line: frame.line };
  if (place !== undefined && place.file >= 0) showPlace(player, place.file, place.line);
}

/** Shows a line of a file, which need not be the cursor's. */
function showPlace(player: LinePlayer, file: number, line: number): void {
  if (file !== player.shownFile) player.showFile(file);
  player.scrollTo(line);
}

/** A line that was typed at the prompt `> `. */
export function enter(player: LinePlayer, line: string): Reply {
  const typed = line.trim();
  player.changed();
  if (typed === "") return DONE;
  const words = typed.split(/\s+/);
  if (!command(player, words) && player.error === undefined)
    player.error = `Invalid command: ${pythonRepr(typed)} -- press <h> for help`;
  return DONE;
}

/** False: it cannot be understood. */
function command(player: LinePlayer, words: readonly string[]): boolean {
  const [name, first] = words;
  if (MOTION_WORDS.has(name!)) return repeated(player, name!, first);
  switch (name) {
    case "b":
      return breakpoint(player, first);
    case "j": {
      if (first === "start") player.toStart();
      else if (first === "end") player.toEnd();
      // A date and a time of day are two words.
      else if (words.length > 2 && /^\d+-\d+-\d+$/.test(first!) && words[2]!.includes(":"))
        return player.jump(`${first} ${words[2]}`);
      else return first !== undefined && player.jump(first);
      return true;
    }
    case "f":
      return first !== undefined && file(player, first);
    case "g": {
      const number = first === undefined ? undefined : pythonInt(first);
      if (number === undefined || number <= 0) return false;
      player.scrollTo(number);
      return true;
    }
    case "t":
      return first !== undefined && track(player, words.slice(1).join(" "));
    case "d":
      if (first !== undefined) {
        const b = player.breakpoints.all[(pythonInt(first) ?? 0) - 1];
        return b !== undefined && player.toggle(b.file, b.line);
      }
      player.note = `${count(player.breakpoints.all.length, "breakpoint")} taken away`;
      player.breakpoints.all.length = 0;
      return true;
    default:
      return false;
  }
}

/** `c 5`: to the fifth hit; `c -5`: the same backwards. */
function repeated(player: LinePlayer, name: string, word: string | undefined): boolean {
  const times = word === undefined ? 1 : pythonInt(word);
  if (times === undefined || times === 0 || Math.abs(times) > MOST_TIMES) return false;
  const [motion, forwards] = MOTIONS[name]!;
  const step = times > 0 ? forwards : forwards > 0 ? -1 : 1;
  player.move(motion, step, Math.abs(times));
  return true;
}

function breakpoint(player: LinePlayer, place: string | undefined): boolean {
  if (place === undefined) {
    if (player.showsCursor) return player.toggle(player.cursor.file, player.cursor.line);
    player.error = "Error: explicit line number needed. The current execution line is in another file.";
    return false;
  }
  const colon = place.lastIndexOf(":");
  if (colon < 0) {
    const line = pythonInt(place);
    return line !== undefined && line > 0 && player.toggle(player.shownFile, line);
  }
  const line = pythonInt(place.slice(colon + 1));
  if (colon === 0 || line === undefined || line <= 0) return false;
  const found = oneFile(player, place.slice(0, colon));
  return found !== undefined && player.toggle(found, line);
}

function file(player: LinePlayer, suffix: string): boolean {
  const found = oneFile(player, suffix);
  if (found !== undefined) player.showFile(found);
  return found !== undefined;
}

/** The only file with that end, or why there is none as the error. */
function oneFile(player: LinePlayer, suffix: string): number | undefined {
  const found = player.filesEnding(suffix);
  if (found.length === 1) return found[0];
  player.error =
    found.length > 1
      ? `Error: ${found.length} different file paths could match.`
      : "Error: could not find a matching file path in the exec trace.";
  return undefined;
}

/** A track by its number in the list, its process or thread id, or its name. */
function track(player: LinePlayer, word: string): boolean {
  const tracks = player.tracks();
  const number = pythonInt(word);
  const found =
    number === undefined
      ? tracks.filter(({ name }) => name.includes(word))
      : [tracks[number - 1] ?? tracks.find((t) => t.tid === number || t.pid === number)];
  const [only] = found;
  if (found.length === 1 && only !== undefined) {
    player.switchTo(only);
    return true;
  }
  player.error =
    found.length > 1
      ? `Error: ${found.length} threads could match.`
      : "Error: there is no such thread or process in the exec trace (T lists them).";
  return false;
}

/** A line that was typed at `/` or `?`; an empty one searches for the same again. */
export function search(player: LinePlayer, state: KeyState, line: string, backwards: boolean): void {
  if (line !== "") {
    state.search = { text: line, backwards };
    state.found = undefined;
    lookFor(player, state, backwards);
  } else if (state.search === undefined) player.error = "nothing was searched for before";
  else lookFor(player, state, backwards);
}

function searchAgain(player: LinePlayer, state: KeyState, opposite: boolean): void {
  if (state.search === undefined) player.error = "nothing was searched for before: / searches the source";
  else lookFor(player, state, state.search.backwards !== opposite);
}

/** The next line of the shown file that has the text, in small or capital letters unless capitals were typed. */
function lookFor(player: LinePlayer, state: KeyState, backwards: boolean): void {
  const { text } = state.search!;
  const exact = text.toLowerCase() !== text;
  const { lines } = player.text(player.shownFile);
  const matches: number[] = [];
  lines.forEach((line, i) => {
    if ((exact ? line : line.toLowerCase()).includes(text)) matches.push(i + 1);
  });
  if (matches.length === 0) {
    player.error = `not found in this file: ${text}`;
    return;
  }
  const shown = player.shownFile;
  const from =
    state.found?.file === shown
      ? state.found.line
      : player.showsCursor && state.found === undefined
        ? player.cursor.line
        : player.scroll;
  const ahead = backwards ? matches.findLastIndex((line) => line < from) : matches.findIndex((line) => line > from);
  const at = ahead >= 0 ? ahead : backwards ? matches.length - 1 : 0;
  const line = matches[at]!;
  state.found = { file: shown, line };
  player.scrollTo(line);
  const around = ahead >= 0 ? "" : backwards ? ", from the end again" : ", from the beginning again";
  player.note = `match ${at + 1} of ${matches.length}${around}: ${text}`;
}

/** What the line at the prompt may become. */
export function complete(player: LinePlayer, line: string): readonly string[] {
  const m = /^\s*([fb])\s+(\S{2,})$/.exec(line);
  if (m === null) return [];
  const command = m[1]!;
  return player.pathTails(m[2]!).map((tail) => `${command} ${tail}${command === "b" ? ":" : ""}`);
}
