/** `Math.random` and `crypto.getRandomValues` with the permission `random`. */

import { bytes, uniform } from "../random.ts";

Math.random = uniform;
Object.assign(globalThis, {
  crypto: {
    getRandomValues<T extends Uint8Array | Uint16Array | Uint32Array>(array: T): T {
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytes(array.byteLength));
      return array;
    },
  },
});
