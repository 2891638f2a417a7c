/** The time; needs `clock = true` under `[permissions]`. `Date` and `performance` know it too, then. */

import { now as steadyNow } from "wasi:clocks/monotonic-clock";
import { now as wallNow } from "wasi:clocks/wall-clock";

/** The time of day: milliseconds since 1970, as `Date.now()`. */
export function now(): number {
  const { seconds, nanoseconds } = wallNow();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Milliseconds of a clock that never goes back, from an unknown beginning. */
export function steady(): number {
  return steadyNow() / 1e6;
}
