/** Exports of a cleaner. */

import type { Outcome } from "pegbox:plugin/cleaning";
import type { Batch } from "pegbox:plugin/records";

import { keep } from "../records.ts";
import { call } from "./call.ts";
import type { Plugin } from "./plugin.ts";

/** The interface `cleaning`. */
export function cleaning(plugin: Plugin) {
  return {
    clean: ({ rows, fields }: Batch): Outcome[] =>
      call(() => {
        const cleaner = plugin.of("cleaner");
        const outcomes = new Array(rows.length);
        for (let i = 0; i < rows.length; i++) outcomes[i] = cleaner.clean(rows[i]!, fields) ?? keep;
        return outcomes;
      }),
  };
}
