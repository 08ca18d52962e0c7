/** A map of label keys to values, as Docker and Swarm carry them. */
export type Labels = Readonly<Record<string, string>>;

/** The mark of every container that belongs to a deployment, for tools that know only this one. */
export const MANAGED_LABEL = "cloud.obiente.deployment";

/** Prefixes that only engines, Swarm and the platform may write. */
const RESERVED_PREFIXES = ["skep.", "com.docker.", "io.docker.", "org.dockerproject.", MANAGED_LABEL] as const;

/** Whether a user's label would pretend to be the platform's, Swarm's or the engine's. */
export function isReservedLabel(key: string): boolean {
  return RESERVED_PREFIXES.some(prefix => key.startsWith(prefix));
}
