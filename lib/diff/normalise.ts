// What makes two runs of a command "the same" in two recordings: its words without what changes from run to run (pids, names
// of temporary files, hashes, long numbers) and without the store's hashes in paths. Only for comparing: people see the words themselves.

/** Beyond this many characters nobody compares. */
const MOST = 8192;

const STORE = /\/nix\/store\/[0-9a-z]{32}-/g;
/** Names that mktemp, gcc, Python's tempfile, Go and systemd make. */
const TEMPORARY =
  /(\/(?:tmp|var\/tmp|dev\/shm|run\/user\/\d+)\/[A-Za-z_.+-]*?)(?=[A-Za-z0-9_]*[0-9A-Z_])[A-Za-z0-9_]{5,}(?=[/.\s'":,]|$)/g;
/** `tmp.Xa81bzQQ12`, `conf.a1B2c3`: a random end after a dot, upper and lower case or digits mixed. */
const RANDOM_END =
  /([.-])(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*(?:[A-Z]|\d))(?=[A-Za-z0-9]*(?:[A-Z]|\d[A-Za-z]))[A-Za-z0-9]{6,12}(?=[/\s'":,]|$)/g;
const TMP_NAME = /\btmp[a-z0-9_]{6,10}\b/g;
const UUID = /\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b/g;
const HASH = /(?<![0-9A-Za-z])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,128}(?![0-9A-Za-z])/g;
const NUMBER = /(?<![0-9A-Za-z.])\d{2,}(?![0-9A-Za-z.])/g;
/** A number of this many digits is a time, a size or an id, never an option's value that somebody chose. */
const LONG_NUMBER = 9;

export function normaliseText(text: string, pids: ReadonlySet<number>): string {
  return text
    .slice(0, MOST)
    .replace(STORE, "/nix/store/<hash>-")
    .replace(UUID, "<uuid>")
    .replace(TEMPORARY, "$1<tmp>")
    .replace(TMP_NAME, "<tmp>")
    .replace(RANDOM_END, "$1<tmp>")
    .replace(HASH, "<hash>")
    .replace(NUMBER, (n) => (n.length >= LONG_NUMBER ? "<n>" : pids.has(Number(n)) ? "<pid>" : n));
}
