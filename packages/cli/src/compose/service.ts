import { BOUNDS } from "@skep/core/model/bounds.ts";
import type { TmpfsMount } from "@skep/core/model/container-options.ts";
import {
  liftLimits,
  readDeploy,
  readLabels,
  readLimit,
  readReplicas,
  readReservation,
  readRestart,
} from "./deploy-section.ts";
import { emptyDraft } from "./draft.ts";
import type { Reading, ServiceDraft } from "./draft.ts";
import { readExtraHosts, readPlatform, readShmSize, readSysctls, readUlimits } from "./container-options.ts";
import { readEnvFiles, readEnvironment } from "./environment.ts";
import type { Texts } from "./environment.ts";
import { readExtension } from "./extension.ts";
import { readHealthcheck } from "./health.ts";
import { readLogging } from "./logging.ts";
import { readMounts } from "./mounts.ts";
import { serviceName } from "./names.ts";
import { readJoined } from "./networks.ts";
import { onePerPort, readExpose, readPorts } from "./ports.ts";
import type { ReadPort } from "./ports.ts";
import type { Place } from "./problems.ts";
import { readBuild, readEntrypoint } from "./program.ts";
import { readSection } from "./section.ts";
import type { Section } from "./section.ts";
import { droppedBy, readCapabilities, readLinks, readSecurity } from "./security.ts";
import { below, isNothing } from "./spots.ts";
import type { Entry, Spot } from "./spots.ts";
import { readBoolean, readCommand, readDurationWithin, readText } from "./values.ts";
import { readTmpfs } from "./tmpfs.ts";
import { IGNORED_IN_SERVICE, NETWORKS_LATER, REFUSED_IN_SERVICE } from "./verdicts.ts";

/** One entry of `services`. */
export function readService(entry: Entry, reading: Reading): ServiceDraft {
  const draft = emptyDraft(entry.key, serviceName(entry.key), entry, entry.value, reading.limits);
  const { problems } = reading;
  const layers: Layers = { env: {}, deployLabels: {}, labels: {}, ports: [], tmpfs: [], capAdd: [], capDrop: [] };
  const section: Section = {
    name: "a service",
    keys: { ...containerKeys(draft, layers, reading), ...podKeys(draft, layers, reading) },
    refused: REFUSED_IN_SERVICE,
    ignored: IGNORED_IN_SERVICE,
  };
  const whole = withoutEmpty(entry.value, section);
  readSection(whole, section, problems);
  const { container } = draft;
  const [envFiles, labelFiles] = [below(whole, "env_file"), below(whole, "label_file")];
  // What stands nearer to the container wins: `environment` over `env_file`, `labels` over
  // `deploy.labels`.
  container.env = { ...(envFiles === undefined ? {} : readEnvFiles(envFiles, layers.env, reading)), ...layers.env };
  const fileLabels = labelFiles === undefined ? {} : readEnvFiles(labelFiles, {}, reading);
  container.labels = { ...fileLabels, ...layers.deployLabels, ...layers.labels };
  container.tmpfs = [...container.tmpfs, ...layers.tmpfs];
  container.ports = onePerPort(layers.ports, problems);
  container.dropCapabilities = droppedBy(layers.capDrop, layers.capAdd);
  noteMesh(draft, layers.ports);
  readEntrypoint(draft, reading);
  liftLimits(draft);
  if (
    entry.value.kind === "map" &&
    below(entry.value, "image") === undefined &&
    below(entry.value, "build") === undefined
  )
    problems.refuse(
      { at: entry.at, path: `${entry.path}.image` },
      `the service \`${entry.key}\` has no image`,
      "Add `image: name:tag`",
    );
  return draft;
}

/** A known key with nothing says nothing, as if it were not there. */
function withoutEmpty(value: Spot, { keys }: Section): Spot {
  if (value.kind !== "map") return value;
  const said = [...value.entries].filter(([key, entry]) => !isNothing(entry.value) || !Object.hasOwn(keys, key));
  return { ...value, entries: new Map(said) };
}

/** Parts of a container that several keys fill. */
interface Layers {
  env: Texts;
  deployLabels: Texts;
  labels: Texts;
  readonly ports: ReadPort[];
  readonly tmpfs: TmpfsMount[];
  readonly capAdd: string[];
  readonly capDrop: string[];
}

function noteMesh(draft: ServiceDraft, ports: readonly ReadPort[]): void {
  for (const { port, place, mode } of ports)
    if (port.hostPort !== undefined && mode !== "host" && (mode === "ingress" || (draft.replicas ?? 1) > 1))
      draft.meshed.push(place);
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
    build: (_, key) => readBuild(draft, key, problems),
    command: value => (container.command = readCommand(value, problems)),
    entrypoint: value => (container.entrypoint = readCommand(value, problems)),
    environment: value => (layers.env = readEnvironment(value, reading)),
    labels: value => (layers.labels = readLabels(value, reading)),
    // Read when the rest is known.
    env_file: () => undefined,
    label_file: () => undefined,
    ports: value => layers.ports.push(...readPorts(value, problems)),
    expose: value => draft.exposed.push(...readExpose(value, problems)),
    healthcheck: (value, key) => {
      if (container.health !== undefined)
        problems.refuse(key, "the service has a `healthcheck` and a probe", "Keep one of them");
      container.health = readHealthcheck(value, problems) ?? container.health;
    },
    // Engines take it in any case, and the platform in theirs.
    stop_signal: value => (container.stopSignal = readText(value, problems)?.toUpperCase()),
    user: value => (container.user = readText(value, problems)),
    working_dir: value => (container.workingDir = readText(value, problems)),
    read_only: value => (container.readOnly = readBoolean(value, problems) ?? false),
    tmpfs: value => layers.tmpfs.push(...readTmpfs(value, reading)),
    volumes: value => {
      const mounts = readMounts(value, reading);
      container.volumes = mounts.volumes;
      layers.tmpfs.push(...mounts.tmpfs);
    },
    security_opt: value => readSecurity(value, problems),
    cap_add: value => layers.capAdd.push(...readCapabilities(value, "cap_add", problems)),
    cap_drop: value => layers.capDrop.push(...readCapabilities(value, "cap_drop", problems)),
    links: value => draft.links.push(...readLinks(value, problems)),
    // They decided which services are read, and what is said of them.
    profiles: () => undefined,
    depends_on: () => undefined,
    init: value => (container.init = readBoolean(value, problems) || undefined),
    shm_size: value => (container.shmBytes = readShmSize(value, problems)),
    ulimits: value => (container.ulimits = readUlimits(value, problems)),
    logging: value => (container.logging = readLogging(value, problems)),
    platform: value => (draft.platform = readPlatform(value, problems)),
    ...shortResourceKeys(draft, reading),
  };
}

/** The forms of limits from before `deploy.resources`, which many files still use. */
function shortResourceKeys(draft: ServiceDraft, reading: Reading): Section["keys"] {
  return {
    cpus: value => readLimit(value, "cpuMillis", draft, reading),
    mem_limit: value => readLimit(value, "memoryBytes", draft, reading),
    mem_reservation: value => readReservation(value, "reserveMemoryBytes", draft, reading),
    pids_limit: value => readLimit(value, "pids", draft, reading),
  };
}

function podKeys(draft: ServiceDraft, layers: Layers, reading: Reading): Section["keys"] {
  const { problems } = reading;
  const { container } = draft;
  const ofPod = (read: (value: Spot, key: Place) => void) => (value: Spot, key: Place) => {
    draft.podKeys.push(key);
    read(value, key);
  };
  return {
    networks: ofPod((value, key) => {
      draft.joined.push(...readJoined(value, problems));
      problems.note(key, "`networks` parts nothing yet", NETWORKS_LATER);
    }),
    network_mode: value => readNetworkMode(value, draft, reading),
    deploy: value => (layers.deployLabels = readDeploy(value, draft, reading)),
    hostname: ofPod(value => (container.hostname = readText(value, problems))),
    domainname: ofPod(value => (container.domainname = readText(value, problems))),
    extra_hosts: ofPod(value => (container.extraHosts = readExtraHosts(value, problems))),
    sysctls: ofPod(value => (container.sysctls = readSysctls(value, problems))),
    scale: ofPod(value => readReplicas(value, draft, reading)),
    restart: ofPod(value => readRestart(value, draft, reading)),
    stop_grace_period: ofPod(value => {
      draft.stopGraceMs = readDurationWithin(value, problems, BOUNDS.stopGraceMs) ?? draft.stopGraceMs;
    }),
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
