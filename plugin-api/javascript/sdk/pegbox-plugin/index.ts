/// <reference path="./globals/globals.d.ts" />

/**
 * Write Pegbox plugins in JavaScript and TypeScript.
 *
 * ```js
 * import { definePlugin } from "pegbox-plugin";
 *
 * export default definePlugin({
 *   schema: { type: "object", additionalProperties: false },
 *   loss: () => ({
 *     compute(step) {
 *       const logP = step.logits.logSoftmax(-1).gather(-1, step.labels.reshape([-1, 1]));
 *       return step.weightedMean(logP.neg().reshape([-1]));
 *     },
 *   }),
 * });
 * ```
 *
 * Name, version and kinds of the plugin are those of `plugin.toml`. `pegbox plugin build` bundles the file, what it
 * imports and what `package.json` brings into one component.
 *
 * **When the host refuses.** A wrong shape, a wrong dtype or a passed limit is a mistake of the plugin's author: the
 * host ends the call there and then, and shows the user the operation, its operands and the plugin. There is
 * nothing to catch. "Ends the call" in this documentation means that. What the plugin itself throws is an error
 * that the user sees with file and line; {@link PluginError} is for failures that you foresee.
 *
 * @module
 */

/** What an exporter reads and writes. */
export { Bundle, Model, type Element, type ModelFile, type TensorInfo } from "./artifacts.ts";
/** The time; needs the permission `clock`. */
export * as clock from "./clock.ts";
/** Environment variables; needs the permission `environment`. */
export * as environment from "./environment.ts";
/** A failure that a plugin foresees. */
export { PluginError } from "./error.ts";
/** Files that the recipe grants; needs the permission `read`. */
export * as files from "./files.ts";
/** Lines for Pegbox's log; needs the permission `log`. */
export * as log from "./log.ts";
/** HTTP requests; needs the permission `network`. */
export * as network from "./network.ts";
/** The plugin itself, and what it is made of. */
export {
  definePlugin,
  type Cleaner,
  type Configuration,
  type Exporter,
  type JsonSchema,
  type Loss,
  type Metric,
  type PluginDefinition,
  type Validator,
} from "./plugin.ts";
/** Random numbers; needs the permission `random`. */
export * as random from "./random.ts";
/** What becomes of records, and what is found in them. */
export { drop, keep, replace, split, type Finding, type Outcome, type Row } from "./records.ts";
/** What a metric reports. */
export { type Detail, type Report, type Score } from "./report.ts";
/** One forward pass. */
export { Step } from "./step.ts";
/** Handles to the host's tensors. */
export { Tensor, type Dtype } from "./tensor.ts";
