import { releaseKey, type Records } from "../memory-records.ts";
import type { Horizon } from "../store.ts";

/** See `HistoryStore.pruneHistory`. */
export function pruneHistory(records: Records, before: Horizon, most: number): number {
  for (const [domain, { at }] of records.freed) if (at < before.domainsAt) records.freed.delete(domain);
  const keys = [...records.answers].filter(([, answer]) => answer.at < before.keysAt).slice(0, most);
  for (const [key] of keys) records.answers.delete(key);
  const decisions = oldest(records.decisions, one => one.decision.at, before.decisionsAt, most);
  const audits = oldest(records.audits, one => one.at, before.auditAt, most);
  const releases = oldReleases(records, before.keepReleases).slice(0, most);
  for (const key of releases) records.releases.delete(key);
  return keys.length + decisions + audits + releases.length;
}

/** Takes the oldest out of a list. */
function oldest<T>(list: T[], atOf: (item: T) => number, at: number, most: number): number {
  const old = list
    .filter(one => atOf(one) < at)
    .toSorted((a, b) => atOf(a) - atOf(b))
    .slice(0, most);
  for (const one of old) list.splice(list.indexOf(one), 1);
  return old.length;
}

function oldReleases(records: Records, keep: number): readonly string[] {
  const named = new Set(
    [...records.instances.values(), ...records.locations.values()].map(one =>
      releaseKey(one.deploymentId, one.release),
    ),
  );
  return [...records.releases].flatMap(([key, { deploymentId, number }]) => {
    const wanted = records.deployments.get(deploymentId)?.release ?? 0;
    return number <= wanted - keep && !named.has(key) ? [key] : [];
  });
}
