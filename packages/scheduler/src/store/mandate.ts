/**
 * In whose name a leader writes. Its write is refused once the lease has another term or holder, or
 * has expired: two leaders may share a term when the database lost its last seconds.
 */
export interface Mandate {
  readonly term: number;
  readonly holder: string;
}
