import { setTimeout as sleep } from "node:timers/promises";
import { decodeAssignment } from "@skep/api/codec/assignment.ts";
import { everyNode } from "@skep/api/subjects.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { SkepClient } from "@skep/sdk/index.ts";
import { eventually } from "../support/eventually.ts";
import type { PlayedNode, PlayedNodes } from "./played-nodes.ts";

/** Asks for deployments and sees their commands arrive. */
export interface Requests {
  /** One request, in ms from the call to the command; afterwards its node reports it as running. */
  one(): Promise<number>;
  /** So many, one begun each `everyMs` whether or not those before have arrived. */
  many(count: number, everyMs: number): Promise<number[]>;
  /** Deletes everything that was asked for, and waits until it is forgotten. */
  clear(): Promise<void>;
}

/** Listens on the agents' side of the bus, and asks on the client's. */
export function openRequests(bus: Bus, client: SkepClient, played: PlayedNodes): Requests {
  const waiting = new Map<string, (at: number) => void>();
  let asked: string[] = [];
  let serial = 0;
  bus.subscribe(everyNode("assign"), message => {
    const at = performance.now();
    const { assignment } = decodeAssignment(message.data);
    const node = played.nodes.get(assignment.nodeId);
    if (node === undefined || !carryOut(node, assignment)) return;
    for (const { instanceId } of assignment.instances) {
      waiting.get(instanceId)?.(at);
      waiting.delete(instanceId);
    }
    // The run may end while the last of them are on their way.
    void played.reportNews(node).catch(() => undefined);
  });
  const one = async (): Promise<number> => {
    const name = `p3-${++serial}`;
    asked.push(`default.${name}`);
    const arrived = new Promise<number>(resolve => waiting.set(`default.${name}.1`, resolve));
    const startedAt = performance.now();
    const spec = { name, replicas: 1, containers: [{ name: "app", image: "app:1", ports: [{ containerPort: 80 }] }] };
    const answered = client.deployments.createDeployment({ tenantId: "default", spec });
    const [at] = await Promise.all([arrived, answered]);
    return at - startedAt;
  };
  return {
    one,
    many: async (count, everyMs) => {
      const begun: Promise<number>[] = [];
      const startedAt = performance.now();
      for (let index = 0; index < count; index++) {
        begun.push(one());
        // By the clock and not by pauses, which are longer than asked for.
        await sleep(Math.max(0, startedAt + (index + 1) * everyMs - performance.now()));
      }
      return Promise.all(begun);
    },
    clear: async () => {
      for (const deploymentId of asked.splice(0)) await client.deployments.deleteDeployment({ deploymentId });
      asked = [];
      await eventually(async () => {
        const { deployments } = await client.platform.getStatus({});
        if (deployments > 0) throw new Error(`${deployments} deployments are not forgotten yet`);
      }, 60_000);
    },
  };
}

/** Runs what is to run and ends what is not, at once; answers whether there was anything to do. */
function carryOut(node: PlayedNode, assignment: Assignment): boolean {
  node.appliedTerm = assignment.term;
  node.appliedRevision = assignment.revision;
  let changed = false;
  for (const { instanceId, epoch, ports, desired } of assignment.instances) {
    const key = `${instanceId} ${epoch}`;
    if (desired === "run" && !node.running.has(key)) {
      const containers = [{ name: "app", id: key, imageId: "i", running: true, exitCode: undefined, restarts: 0 }];
      node.running.set(key, { instanceId, epoch, state: "running", health: "none", containers, ports, message: "" });
      node.untold.add(key);
      changed = true;
    } else if (desired !== "run" && node.running.delete(key)) {
      node.gone.push({ instanceId, epoch });
      changed = true;
    }
  }
  return changed;
}
