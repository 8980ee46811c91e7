// The sink `s3`: each delivery is a new object in a bucket, signed with Signature Version 4.
// Atomic: the store shows an object only when it is whole. Through when the store has answered 2xx.
import type { Sink } from "./sink.ts";

export const s3: Sink = {
  id: "s3",
  summary: "Stores each report as an object in S3 or what speaks like it",
  keepsUndelivered: true,
  longestRestMs: 300_000,
  open: async (request) => (await import("./s3_outlet.ts")).openS3(request),
};
