// All sources of a log at once, for a player, which asks for files in any order: member i of `log_sources.tar.gz` is file i. A damaged
// archive gives the files before the damage.
import { readFileSync, statSync } from "node:fs";
import { constants as zlib, gunzipSync } from "node:zlib";
import { type TarMember, TarReader } from "./tar.ts";

/** Of the archive, compressed and not; sources of a program are a few megabytes. */
const MOST_COMPRESSED = 128 << 20;
const MOST_PLAIN = 256 << 20;
const MOST_TEXT = 16 << 20;
const MOST_LINKS = 4;

export interface ArchiveText {
  readonly path: string;
  readonly bytes: Uint8Array | undefined;
}

interface Member {
  readonly member: TarMember;
  readonly bytes: Uint8Array | undefined;
}

/** By file id. `tell` is told what is wrong with the archive as a whole. */
export function readArchiveTexts(path: string, tell: (message: string) => void): ArchiveText[] {
  const plain = unpacked(path, tell);
  if (plain === undefined) return [];
  const members: Member[] = [];
  let parts: Uint8Array[] = [];
  let current: TarMember | undefined;
  const tar = new TarReader({
    member: (member) => {
      if (member.link !== undefined || member.size > MOST_TEXT) {
        members.push({ member, bytes: undefined });
        return false;
      }
      current = member;
      parts = [];
      return true;
    },
    bytes: (chunk) => {
      parts.push(chunk.slice());
    },
    end: () => {
      if (current !== undefined) members.push({ member: current, bytes: joined(parts) });
    },
  });
  tar.push(plain);
  tar.end();
  if (tar.fault !== undefined) tell(`${tar.fault}; the files before that are known`);
  const byName = new Map(members.map((m) => [m.member.name, m]));
  return members.map((m) => ({ path: "/" + m.member.name, bytes: textOf(m, byName) }));
}

/** A link's text is that of what it leads to, when that is in the archive. */
function textOf(member: Member, byName: ReadonlyMap<string, Member>): Uint8Array | undefined {
  let at: Member | undefined = member;
  for (let i = 0; at?.member.link !== undefined && i < MOST_LINKS; i++) {
    const { kind, target } = at.member.link;
    const parts = kind === "hard" || target.startsWith("/") ? [] : at.member.name.split("/").slice(0, -1);
    for (const part of target.split("/")) {
      if (part === "..") parts.pop();
      else if (part !== "." && part !== "") parts.push(part);
    }
    at = byName.get(parts.join("/"));
  }
  return at?.bytes;
}

function unpacked(path: string, tell: (message: string) => void): Uint8Array | undefined {
  try {
    const { size } = statSync(path);
    if (size > MOST_COMPRESSED) {
      tell(`it has ${size} bytes, expected at most ${MOST_COMPRESSED}: files have no names and no text`);
      return undefined;
    }
    return gunzipSync(readFileSync(path), { finishFlush: zlib.Z_SYNC_FLUSH, maxOutputLength: MOST_PLAIN });
  } catch {
    tell("it is missing or damaged: files have no names and no text");
    return undefined;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
