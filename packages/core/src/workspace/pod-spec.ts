import type { ContainerSpec, DeploymentId, DeploymentSpec, HealthCheck } from "../model/deployment.ts";
import type { Resources } from "../model/resources.ts";
import { BROKER_ACCESS, brokerConfig } from "./broker-files.ts";
import { limitsOf, type Connector } from "./connector.ts";
import { POD_EVENTS_PORT, POD_FILES_PORT, POD_MQTT_PORT, podName, workspaceOfPod } from "./pod.ts";
import { sizeOf } from "./sizing.ts";

/** What an operator says of pods. */
export interface PodSettings {
  /** Where pods reach the schedulers, commas between several. */
  readonly apiUrl: string;
  readonly images: Readonly<Record<"workspace" | "mosquitto" | "mongo" | "versitygw", string>>;
  /** Hosts inside that a tenant's own database or S3 server may be on. */
  readonly databaseHosts: readonly string[];
  /** And those that webhooks may go to, also by plain HTTP. */
  readonly webhookHosts: readonly string[];
}

/** What a pod shows, and is shown; all of it is of this workspace only. */
export interface PodSecrets {
  /** With what its host enrols. */
  readonly host: string;
  /** Of its host, at its broker. */
  readonly broker: string;
  /** Mosquitto's password file: digests. */
  readonly passwords: string;
  /** Of its host, at its S3 server. */
  readonly files: string;
}

/** Variables of a pod's containers that are shown to nobody. */
const SECRETS: readonly string[] = [
  ...["PASSWORDS", "ROOT_SECRET_KEY", "SKEP_HOST_SECRET", "SKEP_MQTT_PASSWORD", "SKEP_S3_SECRET_KEY"],
];

const MB = 1024 * 1024;
const BROKER_FILES = "/run/skep";
/**
 * What the broker took since it last wrote goes with its node, and so does a session that is newer.
 * Without the host's session a broker acknowledges what nobody reads.
 */
const AUTOSAVE_S = 5;
/** Its queues of 256 MB, and what it is itself. */
const BROKER_MB = 384;
/** The S3 server passes files on in pieces and keeps none of them. */
const FILES_MB = 192;
/** MongoDB begins with no less, and a pod needs no more of it than a server of its own would. */
const DATABASE_MB = { least: 512, most: 4_096 };
/** Who reaches a node's ports from inside says for whom. */
const PRIVATE_NETWORKS = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16";

/**
 * What runs a standalone workspace: its host, its broker, and its files and its database where the
 * tenant has none of his own (R85). The host reaches the others by the loopback of the pod, and
 * database and files listen nowhere else, so that the database needs no password. Secrets are in
 * the environment, never in a command.
 */
export function podSpec(connector: Connector, settings: PodSettings, secrets: PodSecrets): DeploymentSpec {
  const { database, files } = connector.config.resources.specs;
  const hasDatabase = database.url === undefined;
  const hasFiles = files === undefined;
  return {
    name: podName(connector.id),
    replicas: 1,
    containers: [
      hostOf(connector, settings, secrets),
      brokerOf(settings, secrets),
      ...(hasFiles ? [filesOf(settings, secrets)] : []),
      ...(hasDatabase ? [databaseOf(connector, settings)] : []),
    ],
    placement: { strategy: "least-loaded", constraints: [], maxPerNode: undefined, antiAffinity: [] },
    restart: { condition: "any", delayMs: 1_000, maxDelayMs: 30_000, maxAttempts: undefined, windowMs: 60_000 },
    // Its volumes are one writer's.
    update: { order: "stop-first", parallelism: 1 },
    // A broker and a database write what they hold as they end.
    stopGraceMs: 60_000,
    exclusive: undefined,
    project: undefined,
    service: undefined,
    // Its broker and its database are for nobody but itself.
    networks: [{ name: podName(connector.id), aliases: [], isInternal: false }],
    source: undefined,
    dependsOn: [],
    mode: "replicated",
    job: undefined,
  };
}

function hostOf(connector: Connector, settings: PodSettings, secrets: PodSecrets): ContainerSpec {
  const { memoryMb } = sizeOf({ devices: 0, messagesPerDay: 0, connections: limitsOf(connector).sockets });
  const { database, files } = connector.config.resources.specs;
  const ownDatabase = { SKEP_MONGODB_URL: "mongodb://127.0.0.1:27017/?replicaSet=rs", SKEP_MONGODB_INITIATE: "yes" };
  const ownFiles = { SKEP_S3_URL: `http://127.0.0.1:${POD_FILES_PORT}`, SKEP_S3_SECRET_KEY: secrets.files };
  return {
    ...container("host", settings.images.workspace, memoryMb, ["healthy", "7703", "/livez"]),
    command: ["node", "/app/host.mjs"],
    env: {
      ...{ SKEP_URL: settings.apiUrl, SKEP_HOST_SECRET: secrets.host, SKEP_HOST_WORKSPACES: "1" },
      ...{ SKEP_MQTT_URL: `mqtt://127.0.0.1:${POD_MQTT_PORT}`, SKEP_MQTT_USERNAME: "host" },
      ...{ SKEP_MQTT_PASSWORD: secrets.broker, SKEP_EVENTS_PORT: String(POD_EVENTS_PORT) },
      ...{ SKEP_TRUSTED_PROXIES: PRIVATE_NETWORKS, SKEP_ALLOWED_DATABASE_HOSTS: settings.databaseHosts.join(",") },
      SKEP_ALLOWED_WEBHOOK_HOSTS: settings.webhookHosts.join(","),
      ...(files === undefined ? ownFiles : {}),
      ...(database.url === undefined ? ownDatabase : {}),
    },
    ports: [{ containerPort: POD_EVENTS_PORT, protocol: "tcp", hostPort: undefined }],
  };
}

/** The files come from the environment: an image that others publish is used as it is. */
function brokerOf({ images }: PodSettings, { passwords }: PodSecrets): ContainerSpec {
  const files = ["passwords", "access", "mosquitto.conf"];
  const write = files.map(file => `printf %s "$${variableOf(file)}" > ${BROKER_FILES}/${file}`);
  const config = [
    ...["per_listener_settings true", `listener ${POD_MQTT_PORT}`, brokerConfig(BROKER_FILES).trim()],
    ...["persistence true", "persistence_location /mosquitto/data/", `autosave_interval ${AUTOSAVE_S}`],
    ...["log_dest stderr", "connection_messages false", ""],
  ];
  const probe = `nc -z 127.0.0.1 ${POD_MQTT_PORT} 2>/dev/null || bash -c '</dev/tcp/127.0.0.1/${POD_MQTT_PORT}'`;
  return {
    ...container("mosquitto", images.mosquitto, BROKER_MB, ["sh", "-c", probe]),
    command: ["sh", "-c", ["umask 077", ...write, `exec mosquitto -c ${BROKER_FILES}/mosquitto.conf`].join(" && ")],
    env: { PASSWORDS: passwords, ACCESS: BROKER_ACCESS, MOSQUITTO_CONF: config.join("\n") },
    user: "1883:1883",
    ports: [{ containerPort: POD_MQTT_PORT, protocol: "tcp", hostPort: undefined }],
    volumes: [{ name: "broker", target: "/mosquitto/data", readOnly: false }],
    tmpfs: [{ target: BROKER_FILES }],
  };
}

function variableOf(file: string): string {
  return file.toUpperCase().replace(".", "_");
}

/** As in the stack, its user is root, who owns the volume. */
function filesOf({ images }: PodSettings, { files }: PodSecrets): ContainerSpec {
  const address = `127.0.0.1:${POD_FILES_PORT}`;
  return {
    ...container("versitygw", images.versitygw, FILES_MB, [
      "wget",
      "-q",
      "-O",
      "/dev/null",
      `http://${address}/health`,
    ]),
    entrypoint: ["versitygw"],
    command: ["--port", address, "--health", "/health", "posix", "/data"],
    // Who runs the pod knows the name of the key: it is the host's own default.
    env: { ROOT_ACCESS_KEY: "skep", ROOT_SECRET_KEY: files, GOMEMLIMIT: `${(FILES_MB * 3) / 4}MiB` },
    volumes: [{ name: "files", target: "/data", readOnly: false }],
  };
}

function databaseOf(connector: Connector, { images }: PodSettings): ContainerSpec {
  const wantedMb = 256 + Math.ceil(connector.config.resources.specs.database.size / 4);
  const memoryMb = Math.min(DATABASE_MB.most, Math.max(DATABASE_MB.least, wantedMb));
  // Half of what is left beside the connections and the file system's own cache; 0.25 at least.
  const cacheGb = Math.max(0.25, Math.floor(((memoryMb - 256) / 2 / 1_024) * 100) / 100);
  return {
    ...container("mongod", images.mongo, memoryMb, ["bash", "-c", "</dev/tcp/127.0.0.1/27017"]),
    command: [
      ...["mongod", "--replSet=rs", "--bind_ip=127.0.0.1", "--dbpath=/data/db", "--nounixsocket"],
      `--wiredTigerCacheSizeGB=${cacheGb}`,
    ],
    user: "999:999",
    volumes: [{ name: "database", target: "/data/db", readOnly: false }],
    tmpfs: [{ target: "/tmp" }],
  };
}

function container(name: string, image: string, memoryMb: number, probe: readonly string[]): ContainerSpec {
  return {
    ...{ name, image, entrypoint: undefined, command: undefined, env: {}, labels: {}, workingDir: undefined },
    ...{ user: undefined, readOnly: true, stopSignal: undefined, ports: [], volumes: [], tmpfs: [] },
    resources: resourcesOf(memoryMb),
    health: healthBy(probe),
  };
}

function resourcesOf(memoryMb: number): Resources {
  const memoryBytes = memoryMb * MB;
  return { cpuMillis: 1_000, memoryBytes, pids: 512, reserveCpuMillis: 0, reserveMemoryBytes: memoryBytes / 4 };
}

function healthBy(test: readonly string[]): HealthCheck {
  const probe = { kind: "docker", test: ["CMD", ...test] } as const;
  return { probe, intervalMs: 5_000, timeoutMs: 5_000, retries: 3, startPeriodMs: 60_000 };
}

/** The spec as people see it: a pod is shown without its secrets. */
export function withoutSecrets(deploymentId: DeploymentId, spec: DeploymentSpec): DeploymentSpec {
  if (workspaceOfPod(deploymentId) === undefined) return spec;
  const containers = spec.containers.map(one => {
    const env = Object.entries(one.env).map(([key, value]) => [key, SECRETS.includes(key) ? "***" : value]);
    return { ...one, env: Object.fromEntries(env) as ContainerSpec["env"] };
  });
  return { ...spec, containers };
}
