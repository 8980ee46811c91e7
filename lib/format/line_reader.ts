// The beginning of a `LineBlock` line and the whole of a `Source` line, as values. Of a block everything but its events is read,
// and where those stand, so that a recording of many lines is opened without touching most of its text.
import { decodeBase64, decodeBase64Bytes } from "../base/base64.ts";
import { asFields, bytesField, countField, type Fields, textField } from "../model/fields.ts";

/** What a block's line says, its events apart. */
export interface BlockLine {
  readonly start: number;
  readonly end: number;
  readonly pid: number | undefined;
  readonly tid: number | undefined;
  readonly stream: string;
  readonly kind: "python" | "bash";
  readonly block: number;
  readonly name: string;
  readonly events: number;
  readonly minDepth: number;
  readonly codec: string;
  readonly headCrc: number | undefined;
  readonly dataCrc: number | undefined;
  /** Compressed. */
  readonly head: Uint8Array;
  /** Where the base64 of the events stands in the line; -1 when it is not where tk writes it (see `dataOfLine`). */
  readonly dataAt: number;
}

const decoder = new TextDecoder();
const DATA = new TextEncoder().encode(',"data":"');

/** Where the events' base64 begins, in the first bytes of a line; -1 when they do not reach that far. */
function findData(b: Uint8Array): number {
  search: for (let p = b.indexOf(44); p >= 0; p = b.indexOf(44, p + 1)) {
    for (let i = 1; i < DATA.length; i++) if (b[p + i] !== DATA[i]) continue search;
    return p + DATA.length;
  }
  return -1;
}

/** From the line's first bytes; undefined when more of it is needed; a sentence when it is no block. */
export function readBlockLine(b: Uint8Array, isWhole: boolean): BlockLine | string | undefined {
  const dataAt = findData(b);
  if (dataAt < 0 && !isWhole) return undefined;
  const text = dataAt < 0 ? decoder.decode(b) : decoder.decode(b.subarray(0, dataAt - DATA.length)) + "}}";
  const fields = bodyOf(text, "LineBlock");
  // Another order of fields: what stands behind `data` is wanted, too.
  if (fields !== undefined && complete(fields)) return blockOf(fields, dataAt);
  if (!isWhole) return undefined;
  const whole = bodyOf(decoder.decode(b), "LineBlock");
  return whole === undefined ? "it is not JSON" : blockOf(whole, -1);
}

const complete = (fields: Fields): boolean => textField(fields, "head") !== undefined;

function bodyOf(text: string, tag: string): Fields | undefined {
  try {
    const line = asFields(JSON.parse(text));
    return line === undefined ? undefined : asFields(line[tag]);
  } catch {
    return undefined;
  }
}

function blockOf(fields: Fields, dataAt: number): BlockLine | string {
  const start = countField(fields, "timestamp");
  const end = countField(fields, "end");
  const stream = textField(fields, "stream");
  const codec = textField(fields, "codec");
  const encoded = textField(fields, "head");
  for (const [name, value] of Object.entries({ timestamp: start, end, stream, codec, head: encoded }))
    if (value === undefined) return `${name} is missing or of the wrong type`;
  const head = decodeBase64(encoded!);
  if (head === undefined) return "head is not base64";
  if (end! < start!) return `it ends at ${end}, before it begins at ${start}`;
  return {
    start: start!,
    end: end!,
    pid: countField(fields, "pid"),
    tid: countField(fields, "tid"),
    stream: stream!,
    kind: textField(fields, "kind") === "bash" ? "bash" : "python",
    block: countField(fields, "block") ?? 0,
    name: textField(fields, "name") ?? "",
    events: countField(fields, "events") ?? 0,
    minDepth: countField(fields, "min_depth") ?? 0,
    codec: codec!,
    headCrc: countField(fields, "head_crc"),
    dataCrc: countField(fields, "data_crc"),
    head,
    dataAt,
  };
}

/** The compressed events of a whole line; undefined when they are not there. `dataAt` is what its beginning said. */
export function dataOfLine(b: Uint8Array, dataAt: number): Uint8Array | undefined {
  if (dataAt < 0) {
    const text = textField(bodyOf(decoder.decode(b), "LineBlock") ?? {}, "data");
    return text === undefined ? undefined : decodeBase64(text);
  }
  const end = b.indexOf(34, dataAt);
  return end < 0 ? undefined : decodeBase64Bytes(b, dataAt, end);
}

export interface SourceFileLine {
  readonly id: string;
  readonly path: string;
  readonly sha256: string | undefined;
  /** The exact bytes; undefined when the file's content was not kept. */
  readonly text: Uint8Array | undefined;
}

const encoder = new TextEncoder();

/** A sentence when the line is no source. */
export function readSourceLine(b: Uint8Array): SourceFileLine | string {
  const fields = bodyOf(decoder.decode(b), "Source");
  if (fields === undefined) return "it is not JSON";
  const id = textField(fields, "id");
  const path = textField(fields, "path");
  if (id === undefined || path === undefined)
    return `${id === undefined ? "id" : "path"} is missing or of the wrong type`;
  const text = bytesField(fields, "text");
  return {
    id,
    path,
    sha256: textField(fields, "sha256"),
    text: text === undefined ? undefined : (text.exact ?? encoder.encode(text.text)),
  };
}
