// The renderers, sorted by id. A new renderer is one file and one line here.
import { makeRegistry } from "../base/registry.ts";
import { mermaid } from "./mermaid.ts";
import type { Renderer } from "./renderer.ts";
import { tree } from "./tree.ts";

export const renderers = makeRegistry<Renderer>("display mode", [mermaid, tree]);
