/** A broken invariant: a defect of ours, never of the input. The process resigns and restarts. */
export class InvariantError extends Error {
  override name = 'InvariantError';
}

/** Throws `InvariantError` unless `condition` holds. Stays on in production. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new InvariantError(what);
}

/**
 * For the default branch of a switch over a closed union: a compile error when a case is missing. Says which case it
 * was, not what is in it: that may be a password.
 */
export function unreachable(value: never): never {
  const { type = typeof value } = Object(value) as { readonly type?: unknown };
  throw new InvariantError(`unreachable: ${String(type)}`);
}
