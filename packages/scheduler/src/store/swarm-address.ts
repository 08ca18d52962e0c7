/**
 * Addresses by which an engine names itself, or nobody: a manager sees itself at the first.
 */
const NOWHERE: readonly string[] = ["0.0.0.0", "::", "[::]"];

/** The address that the Swarm's list has of a node; `""` where it has none that others reach. */
export function swarmAddress(address: string): string {
  return NOWHERE.includes(address) ? "" : address;
}
