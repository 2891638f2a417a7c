/** Exports of an exporter. */

import type { Bundle as BundleHandle, Model as ModelHandle } from "pegbox:plugin/artifacts";

import { Bundle, Model } from "../artifacts.ts";
import { call } from "./call.ts";
import type { Plugin } from "./plugin.ts";

/** The interface `exporting`. */
export function exporting(plugin: Plugin) {
  return {
    exportModel: (source: ModelHandle, target: BundleHandle): void =>
      call(() => plugin.of("exporter").export(new Model(source), new Bundle(target))),
  };
}
