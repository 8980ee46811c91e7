// Names of keys and templates that configurations may mention, from the report's own tables.
import type { KnownNames } from "../config/report_settings.ts";
import { knownKeys } from "../report/registry.ts";
import { BUILT_IN_TEMPLATES } from "../report/template.ts";

let made: KnownNames | undefined;

export function knownNames(): KnownNames {
  made ??= {
    keys: knownKeys(),
    templates: new Set(BUILT_IN_TEMPLATES.keys()),
    lockedKeys: new Map([...BUILT_IN_TEMPLATES].map(([name, template]) => [name, template.locked])),
  };
  return made;
}
