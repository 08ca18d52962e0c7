import { join } from "node:path";
import type { SkepClient } from "@skep/sdk/client.ts";
import { connect } from "@skep/sdk/node.ts";
import { freePort, startChild, type Child } from "./child.ts";
import { eventually } from "./eventually.ts";
import { startMongodServer } from "./mongod-server.ts";
import { startMosquittoServer, type MosquittoServer } from "./mosquitto-server.ts";
import { startNatsServer } from "./nats-server.ts";
import { startStoreServer } from "./postgres.ts";
import { startTraefik, type Traefik } from "./traefik.ts";
import { startVersitygwServer } from "./versitygw-server.ts";

/** A scheduler, hosts, an edge and the engines of workspaces, each a process of its own. */
export interface WorkspaceRig {
  /** As an operator. */
  readonly client: SkepClient;
  readonly apiUrl: string;
  readonly token: string;
  readonly broker: MosquittoServer;
  readonly mongoUrl: string;
  readonly edge: Traefik;
  readonly hosts: readonly RigHost[];
  /** Begins `skep` with these words, as an operator. */
  skep(...words: readonly string[]): Child;
  /** All that the platform's processes wrote. */
  output(): string;
  close(): Promise<void>;
}

/** A host of the rig. */
export interface RigHost {
  readonly eventsPort: number;
  readonly child: Child;
}

const ROOT = join(import.meta.dirname, "../..");
const TOKEN = "a-token-of-this-test";
const HOST_SECRET = "the-secret-of-the-shared-hosts";

/** What `startWorkspaceRig` may be told. */
export interface RigOptions {
  readonly hosts?: number;
  /** For every host, beside what the rig sets. */
  readonly hostEnvironment?: Readonly<Record<string, string>>;
  readonly schedulerEnvironment?: Readonly<Record<string, string>>;
}

/** Starts all of it. Hosts come in by themselves: a workspace waits until one has. */
export async function startWorkspaceRig(options: RigOptions = {}): Promise<WorkspaceRig> {
  await using stack = new AsyncDisposableStack();
  const kept = <T extends { close(): Promise<unknown> }>(one: T): T => {
    stack.defer(async () => void (await one.close()));
    return one;
  };
  const [broker, nats, s3, mongod, postgres] = await Promise.all([
    startMosquittoServer().then(kept),
    startNatsServer().then(kept),
    startVersitygwServer().then(kept),
    startMongodServer().then(kept),
    startStoreServer().then(one => {
      stack.defer(() => one.server.close());
      return one;
    }),
  ]);
  const [apiPort, edgePort] = [await freePort(), await freePort()];
  const scheduler = startNode("packages/scheduler/src/main.ts", {
    ...{ SKEP_POSTGRES_HOST: postgres.server.host, SKEP_POSTGRES_PORT: String(postgres.server.port) },
    ...{ SKEP_POSTGRES_USER: postgres.server.user, SKEP_POSTGRES_DATABASE: await postgres.createDatabase() },
    ...{ SKEP_NATS_URL: nats.url, SKEP_API_TOKEN: TOKEN, SKEP_API_PORT: String(apiPort) },
    ...{ SKEP_EDGE_PORT: String(edgePort), SKEP_HOST_SECRET: HOST_SECRET },
    ...options.schedulerEnvironment,
  });
  stack.defer(() => scheduler.end("SIGKILL"));
  const [apiUrl, routes] = [`http://127.0.0.1:${apiPort}`, `http://127.0.0.1:${edgePort}/routes`];
  const hosts: RigHost[] = [];
  for (let count = options.hosts ?? 1; count > 0; count -= 1) {
    const eventsPort = await freePort();
    const child = startNode("packages/workspace/src/main.ts", {
      ...{ SKEP_URL: apiUrl, SKEP_HOST_SECRET: HOST_SECRET, SKEP_PROBE_PORT: "0" },
      ...{ SKEP_EVENTS_PORT: String(eventsPort), SKEP_MONGODB_URL: mongod.url, SKEP_MQTT_URL: broker.url },
      ...{ SKEP_S3_URL: s3.url, SKEP_S3_ACCESS_KEY: s3.accessKeyId, SKEP_S3_SECRET_KEY: s3.secretAccessKey },
      ...options.hostEnvironment,
    });
    stack.defer(() => child.end("SIGKILL"));
    hosts.push({ eventsPort, child });
  }
  const output = (): string => [scheduler, ...hosts.map(one => one.child)].map(one => one.output()).join("\n");
  await eventually(async () => {
    for (const url of [`${apiUrl}/readyz`, routes]) {
      const says = await fetch(url).then(({ status }) => status, String);
      if (says !== 200) throw new Error(`${url} says ${says}: ${output()}`);
    }
  }, 60_000);
  // An edge that is refused at first asks again ever more slowly.
  const edge = kept(await startTraefik(routes));
  const all = stack.move();
  return {
    ...{ client: connect({ url: apiUrl, token: TOKEN }), apiUrl, token: TOKEN, broker, mongoUrl: mongod.url },
    skep: (...words) => startNode("packages/cli/src/main.ts", { SKEP_URL: apiUrl, SKEP_TOKEN: TOKEN }, words),
    ...{ edge, hosts, output, close: () => all.disposeAsync() },
  };
}

function startNode(
  program: string,
  environment: Readonly<Record<string, string>>,
  words: readonly string[] = [],
): Child {
  return startChild(process.execPath, [join(ROOT, program), ...words], { env: { ...process.env, ...environment } });
}
