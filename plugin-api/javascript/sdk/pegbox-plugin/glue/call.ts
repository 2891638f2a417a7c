/** One call of the host: what the author's code throws becomes the contract's error. */

import type { Error as Refusal } from "pegbox:plugin/types";

import { PluginError } from "../error.ts";
import { located } from "./sources.ts";

/** Runs `work`; an exception in it is thrown on as the contract's error. */
export function call<T>(work: () => T): T {
  try {
    const result = work();
    if (result instanceof Promise) throw new PluginError("a plugin's functions cannot be `async`: nothing would wait");
    return result;
  } catch (error) {
    throw refusal(error);
  }
}

function refusal(error: unknown): Refusal {
  if (error instanceof PluginError) return { message: error.message, help: error.help ?? null };
  if (!(error instanceof Error)) return { message: `the plugin threw ${shown(error)}`, help: null };
  const message = error.name === "Error" ? error.message : `${error.name}: ${error.message}`;
  return { message: located(message, error.stack), help: null };
}

function shown(value: unknown): string {
  try {
    return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  } catch {
    return "something that is no error";
  }
}
