import { networkInterfaces } from "node:os";
import { answers, askEngine, EngineError } from "./engine-api.ts";
import type { EngineInfo } from "./engine-api.ts";
import type { Fleet } from "./fleet.ts";
import { localEngineSocket } from "./settings.ts";

/**
 * A fleet of one node: a Docker engine that was there before. Only `docker` and `forward` work on
 * it; nothing of the machine is killed, paused or cut. `down` leaves the swarm if it was formed
 * here, and the engine as it was.
 */
export interface LocalFleet extends Fleet {
  /** Where the engine's socket is for a container of it that mounts it. */
  readonly socketOnNode: string;
  down(): Promise<void>;
}

/**
 * Uses the Docker engine that this user's docker client would use as a Swarm of one node. When the
 * engine is in no swarm, `ask` decides whether to form one. Undefined when there is no such engine
 * or the answer was no. Throws an Error when the engine is a worker of somebody's swarm, through
 * which nothing can be deployed, or one node of several: what is deployed would reach machines that
 * nobody spoke of.
 */
export async function adoptLocalEngine(options: {
  ask: () => Promise<boolean>;
  socket?: string;
}): Promise<LocalFleet | undefined> {
  const socket = options.socket ?? (await localEngineSocket());
  if (socket === undefined || !(await answers(socket))) return undefined;
  const before = await askEngine<EngineInfo>(socket, "GET", "/info");
  const wasInSwarm = before.Swarm.LocalNodeState === "active";
  if (!wasInSwarm) {
    if (!(await options.ask())) return undefined;
    await initSwarm(socket, hostAddress());
  }
  const { Name, Swarm } = wasInSwarm ? before : await askEngine<EngineInfo>(socket, "GET", "/info");
  if (!Swarm.ControlAvailable) {
    throw new Error(
      `The engine on ${socket} is a worker of a swarm: use an engine that is one of its managers, or leave that swarm.`,
    );
  }
  const nodes = await askEngine<readonly unknown[]>(socket, "GET", "/nodes");
  if (nodes.length > 1) {
    throw new Error(
      `The engine on ${socket} manages a swarm of ${nodes.length} nodes: this is for a swarm of that engine alone. For yours there is stack/README.md.`,
    );
  }
  return {
    name: "local",
    subnet: "127.0.0.0/8",
    hostAddress: "127.0.0.1",
    // An engine takes the loopback network as a registry without TLS, should somebody run one
    // there.
    registry: "127.0.0.1:5000",
    nodes: [{ name: Name, address: "127.0.0.1", socket, role: "manager", swarmId: Swarm.NodeID }],
    socketOnNode: isDesktop(before) ? "/var/run/docker.sock" : socket,
    down: () => (wasInSwarm ? Promise.resolve() : leaveSwarm(socket)),
  };
}

/**
 * An engine that is not in this host's network, in a machine or namespace of its own, refuses the
 * address and then finds its own.
 */
async function initSwarm(socket: string, address: string | undefined): Promise<void> {
  const at = address === undefined ? {} : { AdvertiseAddr: address };
  try {
    await askEngine(socket, "POST", "/swarm/init", { ListenAddr: `${address ?? "0.0.0.0"}:2377`, ...at, Spec: {} });
  } catch (cause) {
    if (address === undefined || !(cause instanceof EngineError)) throw cause;
    await initSwarm(socket, undefined);
  }
}

/**
 * An address of this host that containers reach too, which loopback is not: the node's published
 * ports are asked for there. Undefined where the engine runs in a machine of its own (not Linux):
 * it then finds its own.
 */
function hostAddress(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const addresses = Object.values(networkInterfaces()).flatMap(list => list ?? []);
  return addresses.find(each => each.family === "IPv4" && !each.internal)?.address;
}

/** Docker Desktop's engine runs in a machine of its own, whose paths are not those of this one. */
function isDesktop(info: EngineInfo): boolean {
  return info.OperatingSystem === "Docker Desktop";
}

async function leaveSwarm(socket: string): Promise<void> {
  try {
    await askEngine(socket, "POST", "/swarm/leave?force=1");
  } catch (cause) {
    // 503 is the engine's answer when it is in no swarm: somebody left it before us.
    if (!(cause instanceof EngineError && cause.status === 503)) throw cause;
  }
}
