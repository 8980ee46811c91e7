// The picture of the line player: where and when, the source with the current line, breakpoints and heat; or a list beside it. On a small
// screen the header shrinks first. Paths, names and sources come from strangers and are made safe before they are measured.
import { count, cutEnd, cutMiddle, displayWidth, padEnd, padStart, thousands, wrap } from "../base/text.ts";
import type { LineCosts } from "../lines/line_costs.ts";
import { shortPlace } from "../lines/source_text.ts";
import type { Frame, LineTrack } from "../lines/line_track.ts";
import { cutColumns, fitLine, safe, type Span, span, type Style, STYLE, type StyledLine } from "../terminal/styled.ts";
import { LINE_HELP } from "./line_help.ts";
import { complete, enter, type KeyState, newKeyState, press, search } from "./line_keys.ts";
import type { LinePlayer } from "./line_player.ts";
import { localTime, sinceStart } from "./line_time.ts";
import { DONE, type Moment, type Reply, type View, type ViewSize } from "./view.ts";

/** Rows from which on the header is whole, or at least says where and when. */
const ROWS_FOR_HEADER = 12;
const ROWS_FOR_TWO = 6;
/** Letters and their marks: more of one column is not shown. */
const UNITS_PER_COLUMN = 4;
/** A share below this is not shown. */
const LEAST_SHARE = 0.0005;

export class LineView implements View {
  readonly id = "lines";
  readonly player: LinePlayer;
  private readonly keys: KeyState = newKeyState();
  private costs: LineCosts | undefined;
  /** More was recorded since. */
  private costsAreOld = false;
  /** All lines' own time. */
  private whole = 0;
  private columns = 0;
  private screenRows = 0;

  constructor(player: LinePlayer) {
    this.player = player;
  }

  /**
   * Whether costs would be shown and are not here yet: finding them out is the owner's to do. Where it takes long, only when they were
   * asked for by key.
   */
  wantsCosts(isCheap: boolean): boolean {
    return (
      (this.costs === undefined || this.costsAreOld) && this.keys.heat !== "off" && (isCheap || this.keys.heatAsked)
    );
  }

  useCosts(costs: LineCosts): void {
    this.costs = costs;
    this.costsAreOld = false;
    this.keys.heatKnown = true;
    this.whole = 0;
    for (let i = 0; i < costs.length; i++) this.whole += costs.at(i).self;
  }

  hints(): readonly string[] {
    if (this.keys.panel === "help") return ['"h": leave help', "arrows: scroll"];
    if (this.keys.panel !== undefined) return ["<Enter>: choose", "<Esc>: leave", '"h": help about all commands'];
    return ['"h": help about all commands', '"q": quit', "n s c: next, step, continue", "N S C: backwards"];
  }

  press(chord: string): Reply {
    return press(this.player, this.keys, chord);
  }

  enter(line: string, mark: string): Reply {
    if (mark === "> ") return enter(this.player, line);
    search(this.player, this.keys, line, mark === "?");
    return DONE;
  }

  complete(line: string, mark: string): readonly string[] {
    return mark === "> " ? complete(this.player, line) : [];
  }

  message(): string | undefined {
    return this.player.error ?? this.player.note;
  }

  moment(): Moment {
    const { time, track } = this.player.cursor;
    return { time, pid: track.pid, tid: track.tid };
  }

  goTo(at: Moment): boolean {
    this.player.begin();
    this.keys.panel = undefined;
    if (this.player.goTo(at)) return true;
    this.player.note = `no lines of process ${at.pid} were recorded; this is another at the same moment`;
    return true;
  }

  refresh(): boolean {
    if (!this.player.refresh()) return false;
    this.costsAreOld = true;
    return true;
  }

  toEnd(): void {
    this.player.toNewest();
  }

  paint(size: ViewSize): readonly StyledLine[] {
    const { columns, rows, ability } = size;
    const screenRows = size.screenRows ?? rows;
    if (this.columns !== columns || this.screenRows !== screenRows) this.player.bringIntoView();
    this.columns = columns;
    this.screenRows = screenRows;
    if (this.keys.panel === "help") {
      const lines = helpLines(columns);
      this.keys.panelRows = rows;
      this.keys.helpScroll = Math.max(0, Math.min(this.keys.helpScroll, lines.length - rows));
      this.player.settle(rows, 0);
      return lines.slice(this.keys.helpScroll, this.keys.helpScroll + rows);
    }
    const header = this.header(size);
    const room = Math.max(1, rows - header.length);
    const { panel } = this.keys;
    if (panel !== undefined) {
      this.keys.panelRows = room;
      return [...header, ...this.panel(panel, columns, room, ability.unicode)];
    }
    // The shell's row for a message is taken from the view's.
    this.player.settle(room, this.message() === undefined ? 0 : 1);
    return [...header, ...this.body(columns, room, ability.unicode)];
  }

  private header({ columns, rows, ability: { unicode } }: ViewSize): StyledLine[] {
    const { player } = this;
    const { cursor, traces } = player;
    const { track, time } = cursor;
    const flag = cursor.isFirst ? " [START OF TRACE]" : cursor.isLast ? " [END OF TRACE]" : "";
    const since = sinceStart(time, traces.clock.unixZero === 0 ? track.startOf(0) : 0, traces.clock);
    const when = `${track.approximate ? "approx. time: " : "time: "}${localTime(time, traces.clock)}`;
    const timeLine: StyledLine = [span(when, STYLE.bold), span(flag, STYLE.yellow), span(`  ${since}`, STYLE.dim)];
    if (rows < 2) return [];
    const label = "location: ";
    const name = cursor.code.name;
    const inside = name === undefined ? "" : ` in ${safe(name, unicode)}`;
    const path = safe(player.path(cursor.file), unicode);
    const shown = player.showsCursor
      ? ""
      : `, shown: ${shortPlace(safe(player.path(player.shownFile), unicode), "", 40).slice(0, -1)}`;
    const room = Math.max(20, columns - label.length - displayWidth(inside) - displayWidth(shown));
    const place = shortPlace(path, cursor.line, room);
    const location: StyledLine = [
      span(label),
      span(place, STYLE.bold),
      span(inside, STYLE.cyan),
      span(shown, STYLE.yellow),
    ];
    if (rows < ROWS_FOR_TWO) {
      const file = cutMiddle(path.split("/").at(-1)!, Math.max(4, columns - String(cursor.line).length - 1), "..");
      return [[span(cutEnd(`${file}:${cursor.line} ${since}${flag}`, columns, ""), STYLE.bold)]];
    }
    if (rows < ROWS_FOR_HEADER) return [timeLine, location];
    const rule: StyledLine = [span((unicode ? "━" : "-").repeat(columns), STYLE.dim)];
    return [timeLine, location, this.whoLine(columns, unicode), this.stackLine(columns, unicode), rule];
  }

  private whoLine(columns: number, unicode: boolean): StyledLine {
    const { track } = this.player.cursor;
    const tracks = this.player.tracks();
    const nth = tracks.indexOf(track) + 1;
    const of = tracks.length > 1 ? ` (${thousands(nth)} of ${thousands(tracks.length)})` : "";
    return [span("in: "), span(cutEnd(trackName(track, unicode) + of, columns - 4, unicode ? "…" : "..."))];
  }

  private stackLine(columns: number, unicode: boolean): StyledLine {
    const stack = this.player.stack();
    const label = `stack (${thousands(stack.length)}): `;
    const more = unicode ? "… > " : "... > ";
    let room = columns - label.length - more.length;
    const names: string[] = [];
    // From the innermost on, which are those that matter, as many as there is room for.
    let from = stack.length;
    while (from > 0) {
      const name = this.frameName(stack[from - 1]!, unicode);
      room -= displayWidth(name) + 3;
      if (room < 0 && names.length > 0) break;
      names.unshift(name);
      from--;
    }
    const shown = names.join(" > ");
    return [span(label), span((from > 0 ? more : "") + shown, STYLE.cyan)];
  }

  private frameName({ code, line }: Frame, unicode: boolean): string {
    const known = this.player.traces.codes[code];
    if (known === undefined) return "(not recorded)";
    const file = this.player.path(known.file).split("/").at(-1) ?? "";
    const name = known.name === undefined || known.name === "<module>" ? file : known.name;
    return cutMiddle(line === 0 ? safe(name, unicode) : `${safe(name, unicode)}:${line}`, 40, unicode ? "…" : "...");
  }

  private body(columns: number, rows: number, unicode: boolean): StyledLine[] {
    const { player, keys } = this;
    const file = player.shownFile;
    const { lines, from } = player.text(file);
    const current = player.showsCursor ? player.cursor.line : -1;
    // Lines that ran but are not in the text, because it is gone or another.
    const length = Math.max(lines.length, current, 0);
    const width = String(Math.max(length, 99)).length;
    const out: StyledLine[] = [];
    if (length === 0 || from === "nowhere") {
      out.push([
        span(cutEnd("(the source was not recorded, and there is no such file now)", columns, ""), STYLE.yellow),
      ]);
    } else if (from === "file" && rows > 3)
      out.push([
        span(cutEnd("(the source was not recorded: this is the file as it is now)", columns, ""), STYLE.yellow),
      ]);
    const needle = keys.search?.text;
    for (let line = player.scroll + 1; line <= length && out.length < rows; line++) {
      const text = lines[line - 1];
      const isCurrent = line === current;
      const style: Style = isCurrent ? STYLE.current : STYLE.plain;
      const dot = player.breakpoints.has(file, line);
      const gutter: Span[] = [
        span(dot ? (unicode ? "●" : "*") : " ", dot ? (isCurrent ? STYLE.current : STYLE.red) : style),
        span(padStart(String(line), width), isCurrent ? style : STYLE.dim),
        span(isCurrent ? (unicode ? "▶" : ">") : " ", style),
        ...this.heatOf(file, line, columns, isCurrent),
        span(unicode ? "│" : "|", isCurrent ? style : STYLE.dim),
      ];
      const used = gutter.reduce((sum, { text }) => sum + displayWidth(text), 0);
      const room = Math.max(0, columns - used);
      if (text === undefined) gutter.push(span("(not in the source)", isCurrent ? style : STYLE.dim));
      else {
        // Of a line of a megabyte only what can be seen is looked at.
        const seen = text.slice(0, UNITS_PER_COLUMN * (keys.sideways + room)).trimEnd();
        const shown = cutColumns(safe(seen, unicode), keys.sideways, room);
        if (needle !== undefined && !isCurrent) gutter.push(...marked(shown, needle));
        else gutter.push(span(shown, style));
      }
      out.push(isCurrent ? fitLine(gutter, columns, style) : gutter);
    }
    return out;
  }

  private heatOf(file: number, line: number, columns: number, isCurrent: boolean): Span[] {
    const { heat } = this.keys;
    if (heat === "off" || this.costs === undefined || columns < 40) return [];
    const cost = this.costs.find(file, line);
    const share = cost === undefined || this.whole === 0 ? 0 : cost[heat] / this.whole;
    const text = share < LEAST_SHARE ? "" : share >= 0.9995 ? "100 %" : `${(share * 100).toFixed(1)}%`;
    const style = share >= 0.2 ? STYLE.red : share >= 0.05 ? STYLE.yellow : STYLE.dim;
    return [span(`${padStart(text, 6)} `, isCurrent ? STYLE.current : style)];
  }

  private panel(
    panel: "stack" | "breakpoints" | "tracks",
    columns: number,
    rows: number,
    unicode: boolean,
  ): StyledLine[] {
    const { player, keys } = this;
    const title =
      panel === "stack" ? "Stack, outermost first" : panel === "breakpoints" ? "Breakpoints" : "Threads and processes";
    // Rows are made only where they are seen: a stack can have ten thousand frames.
    const stack = panel === "stack" ? player.stack() : [];
    const tracks = panel === "tracks" ? player.tracks() : [];
    const points = panel === "breakpoints" ? player.breakpoints.all : [];
    const length = stack.length + tracks.length + points.length;
    const row = (i: number): string => {
      if (panel === "stack") return this.frameRow(stack[i]!, i, unicode);
      if (panel === "tracks") return this.trackRow(tracks[i]!, i);
      return this.placeRow(`${i + 1}`, points[i]!.file, points[i]!.line, unicode);
    };
    keys.panelRows = Math.max(1, rows - 1);
    keys.selected = Math.max(0, Math.min(keys.selected, length - 1));
    const out: StyledLine[] = rows > 2 ? [[span(title, STYLE.title)]] : [];
    if (length === 0) out.push([span("(none)", STYLE.dim)]);
    const room = rows - out.length;
    const from = Math.max(0, Math.min(keys.selected - Math.floor(room / 2), length - room));
    for (let i = from; i < length && out.length < rows; i++) {
      const isChosen = i === keys.selected;
      const text = cutColumns(`${isChosen ? (unicode ? "▶" : ">") : " "} ${safe(row(i), unicode)}`, 0, columns);
      out.push(isChosen ? fitLine([span(text, STYLE.current)], columns, STYLE.current) : [span(text)]);
    }
    return out;
  }

  private frameRow({ code, line }: Frame, depth: number, unicode: boolean): string {
    const known = this.player.traces.codes[code];
    if (known === undefined) return `${depth + 1}  (not recorded)`;
    return this.placeRow(`${depth + 1}  ${padEnd(known.name ?? "", 20)}`, known.file, line, unicode);
  }

  private placeRow(head: string, file: number, line: number, unicode: boolean): string {
    const text = this.player.text(file).lines[line - 1]?.slice(0, 1000).trim() ?? "";
    const hits = this.costs?.find(file, line)?.count;
    const often = hits === undefined ? "" : `  ${count(hits, "time")}`;
    const path = safe(this.player.path(file), unicode);
    // Of a frame that was open before the recording the line is not known.
    const place = line === 0 ? shortPlace(path, "", 60).slice(0, -1) : shortPlace(path, line, 60);
    return `${head}  ${place}${often}  ${text}`;
  }

  private trackRow(track: LineTrack, i: number): string {
    const { clock } = this.player.traces;
    const zero = clock.unixZero === 0 ? track.startOf(0) : 0;
    const here = track.index === this.player.cursor.track.index ? "*" : " ";
    const from = sinceStart(track.startOf(0), zero, clock);
    const to = sinceStart(track.endOf(track.blocks - 1), zero, clock);
    // Of a log directory the number is known only once all of it was read.
    const often = track.kind === "trackexec" ? count(track.blocks, "block") : count(track.events, "line");
    return `${here}${i + 1}  ${trackName(track, true)}  ${from} to ${to}  ${often}`;
  }
}

function trackName(track: LineTrack, unicode: boolean): string {
  const { kind, pid, tid, name } = track;
  const process = pid === undefined ? "process" : `process ${pid}`;
  const thread = tid === undefined || tid === pid ? "" : `, thread ${tid}`;
  return safe(`${kind} ${process}${thread}${name === "" ? "" : `, ${name}`}`, unicode);
}

/** The text with what is searched for marked in it. */
function marked(text: string, needle: string): Span[] {
  const exact = needle.toLowerCase() !== needle;
  const looked = exact ? text : text.toLowerCase();
  // Some letters change their length in small: then places would not fit.
  if (looked.length !== text.length || needle === "") return [span(text)];
  const out: Span[] = [];
  let from = 0;
  for (let at = looked.indexOf(needle); at >= 0; at = looked.indexOf(needle, from)) {
    if (at > from) out.push(span(text.slice(from, at)));
    out.push(span(text.slice(at, at + needle.length), STYLE.found));
    from = at + needle.length;
  }
  if (from < text.length) out.push(span(text.slice(from)));
  return out;
}

function helpLines(columns: number): StyledLine[] {
  const wide = Math.max(...LINE_HELP.map(([keys]) => keys.length)) + 3;
  // On a narrow screen what a key means stands below it.
  const beside = columns - wide >= 24;
  const indent = beside ? wide : 4;
  return LINE_HELP.flatMap(([keys, meaning]): StyledLine[] => {
    const words = wrap(meaning, Math.max(10, columns - (keys === "" ? 0 : indent)));
    if (keys === "") return words.map((line) => [span(line, STYLE.title)]);
    const head = span(beside ? `  ${padEnd(keys, wide - 2)}` : `  ${keys}`, STYLE.bold);
    const below = words.slice(beside ? 1 : 0).map((line): StyledLine => [span(" ".repeat(indent) + line)]);
    return [beside ? [head, span(words[0] ?? "")] : [head], ...below];
  });
}
