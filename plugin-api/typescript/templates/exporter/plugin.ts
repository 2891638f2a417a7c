import { definePlugin } from "pegbox-plugin";

/** Elements that are read at a time: an instance's memory is smaller than a model. */
const CHUNK = 1 << 20;

/** The model as NumPy reads it: a file for each tensor, the configuration, and the labels. */
export default definePlugin({
  schema: { type: "object", additionalProperties: false },

  exporter: () => ({
    export(model, bundle) {
      bundle.write("config.json", model.configuration);
      bundle.write("labels.txt", model.labels.map((label) => `${label}\n`).join(""));
      for (const tensor of model.tensors) {
        const path = `tensors/${tensor.name}.npy`;
        bundle.write(path, npyHeader(tensor.shape));
        for (const piece of model.pieces(tensor, "float32", CHUNK)) bundle.append(path, piece);
      }
    },
  }),
});

/**
 * What precedes the elements in NumPy's format, version 1.0: a length, and a Python literal, padded so that the
 * elements begin at a multiple of 64.
 */
function npyHeader(shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const literal = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const before = 10;
  const length = Math.ceil((before + literal.length + 1) / 64) * 64 - before;
  const text = `\x93NUMPY\x01\x00${String.fromCharCode(length & 255, length >> 8)}${literal.padEnd(length - 1)}\n`;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
