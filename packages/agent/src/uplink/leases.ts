import { decodeLeaseReply, encodeLeaseRequest } from "@skep/api/codec/lease.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { groupKey } from "@skep/core/converge/round.ts";
import type { LeaseView } from "@skep/core/converge/round.ts";
import { runs } from "@skep/core/converge/end.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import { guardedUse, leaseUse } from "@skep/core/model/lease.ts";
import { isLeased } from "@skep/core/model/volume.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Loops } from "@skep/kit/loops.ts";
import type { Wake } from "@skep/kit/wake.ts";

/** What the leases are made from. */
export interface LeasesDeps {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly loops: Loops;
  readonly nodeId: string;
  readonly assignment: () => Assignment | undefined;
  /** The containers of ours, as last seen. */
  readonly containers: () => readonly ObservedContainer[];
  /** Called when an instance has got a lease, or its lease has ended. */
  readonly onChange: () => void;
  /** Called at each answer. */
  readonly onRenewed: () => void;
}

type Copy = { readonly instanceId: string; readonly epoch: number };

const RENEW_EVERY_MS = 3_000;
const RETRY = { baseMs: 500, maxMs: 1_000 };
const TIMEOUT_MS = 2_000;

/**
 * Renews the leases of the exclusive instances of this node, all of them with one request: also of
 * those that are to stop, since their stop grace is their own only until somebody takes over. A
 * lease counts from when its request was sent, on the monotonic clock, which goes on while the
 * agent is paused.
 *
 * A copy that runs and that no assignment names needs one as well: its labels say that it is
 * exclusive. The first ask decides about it, also where no answer comes: nobody knows how long ago
 * its last lease was given.
 */
export class Leases {
  readonly #deps: LeasesDeps;
  readonly #wake: Wake;
  /** Until when each instance at its epoch may run; past for one whose lease has ended. */
  readonly #until = new Map<string, number>();
  #guardMs = 0;
  #isGivenUp = false;
  #cancel: () => void = () => undefined;

  /** Begins at once. */
  constructor(deps: LeasesDeps) {
    this.#deps = deps;
    const times = { minGapMs: 50, periodMs: RENEW_EVERY_MS, retry: RETRY };
    this.#wake = deps.loops.begin("leases", () => this.#renew(), times);
    this.#wake.hint();
  }

  /** The assignment has changed. */
  hint(): void {
    if (this.#wanted().some(one => !this.#until.has(groupKey(one.instanceId, one.epoch)))) this.#wake.hint();
  }

  /** Containers were looked at. */
  seen(): void {
    if (this.#strangers().some(one => !this.#until.has(groupKey(one.instanceId, one.epoch)))) this.#wake.hint();
  }

  /** The leases as they are this moment. */
  view(): Readonly<Record<string, LeaseView>> {
    const { clock } = this.#deps;
    const [now, at] = [clock.now(), clock.monotonic()];
    return Object.fromEntries(
      [...this.#until].map(([key, until]) => [
        key,
        until > at ? { held: true, since: undefined } : { held: false, since: Math.round(now - (at - until)) },
      ]),
    );
  }

  /**
   * Why a container of the instance may not be started this moment. It is asked right before the
   * start: the agent may have been paused since the start was decided.
   */
  whyNot(instanceId: string, epoch: number): string | undefined {
    const isOurs = this.#wanted().some(one => one.instanceId === instanceId && one.epoch === epoch);
    return isOurs && !this.#holds(instanceId, epoch, this.#deps.clock.monotonic()) ? "its lease has ended" : undefined;
  }

  /** Until when the guard lets a copy run, on the monotonic clock; `undefined` without a lease. */
  guardUntil(instanceId: string, epoch: number): number | undefined {
    const until = this.#until.get(groupKey(instanceId, epoch));
    return until === undefined ? undefined : until + this.#guardMs;
  }

  /** Ends all leases now and renews none, so that every exclusive copy stops. */
  giveUp(): void {
    this.#isGivenUp = true;
    const now = this.#deps.clock.monotonic();
    for (const [key, until] of this.#until) this.#until.set(key, Math.min(until, now));
    this.#deps.onChange();
  }

  /** Renews nothing any more. */
  close(): Promise<void> {
    this.#cancel();
    return this.#wake.close();
  }

  #holds(instanceId: string, epoch: number, at: number): boolean {
    return (this.#until.get(groupKey(instanceId, epoch)) ?? 0) > at;
  }

  #wanted(): readonly Copy[] {
    return [...this.#assigned(), ...this.#strangers()];
  }

  #assigned(): readonly Copy[] {
    return (this.#deps.assignment()?.instances ?? []).filter(one => isLeased(one.spec));
  }

  /** Exclusive copies that run here and that the assignment does not name. */
  #strangers(): readonly Copy[] {
    const found = this.#deps.containers().filter(one => one.isExclusive && runs(one));
    if (found.length === 0) return [];
    const named = new Set(this.#deps.assignment()?.instances.map(one => groupKey(one.instanceId, one.epoch)));
    const byKey = new Map(found.map(one => [groupKey(one.instanceId, one.epoch), one]));
    return [...byKey].flatMap(([key, one]) => (named.has(key) ? [] : [one]));
  }

  /** Copies that nobody named and whose lease was asked for in vain may not run. */
  #endStrangers(asked: readonly Copy[], at: number): void {
    const keys = asked.map(one => groupKey(one.instanceId, one.epoch)).filter(key => !this.#until.has(key));
    for (const key of keys) this.#until.set(key, at);
    if (keys.length > 0) this.#deps.onChange();
  }

  async #renew(): Promise<void> {
    const { bus, clock, nodeId, onChange, onRenewed } = this.#deps;
    const instances = this.#wanted().map(({ instanceId, epoch }) => ({ instanceId, epoch }));
    const wanted = new Set(instances.map(one => groupKey(one.instanceId, one.epoch)));
    for (const key of this.#until.keys()) if (!wanted.has(key)) this.#until.delete(key);
    if (instances.length === 0) return;
    const sentAt = clock.monotonic();
    const strangers = this.#strangers();
    const claims = instances.map(one => ({ ...one, isHeld: this.#holds(one.instanceId, one.epoch, sentAt) }));
    const question = encodeLeaseRequest({ nodeId, instances: claims });
    const answer = await bus
      .request(nodeSubject("lease", nodeId), question, { timeoutMs: TIMEOUT_MS })
      .catch((error: unknown) => {
        this.#endStrangers(strangers, sentAt);
        throw error;
      });
    // Asked for before the leases were given up, or after: nothing may run by it.
    if (this.#isGivenUp) return this.#endStrangers(strangers, sentAt);
    const { granted, leaseMs } = decodeLeaseReply(answer);
    this.#guardMs = guardedUse(leaseMs) - leaseUse(leaseMs);
    const before = JSON.stringify(this.view());
    const until = sentAt + leaseUse(leaseMs);
    const got = new Set(granted.map(one => groupKey(one.instanceId, one.epoch)));
    for (const key of wanted) {
      if (got.has(key)) this.#until.set(key, until);
      else if ((this.#until.get(key) ?? 0) > clock.monotonic()) this.#until.set(key, clock.monotonic());
    }
    this.#endStrangers(strangers, sentAt);
    this.#cancel();
    this.#cancel = clock.timer(Math.max(0, until - clock.monotonic()) + 1, onChange);
    onRenewed();
    if (JSON.stringify(this.view()) !== before) onChange();
  }
}
