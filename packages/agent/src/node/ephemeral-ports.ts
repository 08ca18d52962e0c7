import type { PortRange } from "@skep/core/model/host-ports.ts";

/**
 * Host ports of the tenants' range that the kernel gives to outgoing connections too, by the text
 * of `net.ipv4.ip_local_port_range`; `undefined` where there is none. An instance cannot start on a
 * port that a connection happens to hold.
 */
export function sharedWithKernel({ from, to }: PortRange, text: string): PortRange | undefined {
  const [, first, last] = /^\s*(\d+)\s+(\d+)/.exec(text) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const shared = { from: Math.max(from, Number(first)), to: Math.min(to, Number(last)) };
  return shared.from > shared.to ? undefined : shared;
}
