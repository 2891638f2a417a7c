/** A failure that a plugin foresees. */

/**
 * What went wrong, for the user, as the contract's `error` carries it. Throw it from anywhere in a plugin; the
 * instance stays usable.
 *
 * ```js
 * throw new PluginError(`gamma is ${gamma}, and must not be negative`, { help: "leave it out for 2" });
 * ```
 *
 * Any other exception reaches the user too, with the file and line where it was thrown.
 */
export class PluginError extends Error {
  /** How to mend it. */
  readonly help: string | undefined;

  /**
   * @param message One sentence without a full stop: what went wrong, and where.
   * @param options `help`: how to mend it. `cause`: the error behind this one.
   */
  constructor(message: string, options: { help?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "PluginError";
    this.help = options.help;
  }
}
