// Settings as text, for handing them to the reporter: it then works with what held when the program was started, and needs
// neither the files nor the language. Settings with functions in them cannot be handed over. Pure.
import type { Settings } from "../config/settings.ts";

/** Undefined when some of the settings are functions of the configuration. */
export function settingsText(settings: Settings): string | undefined {
  if (settings.userKeys.size > 0) return undefined;
  for (const config of settings.sinkConfigs.values()) if (config.normalize.size > 0) return undefined;
  return JSON.stringify(settings, (_, value: unknown) => (value instanceof Map ? { $map: [...value] } : value));
}

/** From what `settingsText` made. */
export function settingsFrom(text: string): Settings {
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || !("$map" in value)) return value;
    return new Map(value.$map as [string, unknown][]);
  }) as Settings;
}
