import { deploymentOf } from "@skep/core/model/instance-id.ts";
import type { Awaiting, DecodedAssignment } from "@skep/api/codec/assignment.ts";
import { nameOfSpec, type SpecName } from "@skep/api/codec/spec-name.ts";
import type { AssignedInstance, Assignment } from "@skep/core/model/assignment.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Random } from "@skep/kit/random.ts";
import { retryDelay } from "@skep/kit/retry.ts";
import type { Supplied } from "../loop/orders.ts";
import type { SetAside } from "../loop/picture.ts";
import { fetchSpec } from "./spec-fetch.ts";

/** What a supply is made from. */
export interface SupplyDeps {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly nodeId: string;
  readonly book: {
    orders(): { readonly assignment: Assignment | undefined };
    take(supplied: Supplied): Promise<boolean>;
  };
}

const BACKOFF = { baseMs: 500, maxMs: 5_000 };

/**
 * Stands between the bus and the order book: large specs are only named in an assignment, and come
 * from here. What the agent holds already is not asked for again; the journal keeps it over a
 * restart. The rest of the assignment never waits for a spec.
 */
export class Supply {
  readonly #deps: SupplyDeps;
  readonly #closing = new AbortController();
  readonly #fetched = new Map<string, DeploymentSpec>();
  readonly #failures = new Map<string, string>();
  /** What the agent works by, as it arrived. */
  #current: DecodedAssignment | undefined;
  #isFetching = false;

  constructor(deps: SupplyDeps) {
    this.#deps = deps;
  }

  /** Takes an assignment that arrived. */
  take(arrived: DecodedAssignment): void {
    // The same one may have been taken when less of it was at hand, so it is taken anew where specs
    // are named.
    void this.#deliver(arrived, arrived.awaiting.length > 0);
  }

  /**
   * Whether the agent has had all of its assignment in this life. Until then it asks for the whole
   * one: what the journal kept may be the part that was at hand before a restart.
   */
  isComplete(): boolean {
    return this.#current !== undefined && this.#fill(this.#current, true).missing.length === 0;
  }

  /** Fetches nothing any more. */
  close(): void {
    this.#closing.abort();
  }

  async #deliver(arrived: DecodedAssignment, completes: boolean): Promise<void> {
    const { supplied, missing } = this.#fill(arrived, completes);
    if (!(await this.#deps.book.take(supplied))) return;
    this.#current = arrived;
    const wanted = new Set(arrived.awaiting.map(one => keyOf(one.spec)));
    for (const map of [this.#fetched, this.#failures])
      for (const key of map.keys()) if (!wanted.has(key)) map.delete(key);
    const left = this.#fill(arrived, true).missing.length;
    // A spec came while the assignment without it was being written to disk.
    if (left < missing.length) return this.#deliver(arrived, true);
    if (left > 0 && !this.#isFetching) await this.#fetchMissing();
  }

  #fill(arrived: DecodedAssignment, completes: boolean): { supplied: Supplied; missing: readonly SpecName[] } {
    const held = arrived.awaiting.length === 0 ? this.#fetched : this.#held();
    const ready: AssignedInstance[] = [];
    const missing: Awaiting[] = [];
    for (const one of arrived.awaiting) {
      const spec = held.get(keyOf(one.spec));
      if (spec === undefined) missing.push(one);
      else ready.push({ ...one.instance, spec });
    }
    const tooNew = arrived.unreadable.map(one => failed(one, `this node's agent is too old for it: ${one.because}`));
    const leftOut = arrived.leftOut.map(one => failed(one, one.because));
    const setAside = [...tooNew, ...leftOut, ...missing.map(one => this.#waiting(one))];
    const assignment = { ...arrived.assignment, instances: [...arrived.assignment.instances, ...ready] };
    return { supplied: { assignment, setAside, completes }, missing: missing.map(one => one.spec) };
  }

  #held(): ReadonlyMap<string, DeploymentSpec> {
    const held = new Map(this.#fetched);
    for (const { instanceId, release, spec } of this.#deps.book.orders().assignment?.instances ?? []) {
      const deploymentId = deploymentOf(instanceId);
      held.set(keyOf(nameOfSpec(deploymentId, release, spec)), spec);
    }
    return held;
  }

  #waiting({ instance, spec }: Awaiting): SetAside {
    const failure = this.#failures.get(keyOf(spec));
    const size = `${Math.ceil(spec.bytes / 1024)} KiB`;
    const message =
      failure === undefined ? `fetching its spec (${size})` : `its spec (${size}) could not be fetched: ${failure}`;
    const { instanceId, epoch, ports } = instance;
    return { instanceId, epoch, state: "preparing", message, ports };
  }

  /** One spec at a time, until nothing is missing of what the agent works by then. */
  async #fetchMissing(): Promise<void> {
    const { bus, clock, random, log, nodeId } = this.#deps;
    const { signal } = this.#closing;
    this.#isFetching = true;
    const tried = new Set<string>();
    for (let attempt = 1; this.#current !== undefined && !signal.aborted;) {
      const { missing } = this.#fill(this.#current, true);
      if (missing.length === 0) break;
      const name = missing.find(one => !tried.has(keyOf(one)));
      if (name === undefined) {
        tried.clear();
        await clock.sleep(retryDelay(attempt++, random, BACKOFF), signal);
        continue;
      }
      tried.add(keyOf(name));
      try {
        this.#fetched.set(keyOf(name), await fetchSpec(bus, nodeId, name));
        this.#failures.delete(keyOf(name));
        attempt = 1;
      } catch (error) {
        this.#failures.set(keyOf(name), error instanceof Error ? error.message : String(error));
        log.debug("spec.unfetched", "A spec could not be fetched; it is asked for again.", { error, ...name });
      }
      // The one that the agent works by now, which may have come meanwhile and lacked this spec as
      // well.
      if (!signal.aborted) await this.#deliver(this.#current, true);
    }
    this.#isFetching = false;
  }
}

function failed(
  { instanceId, epoch }: { readonly instanceId: string; readonly epoch: number },
  message: string,
): SetAside {
  return { instanceId, epoch, state: "failed", message, ports: [] };
}

function keyOf({ deploymentId, release, digest }: SpecName): string {
  return `${deploymentId} ${release} ${digest}`;
}
