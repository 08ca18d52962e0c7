/** Thousandths of a core as people say it: `0.5 cores`. */
export function cores(cpuMillis: number): string {
  return `${Math.round(cpuMillis) / 1000} cores`;
}

/** Bytes as people say it: `512 MiB`, whole. */
export function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1_048_576)} MiB`;
}

/** Bytes as people say it: `12 KiB`, rounded up. */
export function kibibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}

/** A count with its noun: `1 node`, `3 nodes`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A share between 0 and 1 as a percentage: `42 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Why a node of the control plane was taken though such nodes are avoided. */
export const ONLY_CONTROL_PLANE = "it is a node of the control plane, and no other node can take this";
