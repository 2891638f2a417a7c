// @ts-check
import { definePlugin } from "pegbox-plugin";

/** @typedef {{ labels: string[], "min-count": number }} Configuration */

/** Checks that every record has a label that is allowed, and that no label is rare. */
export default definePlugin({
  schema: {
    type: "object",
    properties: {
      labels: {
        type: "array",
        items: { type: "string" },
        default: [],
        description: "The labels that are allowed; any, if there are none",
      },
      "min-count": {
        type: "integer",
        minimum: 0,
        default: 1,
        description: "How many records each label should have at least",
      },
    },
    additionalProperties: false,
  },

  validator(/** @type {Configuration} */ { labels, "min-count": minCount }) {
    const allowed = new Set(labels);
    /** @type {Map<string, number>} */
    const counts = new Map();

    return {
      validate(row, fields) {
        const label = row.values[fields.indexOf("label")];
        if (label == null) return unknownLabel("there is no label");
        counts.set(label, (counts.get(label) ?? 0) + 1);
        if (allowed.size > 0 && !allowed.has(label)) {
          return unknownLabel(`the label "${label}" is not one of the ${allowed.size} that are allowed`);
        }
      },

      // The host runs several instances, each on its share of the records; `finish` is called on the one into which the
      // states of all others were merged.

      state() {
        const entries = sorted(counts).map(([label, count]) => `${JSON.stringify(label)}:${count}`);
        return new TextEncoder().encode(`{${entries.join(",")}}`);
      },

      merge(state) {
        /** @type {Record<string, number>} */
        const others = JSON.parse(new TextDecoder().decode(state));
        for (const [label, count] of Object.entries(others)) counts.set(label, (counts.get(label) ?? 0) + count);
      },

      finish() {
        return sorted(counts)
          .filter(([, count]) => count < minCount)
          .map(([label, count]) => ({
            level: "warning",
            code: "rare-label",
            message: `the label "${label}" has ${count} records, fewer than ${minCount}`,
          }));
      },
    };
  },
});

/**
 * @param {string} message
 * @returns {import("pegbox-plugin").Finding}
 */
function unknownLabel(message) {
  return { level: "error", code: "unknown-label", field: "label", message };
}

/**
 * @param {Map<string, number>} counts
 * @returns {[string, number][]}
 */
function sorted(counts) {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
