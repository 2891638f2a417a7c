/** The plugin itself, and what it is made of: one function a kind, which takes the configuration. */

import type { Bundle, Model } from "./artifacts.ts";
import type { Finding, Outcome, Row } from "./records.ts";
import type { Report } from "./report.ts";
import type { Step } from "./step.ts";
import type { Tensor } from "./tensor.ts";

/** The recipe's `config` of the plugin, with the defaults that the schema gives to its top-level properties. */
export type Configuration = Record<string, any>;

/** JSON Schema, draft 2020-12. */
export interface JsonSchema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, JsonSchema>;
  default?: unknown;
  [keyword: string]: unknown;
}

/**
 * What a plugin is. `C` is the type of its configuration.
 *
 * Each kind is a function that takes the configuration and returns the object which does the work. Pegbox calls it
 * once for each instance; what the object remembers is the instance's own. Throw a {@link PluginError} in it to
 * refuse the recipe. The kinds given here are those that `plugin.toml` lists.
 */
export interface PluginDefinition<C = Configuration> {
  /**
   * JSON Schema of the configuration object. The host validates a recipe against it before the plugin sees the
   * recipe; give a `description` to each property, and a `default` where there is one.
   */
  schema: JsonSchema;
  cleaner?: (configuration: C) => Cleaner;
  validator?: (configuration: C) => Validator;
  loss?: (configuration: C) => Loss;
  metric?: (configuration: C) => Metric;
  exporter?: (configuration: C) => Exporter;
}

/** Rewrites, drops or splits records. */
export interface Cleaner {
  /**
   * What becomes of one record; nothing returned means {@link keep}. It may depend on that record alone: several
   * instances share the dataset.
   *
   * @param fields The names of the fields, as the manifest lists them; `row.values` is in the same order.
   */
  clean(row: Row, fields: readonly string[]): Outcome | undefined | void;
}

/** Finds faults in records, changes nothing. */
export interface Validator {
  /**
   * The faults that need no more than this record: one, several or none. Records come in the order of their ids.
   *
   * @param fields The names of the fields, as the manifest lists them; `row.values` is in the same order.
   */
  validate(row: Row, fields: readonly string[]): Finding | Finding[] | undefined | void;
  /** What was gathered for {@link finish}, in an encoding of the plugin's own; empty without this method. */
  state?(): Uint8Array;
  /** Takes in another instance's state; states come in the order of their records. */
  merge?(state: Uint8Array): void;
  /** Faults that need the whole set. Called once, on the instance into which all others were merged. */
  finish?(): Finding[];
}

/** Computes the training objective from handles to the host's tensors. */
export interface Loss {
  /**
   * The loss to be minimised: float, shape `[1]`, the weighted mean over the labels where the mask holds. A loss
   * that is NaN or infinite, or not connected to the logits, is an error; the optimizer does not step. Remember
   * nothing from step to step: it would be lost when a run is resumed.
   */
  compute(step: Step): Tensor;
}

/** Measures quality, streaming and mergeable. */
export interface Metric {
  /** Takes in one batch. Gradients are off. */
  update(step: Step): void;
  /** Everything gathered, in an encoding of the plugin's own. */
  state(): Uint8Array;
  /** Takes in another instance's state. Gives the scores that one instance would have given for all batches. */
  merge(state: Uint8Array): void;
  /** The scores of what was gathered; does not change it. */
  compute(): Report;
  /** Forgets what was gathered; the configuration stays. */
  reset(): void;
}

/** Writes a trained model as a deployable artifact. */
export interface Exporter {
  /** Writes `model` to `bundle`. Large tensors are read and appended piece by piece, see {@link Model.pieces}. */
  export(model: Model, bundle: Bundle): void;
}

/**
 * Declares the plugin; the file's default export.
 *
 * ```js
 * export default definePlugin({
 *   schema: {
 *     type: "object",
 *     properties: { "min-length": { type: "integer", minimum: 0, default: 1, description: "..." } },
 *     additionalProperties: false,
 *   },
 *   cleaner: ({ "min-length": minLength }) => ({
 *     clean: (row) => ((row.values[0] ?? "").length < minLength ? drop("too-short") : keep),
 *   }),
 * });
 * ```
 */
export function definePlugin<C = Configuration>(definition: PluginDefinition<C>): PluginDefinition<C> {
  return definition;
}
