/** A page of a list; `nextToken` is `undefined` on the last one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken: string | undefined;
}

/** Which page of a list is wanted. */
export interface PageRequest {
  readonly size: number;
  readonly token: string | undefined;
}

/**
 * Who asked for a change, and the key under which a repetition of the same request is answered
 * alike.
 */
export interface Request {
  readonly actor: string;
  readonly idempotencyKey: string | undefined;
}
