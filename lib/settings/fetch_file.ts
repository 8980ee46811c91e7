// A configuration from the web: https only, certificates checked, of a bounded size, redirects only to https.
import { MAX_FILE_SIZE } from "../config/parser.ts";
import { ConfigError } from "./config_error.ts";
import { decode } from "./trusted_file.ts";

const LIMIT_MS = 20_000;
const MAX_REDIRECTS = 5;

export async function fetchFile(address: string): Promise<string> {
  let at = address;
  for (let i = 0; i <= MAX_REDIRECTS; i++) {
    if (!at.startsWith("https://"))
      throw new ConfigError(`Cannot load from '${at}': whoever is on the way could change it, expected https`);
    const response = await get(at, address);
    const next = response.status >= 300 && response.status < 400 ? response.headers.get("location") : null;
    if (next === null) {
      if (!response.ok) throw new ConfigError(`Cannot load from '${address}': the server answered ${response.status}`);
      return body(response, address);
    }
    await response.body?.cancel();
    at = new URL(next, at).href;
  }
  throw new ConfigError(`Cannot load from '${address}': more than ${MAX_REDIRECTS} redirections`);
}

async function get(at: string, address: string): Promise<Response> {
  try {
    return await fetch(at, { redirect: "manual", signal: AbortSignal.timeout(LIMIT_MS) });
  } catch (error) {
    throw new ConfigError(`Cannot load from '${address}': ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function body(response: Response, address: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_FILE_SIZE)
      throw new ConfigError(`Cannot load from '${address}': longer than ${MAX_FILE_SIZE} bytes`);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return decode(all);
}
