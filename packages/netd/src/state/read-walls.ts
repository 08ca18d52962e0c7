import { NetProtocol, type NetReach, type NetWalls } from "@skep/api/gen/skep/v1/net_pb.ts";
import { parseBlock, type Block } from "@skep/core/network/block.ts";
import type { Fault } from "./fault.ts";
import type { Reach, Walls } from "./net-state.ts";
import { readPort, readProtocol } from "./read-port.ts";

/** Reads what there is beside a tenant's own network. What cannot be read opens nothing. */
export function readWalls(message: NetWalls | undefined, faults: Fault[]): Walls {
  const wrong = (what: string): void => {
    const advice = "give an IPv4 block such as 192.168.1.0/24, a protocol of tcp or udp, and ports from 1 to 65535";
    faults.push({ reason: "walls-invalid", message: `${what} is left out of the walls: ${advice}.` });
  };
  const blocks = (texts: readonly string[], about: string): readonly Block[] =>
    texts.flatMap(text => parseBlock(text) ?? (wrong(`"${text}" of ${about}`), []));
  const reaches = (all: readonly NetReach[], about: string): readonly Reach[] =>
    all.flatMap(one => readReach(one) ?? (wrong(`"${one.block}" of ${about}`), []));
  return {
    edgePorts: (message?.edgePorts ?? []).flatMap(port => readPort(port) ?? (wrong(`edge port ${port.port}`), [])),
    edgeSources: blocks(message?.edgeSources ?? [], "the edges"),
    allowed: reaches(message?.allowed ?? [], "the operator's list"),
    denied: blocks(message?.denied ?? [], "what is denied"),
    egress: new Map(
      [...Map.groupBy(message?.egress ?? [], one => one.tenantId)].map(([tenantId, rules]) => [
        tenantId,
        rules.flatMap(one => reaches(one.allowed, `tenant ${tenantId}`)),
      ]),
    ),
  };
}

function readReach({ block: text, protocol: number, fromPort, toPort }: NetReach): Reach | undefined {
  const block = parseBlock(text);
  const protocol = readProtocol(number);
  if (block === undefined || (number !== NetProtocol.UNSPECIFIED && protocol === undefined)) return undefined;
  if (fromPort === 0 && toPort === 0) return { block, protocol, ports: undefined };
  const isRight = protocol !== undefined && fromPort >= 1 && fromPort <= toPort && toPort <= 65_535;
  return isRight ? { block, protocol, ports: { from: fromPort, to: toPort } } : undefined;
}
