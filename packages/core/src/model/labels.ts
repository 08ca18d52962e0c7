/** A map of label keys to values, as Docker and Swarm carry them. */
export type Labels = Readonly<Record<string, string>>;
