// The sinks, sorted by id. A new sink is one file, one line here and its fields in lib/config/sink_fields.ts.
import { makeRegistry } from "../base/registry.ts";
import { dns } from "./dns.ts";
import { file } from "./file.ts";
import { post } from "./post.ts";
import { presign } from "./presign.ts";
import { rotatingLog } from "./rotating_log.ts";
import { s3 } from "./s3.ts";
import type { Sink } from "./sink.ts";
import { stderr } from "./stderr.ts";
import { stdout } from "./stdout.ts";

export const sinks = makeRegistry<Sink>("sink", [dns, file, post, presign, rotatingLog, s3, stderr, stdout]);
