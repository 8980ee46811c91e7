// The sink `dns`: one look-up per marked artifact of a report; the name that is looked up carries the data.
// Through when the server has answered, whatever the answer: that there is no such name is an answer, too.
import type { Sink } from "./sink.ts";

export const dns: Sink = {
  id: "dns",
  summary: "Looks up a name made of each report's values",
  keepsUndelivered: true,
  longestRestMs: 300_000,
  open: async (request) => (await import("./dns_outlet.ts")).openDns(request),
};
