// Every way to record, sorted by id.
import { makeRegistry } from "../base/registry.ts";
import type { CaptureBackend } from "./backend.ts";
import { bpftrace } from "./bpftrace/backend.ts";
import { ptrace } from "./ptrace/backend.ts";

export const backends = makeRegistry<CaptureBackend>("backends", [bpftrace, ptrace]);
