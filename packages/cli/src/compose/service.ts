import type { PortSpec } from "@skep/core/model/deployment.ts";
import { readDeploy, readLabels, readRestart, setResources } from "./deploy-section.ts";
import { emptyDraft } from "./draft.ts";
import type { Reading, ServiceDraft } from "./draft.ts";
import { readEnvFiles, readEnvironment } from "./environment.ts";
import { readExtension } from "./extension.ts";
import { readHealthcheck } from "./health.ts";
import { readMounts, readTmpfs } from "./mounts.ts";
import { readExpose, readPorts } from "./ports.ts";
import { readSection } from "./section.ts";
import type { Section } from "./section.ts";
import type { Entry, Place, Spot } from "./tree.ts";
import { readBoolean, readBytes, readCommand, readCores, readDuration, readInteger, readText } from "./values.ts";
import { IGNORED_IN_SERVICE, REFUSED_IN_SERVICE } from "./verdicts.ts";

/** One entry of `services`. */
export function readService(entry: Entry, reading: Reading): ServiceDraft {
  const draft = emptyDraft(entry.key, entry, entry.value);
  const { problems } = reading;
  const layers: Layers = { fileEnv: {}, env: {}, deployLabels: {}, labels: {}, ports: [], tmpfs: [] };
  const section: Section = {
    name: "a service",
    keys: { ...containerKeys(draft, layers, reading), ...podKeys(draft, layers, reading) },
    refused: REFUSED_IN_SERVICE,
    ignored: IGNORED_IN_SERVICE,
  };
  readSection(entry.value, section, problems);
  const { container } = draft;
  // What stands nearer to the container wins: `environment` over `env_file`, `labels` over
  // `deploy.labels`.
  container.env = { ...layers.fileEnv, ...layers.env };
  container.labels = { ...layers.deployLabels, ...layers.labels };
  container.tmpfs = [...container.tmpfs, ...layers.tmpfs];
  container.ports = unique(layers.ports);
  if (entry.value.kind === "map" && !entry.value.entries.has("image") && !entry.value.entries.has("build"))
    problems.refuse(entry, `the service \`${entry.key}\` has no image`, "Add `image: name:tag`");
  return draft;
}

/** Parts of a container that several keys fill. */
interface Layers {
  fileEnv: Readonly<Record<string, string>>;
  env: Readonly<Record<string, string>>;
  deployLabels: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  readonly ports: PortSpec[];
  readonly tmpfs: string[];
}

function containerKeys(draft: ServiceDraft, layers: Layers, reading: Reading): Section["keys"] {
  const { container } = draft;
  const { problems } = reading;
  return {
    image: value => {
      container.image = readText(value, problems) ?? "";
      if (/\s/.test(container.image))
        problems.refuse(value, "an image name has no blanks", "Write it like `nginx:1.27`");
    },
    command: value => (container.command = readCommand(value, problems)),
    entrypoint: value => (container.entrypoint = readCommand(value, problems)),
    environment: value => (layers.env = readEnvironment(value, reading)),
    env_file: value => (layers.fileEnv = readEnvFiles(value, reading)),
    labels: value => (layers.labels = readLabels(value, reading)),
    ports: value => layers.ports.push(...readPorts(value, problems)),
    expose: value => layers.ports.push(...readExpose(value, problems)),
    healthcheck: (value, key) => {
      if (container.health !== undefined)
        problems.refuse(key, "the service has a `healthcheck` and a probe", "Keep one of them");
      container.health = readHealthcheck(value, problems);
    },
    stop_signal: value => (container.stopSignal = readText(value, problems)),
    user: value => (container.user = readText(value, problems)),
    working_dir: value => (container.workingDir = readText(value, problems)),
    read_only: value => (container.readOnly = readBoolean(value, problems) ?? false),
    tmpfs: value => layers.tmpfs.push(...readTmpfs(value, reading)),
    volumes: value => {
      const mounts = readMounts(value, reading);
      container.volumes = mounts.volumes;
      layers.tmpfs.push(...mounts.tmpfs);
    },
    // Read before: here one of them is chosen.
    profiles: () => undefined,
    ...shortResourceKeys(draft, reading),
  };
}

/** The forms of limits from before `deploy.resources`, which many files still use. */
function shortResourceKeys(draft: ServiceDraft, { problems }: Reading): Section["keys"] {
  const set = <K extends string>(key: K, value: number | undefined): void => {
    if (value !== undefined) setResources(draft, { [key]: value });
  };
  return {
    cpus: value => set("cpuMillis", readCores(value, problems)),
    mem_limit: value => set("memoryBytes", readBytes(value, problems)),
    mem_reservation: value => set("reserveMemoryBytes", readBytes(value, problems)),
    pids_limit: value => set("pids", readInteger(value, problems, 1, 1_000_000)),
  };
}

function podKeys(draft: ServiceDraft, layers: Layers, reading: Reading): Section["keys"] {
  const { problems } = reading;
  const ofPod = (read: (value: Spot) => void) => (value: Spot, key: Place) => {
    draft.podKeys.push(key);
    read(value);
  };
  return {
    network_mode: value => readNetworkMode(value, draft, reading),
    deploy: value => (layers.deployLabels = readDeploy(value, draft, reading)),
    scale: ofPod(value => (draft.replicas = readInteger(value, problems, 0, 10_000))),
    restart: ofPod(value => readRestart(value, draft, reading)),
    stop_grace_period: ofPod(value => (draft.stopGraceMs = readDuration(value, problems) ?? draft.stopGraceMs)),
    "x-skep": value => readExtension(value, draft, reading),
  };
}

function readNetworkMode(spot: Spot, draft: ServiceDraft, { problems }: Reading): void {
  const text = readText(spot, problems);
  if (text === undefined) return;
  if (text.startsWith("service:")) draft.joins = { service: text.slice("service:".length), place: spot };
  else if (text === "host")
    problems.refuse(
      spot,
      "the host's own network cannot be used",
      "Remove it; each published port gets a port of the node",
    );
  else if (text !== "bridge" && text !== "default")
    problems.refuse(
      spot,
      `the network mode \`${text}\` is not supported`,
      'Remove it, or join a pod with "service:name"',
    );
}

/** One entry per port and protocol; one that fixes the node's port wins. */
function unique(ports: readonly PortSpec[]): readonly PortSpec[] {
  const found = new Map<string, PortSpec>();
  for (const port of ports) {
    const key = `${port.containerPort}/${port.protocol}`;
    if (found.get(key)?.hostPort === undefined) found.set(key, port);
  }
  return [...found.values()];
}
