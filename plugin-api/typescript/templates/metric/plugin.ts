import { definePlugin } from "pegbox-plugin";

/** How often the model is right, and how sure it is. */
export default definePlugin({
  schema: { type: "object", additionalProperties: false },

  metric() {
    let [correct, confidence, count] = [0, 0, 0];

    return {
      update(step) {
        const { logits, labels, mask } = step;
        const [shape, leftOut] = [labels.shape, mask.logicalNot()];
        const right = logits.argmax(-1).reshape(shape).equal(labels).toFloat();
        const largest = logits.softmax(-1).max(-1).reshape(shape);
        // Sums are taken on the device: three numbers cross the boundary, whatever the batch.
        correct += right.maskedFill(leftOut, 0).sum().item();
        confidence += largest.maskedFill(leftOut, 0).sum().item();
        count += mask.toFloat().sum().item();
      },

      // The host runs several instances, each on its share of the batches, and merges their states into one.

      state() {
        const state = new DataView(new ArrayBuffer(24));
        [correct, confidence, count].forEach((number, i) => state.setFloat64(8 * i, number, true));
        return new Uint8Array(state.buffer);
      },

      merge(state) {
        const others = new DataView(state.buffer, state.byteOffset, state.byteLength);
        correct += others.getFloat64(0, true);
        confidence += others.getFloat64(8, true);
        count += others.getFloat64(16, true);
      },

      compute() {
        const mean = (sum: number) => (count > 0 ? sum / count : 0);
        return {
          scores: [
            { name: "accuracy", value: mean(correct), higherIsBetter: true },
            { name: "mean-confidence", value: mean(confidence), higherIsBetter: true },
          ],
        };
      },

      reset() {
        [correct, confidence, count] = [0, 0, 0];
      },
    };
  },
});
