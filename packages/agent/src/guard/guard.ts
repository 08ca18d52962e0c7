/** A container that has to end at a time of the agent's monotonic clock, unless it is renewed. */
export interface Watched {
  readonly containerId: string;
  readonly until: number;
}

/**
 * What ends exclusive copies when their agent does not: a port, since it has to live on while the
 * agent is paused or dead.
 */
export interface Guard {
  /**
   * Tells all that is to be watched, instead of what was told before. Resolves once the guard has
   * it.
   * @throws Error where no guard runs that takes it.
   */
  watch(copies: readonly Watched[]): Promise<void>;
  /** The agent leaves: what was told last stays in force. */
  close(): void;
}

/** No guard at all, where an agent is to be seen alone: it takes everything and ends nothing. */
export const noGuard: Guard = { watch: async () => undefined, close: () => undefined };
