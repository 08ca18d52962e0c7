import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { newNatsKey } from "@skep/kit/nats-keys.ts";

/**
 * The seed of the key by which this node is known on the bus; it is made once and kept in `dir`,
 * where nobody else reads it. A node that joins another Swarm has another id, and with it another
 * key.
 * @throws the file system's error: an agent that could not keep its key would be refused after its
 * next start.
 */
export async function keepNodeKey(dir: string, nodeId: string): Promise<string> {
  const path = join(dir, `node-${nodeId}.key`);
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
  }
  const { seed } = newNatsKey("user");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(seed);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  return seed;
}
