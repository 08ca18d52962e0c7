import type { Clock } from "@skep/kit/clock.ts";
import type { Store } from "../store/store.ts";

/** Nodes come and go rarely, and each request that writes a spec asks. */
const KEPT_MS = 10_000;

/**
 * Makes the function that answers the domains nobody may take: the operator's, and those of nodes.
 */
export function createReservedDomains(
  { store, clock }: { readonly store: Pick<Store, "listNodes">; readonly clock: Pick<Clock, "monotonic"> },
  ofOperator: readonly string[],
): () => Promise<readonly string[]> {
  let known: { readonly names: readonly string[]; readonly atMs: number } | undefined;
  return async () => {
    if (known !== undefined && clock.monotonic() - known.atMs < KEPT_MS) return known.names;
    const nodes = await store.listNodes();
    const names = [...ofOperator, ...nodes.flatMap(({ node }) => [node.hostname, node.address])].filter(Boolean);
    known = { names, atMs: clock.monotonic() };
    return names;
  };
}
