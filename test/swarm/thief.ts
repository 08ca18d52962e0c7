import { connect, type NatsConnection } from "nats";
import { docker } from "@skep/devswarm/fleet.ts";
import { nodeInbox } from "@skep/api/subjects.ts";
import { signedLogin } from "@skep/kit/nats-keys.ts";
import { nodeOf, type Platform } from "./platform.ts";
import { openTunnel } from "./tunnel.ts";

/** Somebody who took over a node's agent and speaks to the bus by a client of his own. */
export interface Thief {
  readonly connection: NatsConnection;
  /**
   * What the server says about an action: its refusal, or `allowed` after a round trip without one.
   */
  verdict(act: (connection: NatsConnection) => void): Promise<string>;
  close(): Promise<void>;
}

/** The container of a node's agent. @throws Error where the node runs none. */
export async function agentContainer(platform: Platform, node: string): Promise<string> {
  const filter = "label=com.docker.swarm.service.name=skep_agent";
  const [id] = (await docker(platform.fleet, node, ["ps", "-q", "--no-trunc", "--filter", filter])).split("\n");
  if (id === undefined || id === "") throw new Error(`${node} runs no agent`);
  return id;
}

/** Logs in with all that a node's agent has: its key, the join secret, its place in the net. */
export async function stealAgent(platform: Platform, name: string): Promise<Thief> {
  const node = nodeOf(platform.fleet, name);
  const agent = await agentContainer(platform, name);
  const read = async (path: string): Promise<string> =>
    (await docker(platform.fleet, name, ["exec", agent, "cat", path])).trim();
  const seed = await read(`/var/lib/skep/node-${node.swarmId}.key`);
  const password = await read("/run/secrets/nats_join_secret");
  const tunnel = await openTunnel(node, agent, { host: "nats", port: 4222 });
  const connection = await connect({
    servers: `127.0.0.1:${tunnel.port}`,
    authenticator: signedLogin(seed, { user: node.swarmId, password }),
    inboxPrefix: nodeInbox(node.swarmId),
    ...{ name: "thief", reconnect: false, ignoreClusterUpdates: true },
  });
  return {
    connection,
    verdict: act => verdict(connection, act),
    close: async () => {
      await connection.close();
      tunnel.close();
    },
  };
}

async function verdict(connection: NatsConnection, act: (connection: NatsConnection) => void): Promise<string> {
  const refusal = (async () => {
    for await (const status of connection.status()) if (status.type === "error") return String(status.error.message);
    return "closed";
  })();
  act(connection);
  // The server answers in order: its refusal is there before the answer to the ping.
  const roundTrip = connection.flush().then(() => new Promise<string>(done => setTimeout(done, 50, "allowed")));
  return Promise.race([refusal, roundTrip]);
}
