/** Records as cleaners and validators see them. */

/** One record. */
export interface Row {
  /** The record's number in this run, unique across all files. */
  readonly id: number;
  /** One value a field, in the order of `fields`; null where the record lacks the field. */
  readonly values: readonly (string | null)[];
}

/** What becomes of one record; made by {@link keep}, {@link replace}, {@link drop} and {@link split}. */
export type Outcome =
  | { readonly tag: "keep" }
  | { readonly tag: "replace"; readonly val: (string | null)[] }
  | { readonly tag: "drop"; readonly val: string }
  | { readonly tag: "split"; readonly val: (string | null)[][] };

/** The record stays as it is. */
export const keep: Outcome = Object.freeze({ tag: "keep" });

/** The record's fields get these values: one a field, in the order of `fields`. */
export function replace(values: (string | null)[]): Outcome {
  return { tag: "replace", val: values };
}

/**
 * The record leaves the dataset. The reason is counted and can be looked up: use few distinct ones, each a short
 * kebab-case code such as `too-short`.
 */
export function drop(reason: string): Outcome {
  return { tag: "drop", val: reason };
}

/** The record becomes several, each given as in {@link replace}; at least one. */
export function split(records: (string | null)[][]): Outcome {
  return { tag: "split", val: records };
}

/** One fault found. */
export interface Finding {
  /**
   * - `info`: worth knowing; never stops a run.
   * - `warning`: probably wrong.
   * - `error`: wrong; stops a run whose recipe says `fail-on = "error"`.
   */
  level: "info" | "warning" | "error";
  /** A short kebab-case code, such as `unknown-label`; findings are counted by it. */
  code: string;
  message: string;
  /** The field that it is about, if one. */
  field?: string;
  /** What would mend it. The host applies a fix only where the recipe says so. */
  fix?: { field: string; value: string };
}
