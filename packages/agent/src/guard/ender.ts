/** Ends containers, as a port. */
export interface Ender {
  /**
   * Ends a container of ours: its stop signal, a short grace, then a kill. Resolves once it does
   * not run: `true` where it ran before, `false` where it had ended or is not there.
   * @throws Error when the engine does not end it, and for a container that is not ours.
   */
  end(containerId: string): Promise<boolean>;
}
