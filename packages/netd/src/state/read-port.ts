import { NetProtocol, type NetPort } from "@skep/api/gen/skep/v1/net_pb.ts";
import type { Port, Protocol } from "./net-state.ts";

/** Reads a protocol; `undefined` for none and for one that is not known here. */
export function readProtocol(protocol: NetProtocol): Protocol | undefined {
  if (protocol === NetProtocol.TCP) return "tcp";
  return protocol === NetProtocol.UDP ? "udp" : undefined;
}

/** Reads a port; `undefined` for what is none. */
export function readPort({ protocol, port }: NetPort): Port | undefined {
  const known = readProtocol(protocol);
  return known !== undefined && port >= 1 && port <= 65_535 ? { protocol: known, port } : undefined;
}
