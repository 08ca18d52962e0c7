import type { Assembled } from "./assemble.ts";
import type { Place, Problems } from "./problems.ts";
import { below } from "./spots.ts";

/** Notes what a port of the node means for copies beside each other. */
export function checkUpdates(deployments: readonly Assembled[], problems: Problems): void {
  for (const { spec, services } of deployments) {
    const fixed = spec.containers.flatMap(container => container.ports).find(port => port.hostPort !== undefined);
    const order = services.map(({ value }) => below(value, "deploy", "update_config", "order")).find(one => one);
    if (fixed !== undefined && spec.update.order === "start-first" && order !== undefined)
      problems.note(
        order,
        `a new copy cannot stand beside the old one on its node: both need port ${fixed.hostPort} of it`,
        "An update needs a node that is free of it, and waits where there is none; `stop-first` needs none",
      );
    const isMounted = spec.containers.some(container => container.volumes.length > 0);
    if (isMounted && spec.update.order === "start-first" && order !== undefined && spec.exclusive !== false)
      problems.note(
        order,
        "only one copy may write to the volume, so the old one is stopped first",
        "Write `x-skep: { exclusive: false }` where two may",
      );
    for (const place of services.flatMap(service => service.meshed)) noteMesh(place, problems);
  }
}

function noteMesh(place: Place, problems: Problems): void {
  problems.note(
    place,
    "no mesh leads to this port: it answers on the nodes that run a copy, one copy each",
    "Ask those nodes, or lead a route to it with labels of Traefik's",
  );
}
