import { sql, type Kysely } from "kysely";

/**
 * The addresses of each node's instances. No two nodes have one, whoever writes: the check comes at
 * the end of a statement, since one statement may take a block from a node and give it to another.
 * A removed node keeps its row and its block.
 */
export async function nodeBlocks(db: Kysely<unknown>): Promise<void> {
  const statements = [
    "ALTER TABLE node_metadata ADD COLUMN block cidr, ADD COLUMN reported_block cidr",
    `ALTER TABLE node_metadata ADD CONSTRAINT node_blocks_apart
      EXCLUDE USING gist (block inet_ops WITH &&) DEFERRABLE INITIALLY IMMEDIATE`,
    "ALTER TABLE deployment_locations ADD COLUMN address text",
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
