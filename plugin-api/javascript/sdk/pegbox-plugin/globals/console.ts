/** `console` with the permission `log`. */

import { debug, info, warning } from "../log.ts";

function line(values: unknown[]): string {
  return values.map((value) => (typeof value === "string" ? value : shown(value))).join(" ");
}

function shown(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  try {
    return (typeof value === "object" && JSON.stringify(value)) || String(value);
  } catch {
    return String(value);
  }
}

Object.assign(globalThis, {
  console: {
    debug: (...values: unknown[]) => debug(line(values)),
    log: (...values: unknown[]) => info(line(values)),
    info: (...values: unknown[]) => info(line(values)),
    warn: (...values: unknown[]) => warning(line(values)),
    error: (...values: unknown[]) => warning(line(values)),
  },
});
