// The sink `presign`: asks a server for an address and puts the report there, so that the server that knows the user never
// handles the report. Through when the second server has answered 2xx.
import type { Sink } from "./sink.ts";

export const presign: Sink = {
  id: "presign",
  summary: "Puts each report where a first request is told to",
  keepsUndelivered: true,
  longestRestMs: 300_000,
  open: async (request) => (await import("./http_outlets.ts")).openPresign(request),
};
