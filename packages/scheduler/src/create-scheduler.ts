import type { PortRange } from "@skep/core/model/host-ports.ts";
import type { PodSettings } from "@skep/core/workspace/pod-spec.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { Limits } from "@skep/core/model/resources.ts";
import type { Quota } from "@skep/core/model/tenant.ts";
import type { MigrationTimes } from "@skep/core/workspace/migration-state.ts";
import { encodeWake } from "@skep/api/codec/notice.ts";
import { SUBJECTS } from "@skep/api/subjects.ts";
import { createLoops, type LoopState } from "@skep/kit/loops.ts";
import type { IdSource } from "@skep/kit/random.ts";
import { createDial, type Dial } from "@skep/server/dial.ts";
import { createReservedDomains } from "./api/reserved-domains.ts";
import type { ApiDeps } from "./api/deps.ts";
import type { AskEdge } from "./edge/ask-edge.ts";
import { createEdgeWatch, type EdgeWatch } from "./edge/edge-watch.ts";
import { createRoutesView, ROUTES_MAX_AGE_MS, type RoutesView } from "./edge/routes-view.ts";
import { answerLogins, type JoinSecrets } from "./join/auth-callout.ts";
import { createHostTokens } from "./join/host-tokens.ts";
import { createPodSecrets } from "./join/pod-secrets.ts";
import { createAbsorb } from "./loop/absorb.ts";
import { createBeats, type Beats } from "./loop/beats.ts";
import { createFleetClock, type FleetClock } from "./loop/fleet-clock.ts";
import { createHints, type Hints } from "./loop/hints.ts";
import { createLeader, type Leader } from "./loop/leader.ts";
import { lead, type Command } from "./loop/lead.ts";
import type { LoopPorts, Running } from "./loop/ports.ts";
import { createRevocations, type Kick, type Revocations } from "./loop/revocations.ts";
import { createSenders } from "./loop/senders.ts";
import { createReplicas, type Replicas } from "./loop/replicas.ts";

/** Everything a scheduler is made from. Nothing here is opened or closed by it. */
export interface SchedulerDeps extends Omit<LoopPorts, "loops"> {
  readonly ids: IdSource;
  /** Name of this replica, for people; the same after a restart. */
  readonly name: string;
  readonly version: string;
  /**
   * How long the lease of a leader holds without renewal; a dead leader is followed within this
   * time.
   */
  readonly leaseMs?: number;
  /** How agents are let into the bus; `undefined` where the bus lets them in by itself. */
  readonly join?: JoinSecrets & { readonly kick: Kick };
  /** Whether a leader gives workspaces their hosts; it does not where absent. */
  readonly isHosting?: boolean;
  /** How long the stages of a workspace's move may take; as for a fleet where it is absent. */
  readonly moveTimes?: MigrationTimes;
  /** As in `ApiDeps`. */
  readonly podEdgePort?: number;
  /** What the pods of standalone workspaces are made of; none is made where it is absent. */
  readonly pods?: PodSettings;
  /** As in `ApiDeps`. */
  readonly whyNoPods?: string;
  /** Port at which every agent answers `/livez` to its peers. */
  readonly probePort?: number;
  /** How old the routes may be that are served to edges, in ms. */
  readonly routesMaxAgeMs?: number;
  /** Asks an edge which routes it holds; absent, nobody asks. */
  readonly askEdge?: AskEdge;
  /** Host ports that people may fix; none where absent. */
  readonly fixedPorts?: readonly PortRange[];
  /** The only domain at which workspaces are reached; any where absent. */
  readonly workspacesDomain?: string;
  /** Domains that nobody may take, beside those of nodes. */
  readonly reservedDomains?: readonly string[];
  /** Hosts inside that workspaces may have as their database or S3 server. */
  readonly databaseHosts?: readonly string[];
  /** Hosts of the platform's own network that webhooks may go to. */
  readonly webhookHosts?: readonly string[];
  /** How hosts of workspaces are called; over HTTP where it is absent. */
  readonly dial?: Dial;
  /** The bounds of a new tenant that names none; none where absent. */
  readonly defaultQuota?: Quota;
  /** The limits of a container that says none; core's where absent. */
  readonly defaultLimits?: Limits;
}

/**
 * One scheduler: the loops that every replica runs, and those of the leader when this one leads.
 */
export interface Scheduler {
  /** Begins all loops; they live through anything, so there is nothing to wait for. */
  start(): void;
  /** Ends them, gives the lease back, and waits for what is under way. */
  stop(): Promise<void>;
  /** What the API's handlers need. */
  readonly api: ApiDeps;
  /** What the edge serves. */
  readonly routes: RoutesView;
  /** The term in which this replica leads right now. */
  term(): number | undefined;
  /** How each of its loops is doing. */
  loops(): readonly LoopState[];
}

const LEASE_MS = 3_000;
const PROBE_PORT = 7702;
/** Polling, applying and one lost answer of an edge. */
const EDGE_SLACK_MS = 10_000;

interface Started {
  readonly hints: Hints;
  readonly beats: Beats;
  readonly revocations: Revocations;
  readonly replicas: Replicas;
  readonly leader: Leader;
  readonly edges: EdgeWatch | undefined;
  readonly all: readonly Running[];
}

/** What the others are told of a replica's part. */
function standing(command: Command | undefined): { readonly leading: boolean; readonly frozen: boolean } {
  return { leading: command !== undefined, frozen: command?.frozen() ?? false };
}

type Ports = SchedulerDeps & LoopPorts & { readonly clock: FleetClock };

/** The ports with the time that all schedulers agree on. */
function portsOf(deps: SchedulerDeps): Ports {
  const clock = createFleetClock(deps.clock);
  return {
    ...deps,
    clock,
    loops: createLoops({ clock, log: deps.log, random: deps.random }),
  };
}

/** What a replica hears agents by. */
function beginHearing(ports: Ports) {
  const revocations = createRevocations(ports, ports.join?.kick);
  const senders = createSenders(ports, revocations.isRevoked);
  const beats = createBeats(ports, senders);
  const logins = ports.join === undefined ? [] : [answerLogins(ports, beats, ports.join)];
  const hearing: Running = { close: async () => senders.close() };
  return { revocations, senders, beats, all: [hearing, revocations, ...logins] as readonly Running[] };
}

/**
 * Wires a scheduler out of its ports, without a socket or a file; a simulation runs several in one
 * process.
 */
export function createScheduler(deps: SchedulerDeps): Scheduler {
  const ports = portsOf(deps);
  const { bus, clock, loops, name, version, probePort = PROBE_PORT } = ports;
  const routes = createRoutesView(ports, deps.routesMaxAgeMs);
  let started: Started | undefined;
  let command: Command | undefined;

  /** The one that leads looks at once; the others pass it on. */
  function wake(because: string): void {
    if (command !== undefined) command.wake();
    else bus.publish(SUBJECTS.wake, encodeWake(because));
  }

  function start(): void {
    const hints = createHints(bus, clock);
    const { senders, revocations, beats, all } = beginHearing(ports);
    const holder = deps.ids("scheduler");
    const replicas = createReplicas(ports, () => ({ name, version, holder, ...standing(command) }));
    const absorb = createAbsorb(ports, { beats, hints, senders, wake, records: routes });
    const waking = bus.subscribe(SUBJECTS.wake, () => command?.wake());
    const leader = createLeader(ports, {
      holder,
      ttlMs: deps.leaseMs ?? LEASE_MS,
      onAnswer: lease => clock.heard(lease.at),
      lead: leadership => {
        const mine = lead(ports, {
          leadership,
          beats,
          hints,
          senders,
          revocations,
          probePort,
          isHosting: deps.isHosting ?? false,
          moveTimes: deps.moveTimes,
          pods: { settings: deps.pods, secretsOf: createPodSecrets(createHostTokens(ports)) },
          onFreeze: () => replicas.tell(),
        });
        command = mine;
        replicas.tell();
        return {
          close: () => {
            if (command === mine) command = undefined;
            replicas.tell();
            return mine.close();
          },
        };
      },
    });
    routes.follow(hints, beats);
    const edges = watchEdges(ports, routes, () => command !== undefined);
    const woken: Running = { close: async () => waking.close() };
    const others = [woken, absorb, replicas, routes, ...all, ...(edges === undefined ? [] : [edges])];
    started = { hints, beats, revocations, replicas, leader, edges, all: others };
  }

  return {
    start,
    stop: async () => {
      if (started === undefined) return;
      const { leader, hints, beats, all } = started;
      started = undefined;
      await leader.close();
      await Promise.all([...all, beats, hints].map(one => one.close()));
    },
    routes,
    term: () => started?.leader.term(),
    loops: () => loops.states(),
    api: apiOf(ports, routes, () => started, wake),
  };
}

const NO_QUOTA: Quota = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };

/** What the API's handlers need of a scheduler that has started, or not yet. */
function apiOf(
  ports: Ports,
  routes: RoutesView,
  started: () => Started | undefined,
  wake: (because: string) => void,
): ApiDeps {
  const { store, bus, clock, log, name, version, fixedPorts = [], ids, settings } = ports;
  const { defaultQuota = NO_QUOTA, defaultLimits = DEFAULT_RESOURCES, databaseHosts = [], webhookHosts = [] } = ports;
  return {
    ...{ store, bus, clock, log, version, fixedPorts, defaultQuota, defaultLimits, databaseHosts, webhookHosts },
    reservedDomains: createReservedDomains(ports, reservedOf(ports)),
    ...{ placement: settings, moveTimes: ports.moveTimes, podEdgePort: ports.podEdgePort, whyNoPods: ports.whyNoPods },
    replica: name,
    wake: because => {
      wake(because);
      started()?.hints.tell({});
    },
    hints: { subscribe: handle => started()?.hints.subscribe(handle) ?? { close: () => undefined } },
    frozen: () => started()?.replicas.frozen() ?? false,
    edgeWarnings: () => started()?.edges?.warnings() ?? [],
    replicas: () => started()?.replicas.seen() ?? [],
    heardNodes: () => [...(started()?.beats.all().keys() ?? [])],
    silentMs: nodeId => started()?.beats.silentMs(nodeId) ?? 0,
    clones: () => started()?.beats.clones() ?? [],
    unproven: () => routes.unproven(),
    refusals: () => started()?.beats.refusals() ?? [],
    keysChanged: () => started()?.revocations.soon(),
    dial: ports.dial ?? createDial(),
    newId: () => ids("id"),
  };
}

function reservedOf({ reservedDomains = [], workspacesDomain }: SchedulerDeps): readonly string[] {
  return workspacesDomain === undefined ? reservedDomains : [...reservedDomains, workspacesDomain];
}

function watchEdges(ports: Ports, routes: RoutesView, isTelling: () => boolean): EdgeWatch | undefined {
  const { askEdge, routesMaxAgeMs = ROUTES_MAX_AGE_MS } = ports;
  if (askEdge === undefined) return undefined;
  return createEdgeWatch(ports, { routes, askEdge, lateAfterMs: routesMaxAgeMs + EDGE_SLACK_MS, isTelling });
}
