// The input formats, sorted by id. A new format is one file and one line here.
import { makeRegistry } from "../base/registry.ts";
import type { InputFormat } from "./format.ts";
import { proctraceRaw } from "./proctrace_raw.ts";
import { recording } from "./recording.ts";

export const formats = makeRegistry<InputFormat>("input format", [proctraceRaw, recording]);
