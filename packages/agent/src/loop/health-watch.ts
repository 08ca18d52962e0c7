import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import { isEngineProbe } from "@skep/core/model/deployment.ts";
import type { HealthCheck } from "@skep/core/model/deployment.ts";
import type { Health } from "@skep/core/model/instance.ts";
import type { Observed, ObservedContainer } from "@skep/core/model/observed.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { KeptSet } from "./memo.ts";
import type { Prober, ProbeTarget } from "./prober.ts";

/** Watches the containers whose health the agent itself must ask for, over HTTP or TCP. */
export interface HealthWatch {
  /**
   * Takes up and drops containers to fit what is assigned and runs, and returns what is observed
   * with the probes' verdicts in `engineHealth`, where the rest of the agent looks for health.
   */
  apply(observed: Observed, instances: readonly AssignedInstance[]): Observed;
  /** Why the last probe of a container failed, by container id; none for those that are well. */
  notes(): Readonly<Record<string, string>>;
  close(): void;
}

interface Watched {
  readonly run: string;
  readonly stop: () => void;
  health: Health;
  failure: string | undefined;
}

interface HealthWatchDeps {
  readonly clock: Clock;
  readonly prober: Prober;
  readonly host: () => string;
  readonly healthy: KeptSet;
  readonly onChange: () => void;
}

/**
 * Makes a watch; `onChange` is called when a container's health changes. `host` is where published
 * ports answer.
 * `healthy` outlives the agent: a container that was healthy when the agent ended is taken for it
 * until its probes fail, as if the agent had never been away. Any other begins as starting.
 */
export function createHealthWatch(deps: HealthWatchDeps): HealthWatch {
  const watched = new Map<string, Watched>();

  function watch(container: ObservedContainer, check: HealthCheck, target: ProbeTarget | undefined): Watched {
    const stopping = new AbortController();
    const run = runOf(container);
    const one: Watched = {
      run,
      stop: () => stopping.abort(),
      health: deps.healthy.has(run) ? "healthy" : "starting",
      failure: target === undefined ? noPort(container, check) : undefined,
    };
    if (target !== undefined) void probeUntil(deps, stopping.signal, one, check, target);
    return one;
  }

  return {
    apply: (observed, instances) => {
      const wanted = new Map<string, () => Watched>();
      for (const container of observed.containers) {
        const check = checkOf(container, instances);
        if (check === undefined || container.state !== "running") continue;
        wanted.set(container.id, () => watch(container, check, targetOf(container, check, observed, deps.host())));
        if (watched.get(container.id)?.run !== runOf(container)) drop(watched, container.id);
      }
      for (const id of watched.keys()) if (!wanted.has(id)) drop(watched, id);
      for (const [id, begin] of wanted) if (!watched.has(id)) watched.set(id, begin());
      const runs = new Set([...watched.values()].map(one => one.run));
      deps.healthy.keepOnly(run => runs.has(run));
      const containers = observed.containers.map(container => {
        const health = watched.get(container.id)?.health;
        return health === undefined ? container : { ...container, engineHealth: health };
      });
      return { ...observed, containers };
    },
    notes: () =>
      Object.fromEntries([...watched].flatMap(([id, { failure }]) => (failure === undefined ? [] : [[id, failure]]))),
    close: () => {
      for (const id of watched.keys()) drop(watched, id);
    },
  };
}

async function probeUntil(
  deps: HealthWatchDeps,
  signal: AbortSignal,
  one: Watched,
  check: HealthCheck,
  target: ProbeTarget,
): Promise<void> {
  const { clock } = deps;
  let failures = 0;
  // The start period delays the first failure that counts; after it, one failure per interval
  // counts.
  let countsFrom = clock.monotonic() + check.startPeriodMs;
  while (!signal.aborted) {
    const outcome = await deps.prober(target, check.timeoutMs);
    if (signal.aborted) return;
    if (outcome.ok) failures = 0;
    else if (one.health !== "starting" || clock.monotonic() >= countsFrom) {
      failures++;
      countsFrom = clock.monotonic() + check.intervalMs;
    }
    one.failure = outcome.ok ? undefined : outcome.detail;
    const health = outcome.ok ? "healthy" : failures >= Math.max(1, check.retries) ? "unhealthy" : one.health;
    if (health !== one.health) {
      one.health = health;
      if (health === "healthy") deps.healthy.add(one.run);
      else deps.healthy.keepOnly(run => run !== one.run);
      deps.onChange();
    }
    // A container that is not well yet is asked often, so that it gets traffic as soon as it can
    // serve.
    const pauseMs = one.health === "starting" ? Math.min(check.intervalMs, STARTING_INTERVAL_MS) : check.intervalMs;
    await clock.sleep(pauseMs, signal);
  }
}

const STARTING_INTERVAL_MS = 1_000;

function drop(watched: Map<string, Watched>, id: string): void {
  watched.get(id)?.stop();
  watched.delete(id);
}

/** One run of a container: after its next start it is another one. */
function runOf({ id, startedAt }: ObservedContainer): string {
  return `${id} ${startedAt ?? 0}`;
}

/** The check of the container's spec, where it is one that the agent carries out. */
function checkOf(container: ObservedContainer, instances: readonly AssignedInstance[]): HealthCheck | undefined {
  if (container.role !== "app") return undefined;
  const instance = instances.find(one => one.instanceId === container.instanceId && one.epoch === container.epoch);
  const health = instance?.spec.containers.find(one => one.name === container.name)?.health;
  return health === undefined || isEngineProbe(health.probe) ? undefined : health;
}

/**
 * The published port on the node's address: the one way to a tenant's container that is open from
 * inside the agent's own container, since engines keep bridges apart, and the same way that the
 * edge takes.
 */
function targetOf(
  container: ObservedContainer,
  check: HealthCheck,
  observed: Observed,
  host: string,
): ProbeTarget | undefined {
  const { probe } = check;
  if (isEngineProbe(probe)) return undefined;
  const group = observed.containers.filter(
    one => one.instanceId === container.instanceId && one.epoch === container.epoch,
  );
  const bindings = group.flatMap(one => one.ports);
  // In a pod all containers share one address, so a port of any of them is the same port.
  const binding = bindings.find(port => port.containerPort === probe.port && port.protocol === "tcp");
  if (binding === undefined) return undefined;
  return probe.kind === "http"
    ? { kind: "http", host, port: binding.hostPort, path: probe.path }
    : { kind: "tcp", host, port: binding.hostPort };
}

/** Not called unhealthy, since a container that nobody can ask would then be restarted for ever. */
function noPort(container: ObservedContainer, { probe }: HealthCheck): string {
  const port = isEngineProbe(probe) ? 0 : probe.port;
  return `no host port leads to port ${port} of ${container.name}: publish it, so that it can be probed`;
}
