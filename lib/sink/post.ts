// The sink `post`: one HTTP POST per report, with those of the report cache that wait for it.
// Atomic as far as the server is: a delivery is one request, through when the server has answered 2xx; a lost answer leads
// to a second delivery of the same `_ACTION_ID`. The code that speaks HTTP is loaded when a configuration has such a sink.
import type { Sink } from "./sink.ts";

export const post: Sink = {
  id: "post",
  summary: "Sends each report by HTTP POST",
  keepsUndelivered: true,
  longestRestMs: 300_000,
  open: async (request) => (await import("./http_outlets.ts")).openPost(request),
};
