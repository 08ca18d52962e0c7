import { docker } from "@skep/devswarm/fleet.ts";
import { eventually } from "../support/eventually.ts";
import type { Platform } from "./platform.ts";

/** Repeats a request while a scheduler is away, as every client of a replicated API does. */
export function until<T>(request: () => Promise<T>, withinMs = 60_000): Promise<T> {
  return eventually(request, withinMs, 250);
}

/** SIGKILL to the container of the scheduler that leads. */
export async function killLeader(platform: Platform): Promise<void> {
  const { replicas } = await until(() => platform.client.platform.getStatus({}));
  // A replica that was killed a moment ago still stands there as leading: only containers that run
  // count.
  const leading = replicas.filter(replica => replica.leading).map(replica => replica.name);
  for (const node of platform.fleet.nodes) {
    const filter = "label=com.docker.swarm.service.name=skep_scheduler";
    const ids = (await docker(platform.fleet, node.name, ["ps", "-q", "--no-trunc", "--filter", filter])).split("\n");
    const id = ids.find(one => leading.some(name => name !== "" && one.startsWith(name)));
    if (id !== undefined) return void (await docker(platform.fleet, node.name, ["kill", "--signal", "KILL", id]));
  }
  throw new Error(`no scheduler container matches a leader among ${leading.join(", ") || "nobody"}`);
}
