/** Exports of a loss. */

import type { Step as StepHandle } from "pegbox:plugin/steps";
import type { Tensor as TensorHandle } from "pegbox:plugin/tensors";

import { PluginError } from "../error.ts";
import { Step } from "../step.ts";
import { Tensor, disposeAll } from "../tensor.ts";
import { call } from "./call.ts";
import type { Plugin } from "./plugin.ts";

/** The interface `objective`. */
export function objective(plugin: Plugin) {
  return {
    compute: (at: StepHandle): TensorHandle => {
      try {
        return call(() => {
          const loss: unknown = plugin.of("loss").compute(new Step(at));
          if (!(loss instanceof Tensor)) {
            throw new PluginError(`loss.compute must return a Tensor, not ${loss === null ? "null" : typeof loss}`);
          }
          return Tensor.release(loss);
        });
      } finally {
        disposeAll();
      }
    },
  };
}
