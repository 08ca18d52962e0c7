import { sql, type Kysely } from "kysely";

/**
 * The key of the receipts that agents get with their assignments. Each row gets a random one of its
 * own; a backup has it too, so that an agent can prove what a restored database has lost.
 */
export async function receiptKey(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `ALTER TABLE platform ADD COLUMN receipt_key text NOT NULL
  DEFAULT replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')`,
    )
    .execute(db);
}
