/** What a function of the host says when it fails. */

/** The WIT error in the exception that the engine made of it; another exception as it is. */
export function payload(fault: unknown): unknown {
  return typeof fault === "object" && fault !== null && "payload" in fault ? fault.payload : fault;
}

/** The error's name: an enum is its case, a variant has one as `tag`. */
export function code(fault: unknown): string | undefined {
  const error = payload(fault);
  if (typeof error === "string") return error;
  const tag = typeof error === "object" && error !== null && "tag" in error ? error.tag : undefined;
  return typeof tag === "string" ? tag : undefined;
}
