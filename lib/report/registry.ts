// Every key that tk reports, by family, and every name that a template may mention.
import { FOREIGN, MARK_KEYS } from "./foreign_keys.ts";
import type { ReportKey } from "./key.ts";
import { artifactKeys } from "./keys/artifact.ts";
import { commandKeys } from "./keys/command.ts";
import { hostKeys } from "./keys/host.ts";
import { identityKeys } from "./keys/identity.ts";
import { networkKeys } from "./keys/network.ts";
import { processKeys } from "./keys/process.ts";
import { usageKeys } from "./keys/usage.ts";

/** All keys, in no particular order; names are unique. */
export const reportKeys: readonly ReportKey[] = [
  ...identityKeys,
  ...commandKeys,
  ...hostKeys,
  ...networkKeys,
  ...artifactKeys,
  ...processKeys,
  ...usageKeys,
];

/** Keys that `build.ts` itself makes: they hold other keys. */
export const STRUCTURE_KEYS: readonly string[] = ["_CHALKS", "_OP_HOST_REPORT_KEYS", "_OP_FAILED_KEYS"];

const byId: ReadonlyMap<string, ReportKey> = new Map(reportKeys.map((key) => [key.id, key]));

export function keyById(id: string): ReportKey | undefined {
  return byId.get(id);
}

const known: ReadonlySet<string> = new Set([
  ...byId.keys(),
  ...STRUCTURE_KEYS,
  ...FOREIGN.flatMap((family) => family.keys),
  ...MARK_KEYS,
]);

/** Every name that a template may mention without declaring it. */
export function knownKeys(): ReadonlySet<string> {
  return known;
}

/** Names that a configuration may declare for itself. */
export function isUserKeyName(id: string): boolean {
  return /^_?X_\w+$/.test(id);
}
