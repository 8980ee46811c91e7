// Which messages are shown at which level.
import { LOG_LEVELS, type LogLevel } from "../config/settings.ts";

export function isShown(level: LogLevel, threshold: LogLevel): boolean {
  return threshold !== "none" && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(threshold);
}
