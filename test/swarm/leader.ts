import { docker } from "@skep/devswarm/fleet.ts";
import { eventually } from "../support/eventually.ts";
import type { Platform } from "./platform.ts";

/** Repeats a request while a scheduler is away, as every client of a replicated API does. */
export function until<T>(request: () => Promise<T>, withinMs = 60_000): Promise<T> {
  return eventually(request, withinMs, 250);
}

/** SIGKILL to the container of the scheduler that leads. */
export async function killLeader(platform: Platform): Promise<void> {
  const { node, id } = await until(() => leaderContainer(platform));
  await docker(platform.fleet, node, ["kill", "--signal", "KILL", id]);
}

/**
 * The container of the replica that holds the lease. For a moment after a change nobody leads, or
 * the leader is not among the replicas that the answering one has heard of.
 */
async function leaderContainer(platform: Platform): Promise<{ readonly node: string; readonly id: string }> {
  const { replicas, leader } = await platform.client.platform.getStatus({});
  const leading = replicas.filter(replica => replica.leading).map(replica => replica.name);
  for (const node of platform.fleet.nodes) {
    const filter = "label=com.docker.swarm.service.name=skep_scheduler";
    const ids = (await docker(platform.fleet, node.name, ["ps", "-q", "--no-trunc", "--filter", filter])).split("\n");
    const id = ids.find(one => leading.some(name => name !== "" && one.startsWith(name)));
    if (id !== undefined) return { node: node.name, id };
  }
  throw new Error(
    `no scheduler container is ${leading.join(", ") || "a replica"} of the lease of ${leader?.holder ?? "nobody"}`,
  );
}
