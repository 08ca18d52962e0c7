import type { Platform } from "./platform.ts";

interface Standing {
  readonly word: string;
  readonly sinceAt: number;
}

/**
 * A node that missed an assignment shows it by its next beats, is told again 2 s later, and has it
 * soon after.
 */
const TOLD_WITHIN_MS = 10_000;
const EVERY_MS = 1_000;

/**
 * Once the faults have ended, no agent works by an old assignment for long, though it asks by
 * itself only each half minute: a node that missed one is told again. Looks each second until the
 * end.
 */
export async function watchTold(platform: Platform): Promise<void> {
  const standings = new Map<string, Standing>();
  for (;;) {
    await platform.clock.sleep(EVERY_MS);
    const now = platform.clock.now();
    for (const { id } of platform.nodes) {
      const word = behind(platform, id);
      const known = standings.get(id);
      if (word === undefined) standings.delete(id);
      else if (known?.word !== word) standings.set(id, { word, sinceAt: now });
      else if (now - known.sinceAt >= TOLD_WITHIN_MS)
        platform.violate(`${id} ${word}, and was not told again for ${now - known.sinceAt} ms`);
    }
  }
}

/** How far behind the records a running agent is; `undefined` where it is not. */
function behind(platform: Platform, id: string): string | undefined {
  const { lease, nodes, platform: identity } = platform.database.records;
  // While the records wait for a person nobody is told anything.
  if (identity.unrecovered !== undefined) return undefined;
  const wanted = nodes.get(id)?.node.assignmentRevision;
  if (platform.lives.get(id)?.alive() !== true || lease === undefined || wanted === undefined) return undefined;
  const held = platform.engineRules.get(id)?.held();
  const [term, revision] = [held?.term ?? 0, held?.revision ?? 0];
  const isOurs = held === undefined || held.incarnation === identity.incarnation;
  if (isOurs && (term > lease.term || revision > wanted))
    return `works by term ${term}, revision ${revision}, and the records are older (${lease.term}, ${wanted}), unmarked`;
  if (term > lease.term || (term === lease.term && revision >= wanted)) return undefined;
  return `works by term ${term}, revision ${revision}, and it is term ${lease.term}, revision ${wanted}`;
}
