/** Environment variables; needs their names in `environment = [...]` under `[permissions]`. */

import { getEnvironment } from "wasi:cli/environment";

/** The variable's value, or undefined where it is not set or not granted. */
export function get(name: string): string | undefined {
  return all()[name];
}

/** All that are granted and set. */
export function all(): Record<string, string> {
  return Object.fromEntries(getEnvironment());
}
