/** What a plugin gives as its state. */

import { PluginError } from "../error.ts";

/** `value`, if it is bytes. */
export function bytes(value: unknown, from: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new PluginError(`${from} must return a Uint8Array`, {
    help: "for text, `new TextEncoder().encode(text)`; for numbers, `new Uint8Array(new Float64Array(numbers).buffer)`",
  });
}
