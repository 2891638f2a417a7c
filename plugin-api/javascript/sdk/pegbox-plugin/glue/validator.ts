/** Exports of a validator. */

import type { Batch } from "pegbox:plugin/records";
import type { Finding as Found } from "pegbox:plugin/validation";

import type { Finding } from "../records.ts";
import { bytes } from "./bytes.ts";
import { call } from "./call.ts";
import type { Plugin } from "./plugin.ts";

/** The interface `validation`. */
export function validation(plugin: Plugin) {
  return {
    validate: ({ rows, fields }: Batch): Found[] =>
      call(() => {
        const validator = plugin.of("validator");
        const findings: Found[] = [];
        for (const row of rows) {
          const found = validator.validate(row, fields);
          if (!found) continue;
          for (const finding of Array.isArray(found) ? found : [found]) findings.push(lowered(finding, row.id));
        }
        return findings;
      }),
    state: (): Uint8Array =>
      call(() => {
        const validator = plugin.of("validator");
        return validator.state ? bytes(validator.state(), "validator.state") : new Uint8Array();
      }),
    merge: (state: Uint8Array): void => call(() => plugin.of("validator").merge?.(state)),
    finish: (): Found[] =>
      call(() => (plugin.of("validator").finish?.() ?? []).map((finding) => lowered(finding, null))),
  };
}

function lowered({ level, code, message, field, fix }: Finding, row: number | null): Found {
  return { level, row, field: field ?? null, code, message, proposedFix: fix ?? null };
}
