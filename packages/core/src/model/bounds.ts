const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** A whole number from one to another, both included. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/**
 * How much a spec may ask for. spec.proto has the same numbers, and so has whoever reads a file for
 * people: what one of them takes, all take.
 */
export const BOUNDS = {
  replicas: { least: 0, most: 10_000 },
  containers: { least: 1, most: 16 },
  stopGraceMs: { least: 0, most: 600_000 },
  parallelism: { least: 1, most: 1000 },
  maxPerNode: { least: 1, most: 10_000 },
  /** Instances of a job that run at once. */
  maxConcurrent: { least: 1, most: 10_000 },
  maxAttempts: { least: 1, most: 1_000_000 },
  /** The least first wait before a container that ended is started again. */
  restartDelayMs: { least: 500, most: HOUR_MS },
  /** The longest wait: what never gets well is not started more often than its least. */
  restartMaxDelayMs: { least: 10_000, most: 24 * HOUR_MS },
  restartWindowMs: { least: 0, most: 24 * HOUR_MS },
  /** Thousandths of a core. */
  cpuMillis: { least: 10, most: 1_024_000 },
  /** The least is Docker's own. */
  memoryBytes: { least: 6 * MIB, most: 16 * 1024 * 1024 * MIB },
  pids: { least: 1, most: 1_000_000 },
  /** Of a tmpfs and of `/dev/shm`: a page at least, and both count as memory. */
  tmpfsBytes: { least: 4096, most: 16 * 1024 * 1024 * MIB },
  fileMode: { least: 0, most: 0o7777 },
  /** The number of a user or a group. */
  userId: { least: 0, most: 2 ** 31 - 1 },
  logFileBytes: { least: 10_000, most: 100_000_000 },
  logFiles: { least: 1, most: 20 },
  port: { least: 1, most: 65_535 },
  checkIntervalMs: { least: 100, most: 24 * HOUR_MS },
  checkTimeoutMs: { least: 100, most: 24 * HOUR_MS },
  checkRetries: { least: 1, most: 1000 },
  checkStartPeriodMs: { least: 0, most: 24 * HOUR_MS },
} as const satisfies Readonly<Record<string, Bounds>>;

/** The most entries of a list or a mapping of a spec. */
export const MOST = {
  ports: 64,
  volumes: 64,
  tmpfs: 64,
  words: 256,
  env: 512,
  labels: 256,
  networks: 8,
  aliases: 16,
  /** Constraints, deployments to avoid, and deployments to wait for. */
  rules: 64,
  ulimits: 16,
  extraHosts: 64,
  capabilities: 41,
  sysctls: 32,
} as const;

/** The longest texts of a spec, in characters. */
export const LONGEST = {
  word: 32_768,
  env: 65_536,
  envKey: 256,
  label: 8192,
  labelKey: 512,
  alias: 120,
  constraint: 512,
  probePath: 2048,
  workingDir: 4096,
  user: 128,
  hostname: 63,
  repository: 2048,
  branch: 256,
} as const;
