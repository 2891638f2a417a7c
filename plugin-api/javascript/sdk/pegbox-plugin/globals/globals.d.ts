/**
 * What JavaScript programs expect around them and a plugin has. There is no `fetch`, `setTimeout`, `process` or
 * `Intl`: nothing in a plugin happens later, and it has what the recipe grants.
 */

/** UTF-8 only. */
declare class TextEncoder {
  readonly encoding: "utf-8";
  /** `text` as UTF-8; a lone surrogate becomes U+FFFD. */
  encode(text?: string): Uint8Array;
}

/** UTF-8 only. */
declare class TextDecoder {
  /** @param options `fatal`: throw on what is not UTF-8, instead of U+FFFD in its place. */
  constructor(label?: "utf-8" | "utf8", options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: "utf-8";
  decode(bytes?: ArrayBuffer | ArrayBufferView): string;
}

/** Lines for Pegbox's log with the permission `log`; without it they go nowhere. */
declare var console: {
  debug(...values: unknown[]): void;
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
};

/** With the permission `random`. */
declare var crypto: {
  getRandomValues<T extends Uint8Array | Uint16Array | Uint32Array>(array: T): T;
};

/** With the permission `clock`. */
declare var performance: { now(): number };
