import { docker } from "@skep/devswarm/fleet.ts";
import { databaseName } from "@skep/workspace/database/name.ts";
import { HOSTS_USER } from "@skep/workspace/replica-set/hosts-user.ts";
import { MongoClient, type Db } from "mongodb";
import { nodeOf, type Platform } from "./platform.ts";
import { openTunnel } from "./tunnel.ts";

/** The databases of the stack's MongoDB, which no network of this machine leads to. */
export interface StackDatabase {
  of(workspaceId: string): Db;
  close(): Promise<void>;
}

/** Comes as the hosts do, through what made the replica set, which is on the server's own node. */
export async function openStackDatabase(platform: Platform): Promise<StackDatabase> {
  const filter = "label=com.docker.swarm.service.name=skep_mongod-init";
  const container = (await docker(platform.fleet, "node-1", ["ps", "-q", "--no-trunc", "--filter", filter])).trim();
  const tunnel = await openTunnel(nodeOf(platform.fleet, "node-1"), container, { host: "mongod", port: 27_017 });
  const auth = { username: HOSTS_USER, password: await platform.secret("mongodb_password") };
  const client = new MongoClient(`mongodb://127.0.0.1:${tunnel.port}/?directConnection=true`, { auth });
  return {
    of: workspaceId => client.db(databaseName(workspaceId)),
    close: async () => {
      await client.close();
      tunnel.close();
    },
  };
}
