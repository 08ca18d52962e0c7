import { deploymentIdOf } from "../model/instance-id.ts";
import type { AssignedInstance } from "../model/assignment.ts";
import type { PortBinding } from "../model/instance.ts";
import type { Observed, ObservedContainer } from "../model/observed.ts";
import { isLeased } from "../model/volume.ts";
import type { Step } from "./step.ts";

/**
 * What the engine looks like after a step that succeeded at `now`: the other half of every step,
 * which lets the fixpoint law be tested without an engine. A container's id is made of what it is,
 * with a count where that is taken.
 */
export function applyStep(observed: Observed, step: Step, now: number): Observed {
  switch (step.kind) {
    case "pull-image":
      return { ...observed, images: [...observed.images, step.image] };
    case "create-network": {
      const { tenantId } = step;
      return {
        ...observed,
        networks: [...observed.networks, { id: `network-${tenantId}`, name: `skep-${tenantId}`, tenantId }],
      };
    }
    case "remove-network":
      return { ...observed, networks: observed.networks.filter(network => network.name !== step.name) };
    case "remove-volume":
      return { ...observed, volumes: observed.volumes.filter(volume => volume.engineName !== step.name) };
    case "create-sandbox":
      return made(observed, step.instance, "", "sandbox", step.specHash, step.instance.ports, now);
    case "create-container": {
      const own = step.instance.ports.filter(port => port.container === step.container.name);
      return made(
        observed,
        step.instance,
        step.container.name,
        "app",
        step.specHash,
        step.sandboxId === undefined ? own : [],
        now,
      );
    }
    case "take-sandbox": {
      const warm = observed.warm ?? [];
      const taken = warm.find(one => one.id === step.containerId);
      const rest = { ...observed, warm: warm.filter(one => one !== taken) };
      if (taken === undefined) return observed;
      const { containers } = made(rest, step.instance, "", "sandbox", taken.specHash, [], now);
      const sandbox = { ...containers.at(-1)!, ...running(now), id: taken.id, netns: `netns-${taken.id}` };
      return { ...rest, containers: [...containers.slice(0, -1), sandbox] };
    }
    case "make-warm": {
      const warm = observed.warm ?? [];
      const ids = new Set([...warm, ...observed.containers].map(one => one.id));
      let serial = 1;
      while (ids.has(`warm-${serial}`)) serial++;
      return { ...observed, warm: [...warm, { id: `warm-${serial}`, specHash: step.specHash, isRunning: true }] };
    }
    case "remove-warm":
      return { ...observed, warm: (observed.warm ?? []).filter(one => one.id !== step.containerId) };
    case "start-container":
      return edited(observed, step.containerId, { ...running(now), netns: `netns-${step.containerId}@${now}` });
    case "stop-container":
      return edited(observed, step.containerId, { state: "exited", finishedAt: now, exitCode: 0 });
    case "remove-container":
      return { ...observed, containers: observed.containers.filter(container => container.id !== step.containerId) };
  }
}

function running(now: number) {
  const state = "running" as const;
  return { state, startedAt: now, finishedAt: undefined, exitCode: undefined, engineHealth: "none" as const };
}

function made(
  observed: Observed,
  instance: AssignedInstance,
  name: string,
  role: ObservedContainer["role"],
  specHash: string,
  ports: readonly PortBinding[],
  now: number,
): Observed {
  const { instanceId, tenantId, epoch, release, spec } = instance;
  const base = `${instanceId}@${epoch}/${name}`;
  let id = base;
  for (let count = 2; observed.containers.some(container => container.id === id); count++) id = `${base}#${count}`;
  const container: ObservedContainer = {
    id,
    name,
    role,
    instanceId,
    tenantId,
    deploymentId: deploymentIdOf(tenantId, spec.name),
    release,
    epoch,
    specHash,
    isExclusive: isLeased(spec),
    state: "created",
    exitCode: undefined,
    oomKilled: false,
    imageId: "",
    engineHealth: "none",
    createdAt: now,
    startedAt: undefined,
    finishedAt: undefined,
    ports,
    isDetached: false,
    mounts: [],
    labels: {},
  };
  return { ...observed, containers: [...observed.containers, container] };
}

function edited(observed: Observed, id: string, change: Partial<ObservedContainer>): Observed {
  return {
    ...observed,
    containers: observed.containers.map(container => (container.id === id ? { ...container, ...change } : container)),
  };
}
