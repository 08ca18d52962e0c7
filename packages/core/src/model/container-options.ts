import type { Bounds } from "./bounds.ts";

/** A part of the memory that a container sees as a directory: empty at each start. */
export interface TmpfsMount {
  readonly target: string;
  /** The most that it holds; without it the container's memory is the bound, as it counts there. */
  readonly sizeBytes?: number | undefined;
  /** Who may do what, as of a file's mode; everybody may write where it is absent. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Whether programs may be started from it. */
  readonly exec?: boolean | undefined;
}

/** How much of one thing a process may have: `soft` holds, and it may raise that up to `hard`. */
export interface Ulimit {
  readonly name: string;
  /** `-1` is no limit of this kind. */
  readonly soft: number;
  readonly hard: number;
}

/** A line of the container's `/etc/hosts`. */
export interface ExtraHost {
  readonly name: string;
  readonly address: string;
}

/** How much of a container's output is kept. */
export interface LogLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/**
 * What a container may have besides, from the engine and the kernel. Each is absent where a spec
 * says nothing of it, so that a container that asks for none of them keeps its hash.
 */
export interface ContainerOptions {
  /** Whether the engine's own init is the first process, which takes in what others leave. */
  readonly init?: true | undefined;
  /** The name that the container has for itself; of a pod its first container says it. */
  readonly hostname?: string | undefined;
  /** What stands behind its host name; of a pod its first container says it. */
  readonly domainname?: string | undefined;
  /** Size of `/dev/shm`, which counts as memory of the container. */
  readonly shmBytes?: number | undefined;
  readonly ulimits?: readonly Ulimit[] | undefined;
  /** Of a pod its first container says them. */
  readonly extraHosts?: readonly ExtraHost[] | undefined;
  /** Capabilities that it does without, of those that every container has; `ALL` is all of them. */
  readonly dropCapabilities?: readonly string[] | undefined;
  /** Parameters of its network namespace; of a pod its first container says them. */
  readonly sysctls?: Readonly<Record<string, string>> | undefined;
  readonly logging?: LogLimits | undefined;
}

/** What belongs to the network of a pod, so that only its first container says it. */
export const NETWORK_OPTIONS = ["hostname", "domainname", "extraHosts", "sysctls"] as const;

/** The part of the options that belongs to the network: of a pod its sandbox gets it. */
export type NetworkOptions = Pick<ContainerOptions, (typeof NETWORK_OPTIONS)[number]>;

/** What a container says of its network; `undefined` where it says nothing. */
export function networkOptionsOf(container: NetworkOptions): NetworkOptions | undefined {
  const said = NETWORK_OPTIONS.filter(key => container[key] !== undefined);
  return said.length === 0 ? undefined : Object.fromEntries(said.map(key => [key, container[key]]));
}

const WHOLE: Bounds = { least: 0, most: Number.MAX_SAFE_INTEGER };

/**
 * Limits that a spec may set, each with its bounds. What would put a process before those of others
 * (`nice`, `rtprio`) or take memory of the kernel that nobody counts (`sigpending`) is not among
 * them. The most open files are what kernels take.
 */
export const ULIMITS: Readonly<Record<string, Bounds & { readonly isEndless: boolean }>> = {
  nofile: { least: 0, most: 1_048_576, isEndless: false },
  nproc: { least: 0, most: 4_194_304, isEndless: true },
  memlock: { ...WHOLE, isEndless: true },
  core: { ...WHOLE, isEndless: true },
  cpu: { ...WHOLE, isEndless: true },
  data: { ...WHOLE, isEndless: true },
  fsize: { ...WHOLE, isEndless: true },
  locks: { ...WHOLE, isEndless: true },
  rss: { ...WHOLE, isEndless: true },
  stack: { ...WHOLE, isEndless: true },
};

/** Whether a limit may have this value. */
export function isUlimit(name: string, value: number): boolean {
  const bounds = Object.hasOwn(ULIMITS, name) ? ULIMITS[name] : undefined;
  if (bounds === undefined || !Number.isInteger(value)) return false;
  return value === -1 ? bounds.isEndless : value >= bounds.least && value <= bounds.most;
}

/** Whether the soft limit is not above the hard one. */
export function isOrdered({ soft, hard }: Ulimit): boolean {
  return hard === -1 || (soft !== -1 && soft <= hard);
}

/**
 * Kernel parameters that each network namespace has for itself and that harm nobody else. What
 * would forward packets or take them from anywhere is not among them.
 */
export const SYSCTLS: readonly string[] = [
  "net.core.somaxconn",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_retries2",
  "net.ipv4.tcp_syn_retries",
  "net.ipv4.tcp_synack_retries",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_tw_reuse",
  "net.ipv4.tcp_window_scaling",
  "net.ipv6.conf.all.disable_ipv6",
  "net.ipv6.conf.default.disable_ipv6",
];

/** Whether such a parameter may have this value: whole numbers with blanks between. */
export function isSysctlValue(text: string): boolean {
  return /^\d{1,10}([ \t]\d{1,10}){0,2}$/.test(text);
}

/** Whether the text may be a host name or a domain of a container: the kernel takes 63 letters. */
export function isHostName(text: string): boolean {
  return (
    text.length <= 63 &&
    /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/.test(text)
  );
}

/** What an engine keeps of a container's output where its spec says nothing. */
export const DEFAULT_LOGGING: LogLimits = { maxBytes: 10_000_000, maxFiles: 3 };

/** The most output that is kept of one container, in all its files. */
export const MOST_LOG_BYTES = 256_000_000;
