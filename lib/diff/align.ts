// Any number of recordings laid over one another: a tree of places, each with the life that stands there in each recording. Children of one
// place are matched first by what they ran, in their order; what is left over by program and by how many words
// are the same, since some have changed. What finds no partner is a place of its own: new in one recording, gone in another.
//
//   A  make ─┬─ cc a.c         B  make ─┬─ cc a.c            places  make ─┬─ cc a.c   A0 B0
//            └─ cc b.c                  ├─ cc -O2 b.c                      ├─ cc b.c   A1 B1 (its words changed)
//                                       └─ cc c.c                          └─ cc c.c   -  B2
import { programOf } from "../derive/exec_keys.ts";
import { processesOf, type Processes } from "../derive/processes.ts";
import { deriveTree, type ProcessTree } from "../derive/tree.ts";
import { argvOf, filenameOf } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";
import type { Recording } from "../model/recording.ts";
import { normaliseText } from "./normalise.ts";

/** One recording with what comparing needs of it. */
export interface Side {
  readonly recording: Recording;
  readonly processes: Processes;
  readonly tree: ProcessTree;
  /** By life: what it ran, normalised; the number of a text in `Keys`. */
  readonly key: Int32Array;
  /** By life: the program alone. */
  readonly program: Int32Array;
  /** By life: its key and those of everything below it; equal numbers are equal subtrees, whatever the order of children. */
  readonly shape: Int32Array;
}

/** Between the words of a key. */
const SEPARATOR = "\u0000";

/** Texts of all sides by number. */
export class Keys {
  private readonly numbers = new Map<string, number>();
  private readonly texts: string[] = [];
  private readonly sets = new Map<number, ReadonlySet<string>>();

  of(text: string): number {
    let n = this.numbers.get(text);
    if (n === undefined) {
      this.numbers.set(text, (n = this.texts.length));
      this.texts.push(text);
    }
    return n;
  }

  private words(key: number): ReadonlySet<string> {
    let set = this.sets.get(key);
    if (set === undefined) this.sets.set(key, (set = new Set(this.texts[key]!.split(SEPARATOR).slice(0, MOST_WORDS))));
    return set;
  }

  /** From 0, nothing in common, to 1: the words of both among the words of either. */
  likeness(a: number, b: number): number {
    const left = this.words(a);
    const right = this.words(b);
    let common = 0;
    for (const word of left) if (right.has(word)) common++;
    return common / (left.size + right.size - common);
  }
}

/** Of longer commands the beginning is compared. */
const MOST_WORDS = 256;

/** Commands that have less in common are not one that has changed. */
const LEAST_LIKENESS = 0.3;

/** More pairs than this are not compared one by one: they are matched in their order. */
const MOST_PAIRS = 40_000;

export function makeSide(recording: Recording, keys: Keys): Side {
  const processes = processesOf(recording);
  const tree = deriveTree(processes);
  const pids = new Set(processes.pid);
  const key = new Int32Array(processes.length);
  const program = new Int32Array(processes.length);
  // One text per exec, and the same line is often executed thousands of times.
  const known = new Map<string, string>();
  for (let life = 0; life < processes.length; life++) {
    const last = processes.imageAt[life + 1]! - 1;
    if (last < processes.imageAt[life]!) {
      const row = tree.inheritedRow[life]!;
      program[life] = keys.of("fork" + SEPARATOR + (row === ABSENT ? "" : programAt(recording, row)));
      key[life] = program[life]!;
      continue;
    }
    const row = processes.imageRow[last]!;
    program[life] = keys.of(programAt(recording, row));
    const words = argvOf(recording, row)?.words.join(SEPARATOR) ?? filenameOf(recording, row)?.text ?? "";
    let text = known.get(words);
    if (text === undefined) known.set(words, (text = normaliseText(words, pids)));
    key[life] = keys.of("exec" + SEPARATOR + text);
  }
  return { recording, processes, tree, key, program, shape: shapesOf(tree, key, keys) };
}

function shapesOf({ roots, childAt, child }: ProcessTree, key: Int32Array, keys: Keys): Int32Array {
  const shape = new Int32Array(key.length);
  const order: number[] = [...roots];
  for (let i = 0; i < order.length; i++)
    for (let at = childAt[order[i]!]!; at < childAt[order[i]! + 1]!; at++) order.push(child[at]!);
  for (let i = order.length - 1; i >= 0; i--) {
    const life = order[i]!;
    const below = child.subarray(childAt[life]!, childAt[life + 1]!).map((one) => shape[one]!);
    shape[life] = keys.of(`shape ${key[life]} ${below.sort().join(" ")}`);
  }
  return shape;
}

function programAt(recording: Recording, row: number): string {
  return programOf(argvOf(recording, row), () => filenameOf(recording, row)?.text);
}

/** A place in the tree of all recordings. */
export interface Place {
  /** Its number in `Aligned.places`; parents before children. */
  readonly index: number;
  /** ABSENT for roots. */
  readonly parent: number;
  /** By recording: the life that stands here, ABSENT for none. */
  readonly lives: Int32Array;
  key: number;
  readonly program: number;
  /** The subtree of the first life that stood here. */
  readonly shape: number;
  readonly children: number[];
  /** The words are not the same in all recordings. */
  changed: boolean;
}

export interface Aligned {
  readonly sides: readonly Side[];
  readonly places: readonly Place[];
}

export function align(sides: readonly Side[], keys: Keys): Aligned {
  const places: Place[] = [];
  const roots: number[] = [];
  sides.forEach((side, s) => {
    const pairs: { parent: number; among: number[]; lives: Int32Array }[] = [
      { parent: ABSENT, among: roots, lives: side.tree.roots },
    ];
    // No recursion: a tree may be ten thousand levels deep.
    for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
      const { parent, among, lives } = pair;
      for (const [life, place] of match(side, s, lives, among, places, parent, sides.length, keys)) {
        const { childAt, child } = side.tree;
        const children = child.subarray(childAt[life]!, childAt[life + 1]!);
        if (children.length > 0) pairs.push({ parent: place, among: places[place]!.children, lives: children });
      }
    }
  });
  return { sides, places };
}

/** Finds or makes the place of each life among the children of one place. */
function match(
  side: Side,
  s: number,
  lives: Int32Array,
  among: number[],
  places: Place[],
  parent: number,
  recordings: number,
  keys: Keys,
): [number, number][] {
  const found: [number, number][] = [];
  const take = (life: number, place: Place) => {
    place.lives[s] = life;
    if (place.key !== side.key[life]) place.changed = true;
    found.push([life, place.index]);
  };
  const left = matchSame(side, lives, among, places, take);
  const free = among.filter((p) => places[p]!.lives[s] === ABSENT);
  const rest = matchAlike(side, left, free, places, parent === ABSENT, keys, take);
  for (const life of rest) {
    const place: Place = {
      index: places.length,
      parent,
      lives: new Int32Array(recordings).fill(ABSENT),
      key: side.key[life]!,
      program: side.program[life]!,
      shape: side.shape[life]!,
      children: [],
      changed: false,
    };
    places.push(place);
    among.push(place.index);
    take(life, place);
  }
  return found;
}

/** What was left over, program by program: the most alike first; the roots of a recording in any case. */
function matchAlike(
  side: Side,
  left: readonly number[],
  free: readonly number[],
  places: readonly Place[],
  atRoot: boolean,
  keys: Keys,
  take: (life: number, place: Place) => void,
): number[] {
  if (left.length === 0 || free.length === 0) return [...left];
  const waiting = new Map<number, number[]>();
  for (const p of free) {
    const list = waiting.get(places[p]!.program);
    if (list === undefined) waiting.set(places[p]!.program, [p]);
    else list.push(p);
  }
  const groups = new Map<number, number[]>();
  for (const life of left) {
    const list = groups.get(side.program[life]!);
    if (list === undefined) groups.set(side.program[life]!, [life]);
    else list.push(life);
  }
  const done = new Set<number>();
  const taken = new Set<number>();
  for (const [program, lives] of groups) {
    const among = waiting.get(program) ?? [];
    if (lives.length * among.length > MOST_PAIRS) {
      for (let i = 0; i < Math.min(lives.length, among.length); i++) {
        take(lives[i]!, places[among[i]!]!);
        done.add(lives[i]!);
      }
      continue;
    }
    const pairs: { life: number; place: number; likeness: number }[] = [];
    for (const life of lives)
      for (const place of among)
        pairs.push({ life, place, likeness: keys.likeness(side.key[life]!, places[place]!.key) });
    // Stable: of equally alike ones the first.
    pairs.sort((a, b) => b.likeness - a.likeness);
    for (const { life, place, likeness } of pairs) {
      if (done.has(life) || taken.has(place) || (likeness < LEAST_LIKENESS && !atRoot)) continue;
      take(life, places[place]!);
      done.add(life);
      taken.add(place);
    }
  }
  const rest = left.filter((life) => !done.has(life));
  if (!atRoot) return rest;
  // Another program at the root: still the same work, done in another way.
  const open = free.filter((p) => !taken.has(p) && places[p]!.lives.some((life) => life !== ABSENT));
  const over: number[] = [];
  for (const life of rest) {
    const place = open.shift();
    if (place === undefined) over.push(life);
    else take(life, places[place]!);
  }
  return over;
}

/** Lives and places of the same words, in their order; the lives that found none. */
function matchSame(
  side: Side,
  lives: Int32Array,
  among: readonly number[],
  places: readonly Place[],
  take: (life: number, place: Place) => void,
): number[] {
  const waiting = new Map<number, Place[]>();
  for (const p of among) {
    const list = waiting.get(places[p]!.key);
    if (list === undefined) waiting.set(places[p]!.key, [places[p]!]);
    else list.push(places[p]!);
  }
  const groups = new Map<number, number[]>();
  for (const life of lives) {
    const list = groups.get(side.key[life]!);
    if (list === undefined) groups.set(side.key[life]!, [life]);
    else list.push(life);
  }
  const left = new Set<number>();
  for (const [key, mine] of groups) {
    const theirs = waiting.get(key) ?? [];
    const partner = inOrder(
      mine.map((life) => side.shape[life]!),
      theirs.map((place) => place.shape),
    );
    mine.forEach((life, i) => {
      if (partner[i] === ABSENT) left.add(life);
      else take(life, theirs[partner[i]!]!);
    });
  }
  return [...lives].filter((life) => left.has(life));
}

/** Longer runs of the same words are matched the k-th with the k-th. */
const MOST_CELLS = 1 << 22;

/**
 * For each of `a` the place in `b`, or ABSENT. The longest common run of equal subtrees holds them together, since one subshell more
 * must not shift all that follow; what lies between, and then what is left over, goes in its order.
 */
function inOrder(a: readonly number[], b: readonly number[]): Int32Array {
  const partner = new Int32Array(a.length).fill(ABSENT);
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) partner[from] = from++;
  let endA = a.length;
  let endB = b.length;
  while (endA > from && endB > from && a[endA - 1] === b[endB - 1]) partner[--endA] = --endB;
  const n = endA - from;
  const m = endB - from;
  if (n === 0 || m === 0) return partner;
  if (n * m <= MOST_CELLS) {
    const wide = m + 1;
    const common = new Uint16Array((n + 1) * wide);
    for (let i = n - 1; i >= 0; i--)
      for (let j = m - 1; j >= 0; j--)
        common[i * wide + j] =
          a[from + i] === b[from + j]
            ? common[(i + 1) * wide + j + 1]! + 1
            : Math.max(common[(i + 1) * wide + j]!, common[i * wide + j + 1]!);
    for (let i = 0, j = 0, gapA = 0, gapB = 0; ;) {
      const over = i === n || j === m;
      if (over || a[from + i] === b[from + j]) {
        // What lies before this pair goes in its order.
        const endOfA = over ? n : i;
        const endOfB = over ? m : j;
        for (; gapA < endOfA && gapB < endOfB; gapA++, gapB++) partner[from + gapA] = from + gapB;
        if (over) break;
        partner[from + i] = from + j;
        gapA = ++i;
        gapB = ++j;
      } else if (common[(i + 1) * wide + j]! >= common[i * wide + j + 1]!) i++;
      else j++;
    }
  }
  const taken = new Set(partner);
  let next = from;
  for (let i = from; i < endA; i++) {
    if (partner[i] !== ABSENT) continue;
    while (next < endB && taken.has(next)) next++;
    if (next === endB) break;
    partner[i] = next++;
  }
  return partner;
}
