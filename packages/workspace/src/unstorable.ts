import { SkepError } from "@skep/core/error.ts";

/**
 * What a database's `store` and `bury` reject with where some documents can never be stored; all
 * others are stored. The caller buries these, and need not store the others again.
 */
export class UnstorableError extends SkepError {
  /** Why each cannot be stored, by `_id`. */
  readonly refused: ReadonlyMap<string, string>;

  constructor(refused: ReadonlyMap<string, string>) {
    const [first] = refused;
    super(
      "invalid_argument",
      "DOCUMENTS_REFUSED",
      `${refused.size} documents can never be stored, such as ${first?.[0]}: ${first?.[1]}. Bury them.`,
    );
    this.refused = refused;
  }
}
