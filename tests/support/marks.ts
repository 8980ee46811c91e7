// Marks for tests: one that a released chalk wrote into a script in public, and new ones that are made with a second,
// independent implementation of the rule for METADATA_ID (python).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chalkIdOf } from "../../lib/mark/identity.ts";

/** Written by chalk 0.2.2 on 2023-12-21 at the end of a bash script; CHALK_ID and METADATA_ID are chalk's own. */
export const REAL_MARK =
  '{ "MAGIC" : "dadfedabbadabbed", "CHALK_ID" : "6WR6AR-SN6H-J6CD-K66GSK", "CHALK_VERSION" : "0.2.2", ' +
  '"TIMESTAMP_WHEN_CHALKED" : 1703173284113, "DATETIME_WHEN_CHALKED" : "2023-12-21T10:41:18.691-05:00", ' +
  '"ARTIFACT_TYPE" : "bash", "CHALK_RAND" : "68f1e00a41633e29", "CODE_OWNERS" : "* @viega\\n", ' +
  '"HASH" : "70ec54df6f437adf5f96baa1e9b5459cec14af5a41016e3e200cac9d5ba1106b", ' +
  '"INJECTOR_COMMIT_ID" : "65770ba03a8b839b9a4c9907a3eff2924db102bc", "PLATFORM_WHEN_CHALKED" : "GNU/Linux x86_64", ' +
  '"METADATA_ID" : "ECSG1B-Z42X-AZEM-T93DN8" }';

const RULE = `
import hashlib, json, struct, sys
IGNORED = {"MAGIC", "METADATA_HASH", "METADATA_ID", "SIGNING", "SIGNATURE", "EMBEDDED_CHALK"}
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
def enc(v, ignored=frozenset()):
    if isinstance(v, bool): return b"\\x03" + bytes([v])
    if isinstance(v, int): return b"\\x02" + struct.pack("<q", v)
    if isinstance(v, str):
        b = v.encode(); return b"\\x01" + struct.pack("<I", len(b)) + b
    if isinstance(v, list): return b"\\x04" + struct.pack("<I", len(v)) + b"".join(map(enc, v))
    ks = sorted((k for k in v if k not in ignored), key=lambda k: k.encode())
    return b"\\x05" + struct.pack("<I", len(ks)) + b"".join(enc(k) + enc(v[k]) for k in ks)
mark = json.load(sys.stdin)
digest = hashlib.sha256(enc(mark, IGNORED)).digest()
bits = int.from_bytes(digest, "big") >> (256 - 100)
s = "".join(DIGITS[(bits >> (5 * (19 - i))) & 31] for i in range(20))
mark["METADATA_HASH"] = digest.hex()
mark["METADATA_ID"] = "-".join([s[:6], s[6:10], s[10:14], s[14:]])
json.dump(mark, sys.stdout)
`;

/** A mark whose ids are right, as text. */
export function makeMark(more: Readonly<Record<string, unknown>> = {}): string {
  const hash = createHash("sha256").update("unmarked").digest("hex");
  const mark = {
    MAGIC: "dadfedabbadabbed",
    CHALK_ID: chalkIdOf(hash),
    CHALK_VERSION: "1.2.0",
    TIMESTAMP_WHEN_CHALKED: 1709667322781,
    HASH: hash,
    ...more,
  };
  const done = spawnSync("python3", ["-c", RULE], { input: JSON.stringify(mark), encoding: "utf8" });
  if (done.status !== 0) throw new Error(`python3 is needed by these tests: ${done.stderr}`);
  return done.stdout;
}
