// @ts-check
import { definePlugin } from "pegbox-plugin";

/**
 * Focal loss (Lin et al. 2017, https://arxiv.org/abs/1708.02002): cross-entropy that looks away from what the model
 * knows already. With p the probability that the model gives to a label: (1 - p)^gamma * -log(p).
 */
export default definePlugin({
  schema: {
    type: "object",
    properties: {
      gamma: {
        type: "number",
        minimum: 0,
        default: 2,
        description: "How much less a label counts that the model is sure of; 0 is plain cross-entropy",
      },
    },
    additionalProperties: false,
  },

  loss: (/** @type {{ gamma: number }} */ { gamma }) => ({
    compute(step) {
      const { logits, labels } = step;
      const shape = labels.shape;
      const logP = logits.logSoftmax(-1).gather(-1, labels.reshape([...shape, 1])).reshape(shape);
      // Where p rounds to 1, a power below 1 would have an infinite slope: 2^-24 is the least that is not 0.
      const surprise = logP.exp().rsub(1).clamp(2 ** -24, 1);
      return step.weightedMean(surprise.pow(gamma).mul(logP).neg());
    },
  }),
});
