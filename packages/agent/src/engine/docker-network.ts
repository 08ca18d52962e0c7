import type Docker from "dockerode";
import type { Calls } from "./docker-calls.ts";
import { EngineError, engineErrorCode } from "./errors.ts";
import { LABEL } from "./labels.ts";
import { bridgeName, networkName } from "./names.ts";
import { freeSubnet } from "./subnets.ts";

const DEADLINE_MS = 30_000;
/**
 * Blocks may be taken by something that the engine does not list (a route of the node): try this
 * many others.
 */
const ATTEMPTS = 8;

/**
 * Makes a tenant's bridge with a block of the pool that no network of this engine has; an existing
 * one is kept. Engines keep bridges apart from each other, so tenants meet only through published
 * ports.
 * @throws EngineError `subnet_taken` when the pool is used up.
 */
export async function createTenantNetwork(docker: Docker, calls: Calls, tenantId: string, pool: string): Promise<void> {
  const name = networkName(tenantId);
  const refused: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const networks =
      (await calls.call({ deadlineMs: DEADLINE_MS }, abortSignal => docker.listNetworks({ abortSignal }))) ?? [];
    if (networks.some(network => network.Name === name)) return;
    const taken = networks.flatMap(network => (network.IPAM?.Config ?? []).flatMap(config => config["Subnet"] ?? []));
    const subnet = freeSubnet(pool, [...taken, ...refused]);
    if (subnet === undefined) break;
    try {
      await calls.call({ deadlineMs: DEADLINE_MS }, abortSignal =>
        docker.createNetwork({ ...networkOptions(tenantId, subnet), abortSignal }),
      );
      return;
    } catch (error) {
      if (engineErrorCode(error) === "conflict") return;
      if (engineErrorCode(error) !== "subnet_taken") throw error;
      refused.push(subnet);
    }
  }
  throw new EngineError(
    "subnet_taken",
    `No address block of ${pool} is free for the network ${name}: remove unused networks on this node or give the agent a larger SKEP_NETWORK_POOL.`,
  );
}

function networkOptions(tenantId: string, subnet: string) {
  return {
    Name: networkName(tenantId),
    Driver: "bridge",
    CheckDuplicate: true,
    IPAM: { Driver: "default", Config: [{ Subnet: subnet }] },
    Options: { "com.docker.network.bridge.name": bridgeName(tenantId), "com.docker.network.bridge.enable_icc": "true" },
    Labels: { [LABEL.tenant]: tenantId },
  };
}
