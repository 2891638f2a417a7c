/** Exports of a metric. */

import type { Report } from "pegbox:plugin/measurement";
import type { Step as StepHandle } from "pegbox:plugin/steps";

import { PluginError } from "../error.ts";
import { Step } from "../step.ts";
import { disposeAll } from "../tensor.ts";
import { bytes } from "./bytes.ts";
import { call } from "./call.ts";
import type { Plugin } from "./plugin.ts";

/** The interface `measurement`. */
export function measurement(plugin: Plugin) {
  /** The contract's `reset` returns no error: what it throws is told by the next call. */
  let failure: unknown;
  const guarded = <T>(work: () => T): T =>
    call(() => {
      if (failure !== undefined) throw failure;
      return work();
    });
  return {
    update: (at: StepHandle): void => {
      try {
        guarded(() => plugin.of("metric").update(new Step(at)));
      } finally {
        disposeAll();
      }
    },
    state: (): Uint8Array => guarded(() => bytes(plugin.of("metric").state(), "metric.state")),
    merge: (state: Uint8Array): void => guarded(() => plugin.of("metric").merge(state)),
    compute: (): Report =>
      guarded(() => {
        const { scores, details } = plugin.of("metric").compute();
        if (!Array.isArray(scores)) throw new PluginError("metric.compute must return an object with `scores`");
        return { scores, details: details ?? [] };
      }),
    reset: (): void => {
      try {
        failure = undefined;
        plugin.of("metric").reset();
      } catch (error) {
        failure = error;
      }
    },
  };
}
