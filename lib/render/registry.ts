// The renderers, sorted by id. A new renderer is one file and one line here.
import { makeRegistry } from "../base/registry.ts";
import { byProcess } from "./by_process.ts";
import { heat } from "./heat.ts";
import { lines } from "./lines.ts";
import { mermaid } from "./mermaid.ts";
import { multiplexed } from "./multiplexed.ts";
import type { Renderer } from "./renderer.ts";
import { tree } from "./tree.ts";

export const renderers = makeRegistry<Renderer>("display mode", [byProcess, heat, lines, mermaid, multiplexed, tree]);
