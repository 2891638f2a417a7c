/** Lines for Pegbox's log; needs `log = true` under `[permissions]`. `console` writes here too, then. */

import { log } from "pegbox:plugin/logging";

/** For the plugin's author; shown with `-vv`. One line, cut after 4096 bytes; a limited number a second. */
export function debug(message: string): void {
  log("debug", message);
}

/** Shown with `-v`. */
export function info(message: string): void {
  log("info", message);
}

/** Always shown. */
export function warning(message: string): void {
  log("warning", message);
}
