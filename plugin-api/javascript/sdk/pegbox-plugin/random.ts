/**
 * Random numbers from the operating system; needs `random = true` under `[permissions]`. `Math.random` and
 * `crypto.getRandomValues` work too, then. Cleaners and losses that use them make a run that cannot be repeated.
 */

import { getRandomBytes } from "wasi:random/random";

/** `count` random bytes. */
export function bytes(count: number): Uint8Array {
  return getRandomBytes(count);
}

/** A number in [0, 1). */
export function uniform(): number {
  const [high, low] = new Uint32Array(getRandomBytes(8).slice().buffer);
  return ((high! >>> 5) * 67108864 + (low! >>> 6)) / 9007199254740992;
}
