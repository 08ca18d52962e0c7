/**
 * What one container may use and what is set aside for it.
 * `cpuMillis` are thousandths of a core. A limit is enforced by the engine; a reservation is what
 * placement counts.
 */
export interface Resources {
  /** Hard limit in thousandths of a core; always set, see `DEFAULT_RESOURCES`. */
  readonly cpuMillis: number;
  /** Hard limit in bytes. */
  readonly memoryBytes: number;
  /** Most processes and threads the container may have. */
  readonly pids: number;
  /** Counted against the node's cpu by placement; 0 reserves nothing. */
  readonly reserveCpuMillis: number;
  /** Counted against the node's memory by placement; 0 reserves nothing. */
  readonly reserveMemoryBytes: number;
}

/** The hard limits among them. */
export type Limits = Pick<Resources, "cpuMillis" | "memoryBytes" | "pids">;

/**
 * What a container gets when its spec says nothing and the operator sets nothing else: every
 * container is limited.
 */
export const DEFAULT_RESOURCES: Resources = {
  cpuMillis: 1000,
  memoryBytes: 512 * 1024 * 1024,
  pids: 512,
  reserveCpuMillis: 0,
  reserveMemoryBytes: 0,
};
