import { docker } from "@skep/devswarm/fleet.ts";
import { databaseName } from "@skep/workspace/database/name.ts";
import { HOSTS_USER } from "@skep/workspace/replica-set/hosts-user.ts";
import { MongoClient, type Db, type MongoClientOptions } from "mongodb";
import { nodeOf, type Platform } from "./platform.ts";
import { openTunnel } from "./tunnel.ts";

/** Databases of workspaces, which no network of this machine leads to. */
export interface ReachedDatabase {
  of(workspaceId: string): Db;
  close(): Promise<void>;
}

/** The stack's, through what made its replica set, which is on the server's own node. */
export async function openStackDatabase(platform: Platform): Promise<ReachedDatabase> {
  const filter = "label=com.docker.swarm.service.name=skep_mongod-init";
  const password = await platform.secret("mongodb_password");
  return openDatabase(platform, "node-1", filter, "mongod", { auth: { username: HOSTS_USER, password } });
}

/** That of a standalone workspace, through the host in its pod. */
export function openPodDatabase(platform: Platform, node: string, deploymentId: string): Promise<ReachedDatabase> {
  return openDatabase(platform, node, `label=skep.deployment=${deploymentId}`, "127.0.0.1", {});
}

async function openDatabase(
  platform: Platform,
  node: string,
  filter: string,
  host: string,
  options: MongoClientOptions,
): Promise<ReachedDatabase> {
  const listed = await docker(platform.fleet, node, [
    "ps",
    "--no-trunc",
    "--filter",
    filter,
    "--format",
    "{{.ID}} {{.Image}}",
  ]);
  const container =
    listed
      .split("\n")
      .find(line => line.includes("skep/workspace"))
      ?.split(" ")[0] ?? "";
  const tunnel = await openTunnel(nodeOf(platform.fleet, node), container, { host, port: 27_017 });
  const client = new MongoClient(`mongodb://127.0.0.1:${tunnel.port}/?directConnection=true`, options);
  return {
    of: workspaceId => client.db(databaseName(workspaceId)),
    close: async () => {
      await client.close();
      tunnel.close();
    },
  };
}
