/** A node's key as it is recorded. */
export interface NodeKey {
  /** Empty where the node was revoked before it ever joined. */
  readonly publicKey: string;
  readonly joinedAt: number;
  readonly revokedAt: number | undefined;
}

/** An agent that asks to join as a node. It has proved that it holds the private key. */
export interface Applicant {
  readonly publicKey: string;
  /** Whether it has shown the join secret. */
  readonly knowsSecret: boolean;
  /** The key that is recorded for the node. */
  readonly recorded: NodeKey | undefined;
  /**
   * Whether the Swarm's list has the node; `undefined` where there is no list that could be asked.
   */
  readonly isListed: boolean | undefined;
}

/**
 * What becomes of it: `admit` an agent that is known, let one `join` for the first time, or
 * `refuse` it.
 */
export type Admission =
  | { readonly kind: "admit" | "join" }
  | { readonly kind: "refuse"; readonly because: string; readonly isAlarming: boolean };

/**
 * The first agent of a node shows the join secret and leaves its public key; from then on only that
 * key counts for the node. The secret alone is therefore worth nothing against a node that has
 * joined, and nothing against a node that the Swarm does not have.
 */
export function admit({ publicKey, knowsSecret, recorded, isListed }: Applicant): Admission {
  if (recorded?.revokedAt !== undefined)
    return refuse("the node is revoked; `skep node rejoin` lets it come back", true);
  if (recorded !== undefined) {
    if (recorded.publicKey === publicKey) return { kind: "admit" };
    return refuse("another key is recorded for the node; `skep node rejoin` lets it bring a new one", true);
  }
  if (!knowsSecret) return refuse("the join secret is not the right one", true);
  if (isListed === false)
    return refuse("the Swarm's list does not have the node yet: it joins once a manager tells that it has", false);
  return { kind: "join" };
}

function refuse(because: string, isAlarming: boolean): Admission {
  return { kind: "refuse", because, isAlarming };
}
