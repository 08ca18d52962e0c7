import { setTimeout as sleep } from "node:timers/promises";
import { askEngine } from "./engine-api.ts";
import type { EngineInfo, SwarmNode } from "./engine-api.ts";
import { overlayPool } from "./engine-config.ts";

/**
 * One engine to be made part of a swarm: its socket, its address, its role. The first must be a
 * manager.
 */
export interface Member {
  readonly name: string;
  readonly socket: string;
  readonly address: string;
  readonly role: "manager" | "worker";
}

/**
 * Makes the engines one swarm, led by the first, and returns each one's swarm id by name. Engines
 * that are in the swarm already (a fleet that came back with its old state) stay as they are. Waits
 * until every node is ready.
 */
export async function formSwarm(members: readonly Member[], stop?: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const [leader, ...others] = members;
  if (leader === undefined) throw new TypeError("A swarm needs at least one engine.");
  if ((await infoOf(leader)).Swarm.LocalNodeState === "inactive") {
    await askEngine(leader.socket, "POST", "/swarm/init", {
      ListenAddr: `${leader.address}:2377`,
      AdvertiseAddr: leader.address,
      DataPathAddr: leader.address,
      DefaultAddrPool: [overlayPool.base],
      SubnetSize: overlayPool.size,
      Spec: {},
    });
  }
  const tokens = (await eventually(() => askEngine<SwarmInfo>(leader.socket, "GET", "/swarm"), stop)).JoinTokens;
  const workers = others.filter(member => member.role === "worker");
  // Each new manager changes the quorum, so they join one after the other; workers do not mind.
  for (const member of others.filter(each => each.role === "manager")) await join(member, leader, tokens.Manager);
  await Promise.all(workers.map(member => join(member, leader, tokens.Worker)));
  await eventually(() => expectAllReady(leader, members), stop);
  const ids = await Promise.all(
    members.map(async member => [member.name, (await infoOf(member)).Swarm.NodeID] as const),
  );
  return new Map(ids);
}

/** The nodes of the swarm as this manager sees them. */
export function listSwarmNodes(socket: string): Promise<readonly SwarmNode[]> {
  return askEngine<readonly SwarmNode[]>(socket, "GET", "/nodes");
}

interface SwarmInfo {
  readonly JoinTokens: { readonly Worker: string; readonly Manager: string };
}

function infoOf(member: Member): Promise<EngineInfo> {
  return askEngine<EngineInfo>(member.socket, "GET", "/info");
}

async function join(member: Member, leader: Member, token: string): Promise<void> {
  if ((await infoOf(member)).Swarm.LocalNodeState !== "inactive") return;
  await askEngine(member.socket, "POST", "/swarm/join", {
    ListenAddr: `${member.address}:2377`,
    AdvertiseAddr: member.address,
    DataPathAddr: member.address,
    RemoteAddrs: [`${leader.address}:2377`],
    JoinToken: token,
  });
}

async function expectAllReady(leader: Member, members: readonly Member[]): Promise<void> {
  const ready = (await listSwarmNodes(leader.socket)).filter(node => node.Status.State === "ready");
  const names = new Set(ready.map(node => node.Description.Hostname));
  const missing = members.filter(member => !names.has(member.name));
  if (missing.length > 0)
    throw new Error(`${missing.map(member => member.name).join(", ")} did not become ready in the swarm.`);
}

async function eventually<T>(attempt: () => Promise<T>, stop?: AbortSignal): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      stop?.throwIfAborted();
      if (Date.now() > deadline) throw cause;
      await sleep(50);
    }
  }
}
