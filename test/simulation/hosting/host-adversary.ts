import type { Chance } from "../chance.ts";
import { endLife, type Platform } from "../platform.ts";
import { drawHostFault, drawHostMischief, type HostFault, type HostMischief } from "./host-faults.ts";
import type { SimHost } from "./hosts.ts";
import type { Hosting } from "./hosting.ts";

/** After a cut a host hears by its next ping that its connection is over. */
const PING_MS = 7_500;
const KEEPALIVE_MS = 22_500;

/**
 * Plays the world's malice on hosts and their engines, by chance of its own: what happens to the
 * fleet does not depend on it.
 */
export class HostAdversary {
  readonly #platform: Platform;
  readonly #hosting: Hosting;
  readonly #chance: Chance;
  readonly #healing = new Set<() => void>();
  #mischief: HostMischief | undefined;
  #done = false;

  constructor(platform: Platform, hosting: Hosting) {
    this.#platform = platform;
    this.#hosting = hosting;
    this.#chance = platform.chance("host adversary");
  }

  /** Faults come, each after its while, until `calm`. */
  async rage(): Promise<void> {
    const { clock } = this.#platform;
    const mischief = drawHostMischief(this.#chance);
    this.#mischief = mischief;
    this.#platform.say(`host mischief ${JSON.stringify(mischief)}`);
    const { weather } = this.#hosting.databases;
    Object.assign(weather, { fails: mischief.storeFails, slowMs: mischief.storeSlowMs });
    for (const name of this.#hosting.names) this.#setWay(name);
    while (!this.#done) {
      await clock.sleep(this.#chance.between(mischief.everyMs / 2, mischief.everyMs * 1.5));
      if (this.#done) return;
      const fault = drawHostFault(this.#chance, mischief.kinds, this.#hosting.names);
      this.#platform.say(`FAULT ${JSON.stringify(fault)}`);
      this.#strike(fault);
    }
  }

  /** Ends everything that is wrong. */
  calm(): void {
    this.#done = true;
    this.#mischief = undefined;
    Object.assign(this.#hosting.databases.weather, { fails: 0, slowMs: 10 });
    for (const heal of this.#healing) heal();
    for (const name of this.#hosting.names) this.#setWay(name);
  }

  #strike(fault: HostFault): void {
    const { broker, databases } = this.#hosting;
    switch (fault.kind) {
      case "broker-away":
        broker.setAway(true);
        return this.#healAfter(fault.forMs, () => broker.setAway(false));
      case "databases-away":
        databases.weather.isAway = true;
        return this.#healAfter(fault.forMs, () => (databases.weather.isAway = false));
      default:
        return this.#strikeHost(fault);
    }
  }

  #strikeHost(fault: Extract<HostFault, { readonly who: string }>): void {
    const one = this.#hosting.hosts.get(fault.who);
    if (one?.life.alive() !== true) return;
    const { life, way } = one;
    switch (fault.kind) {
      case "kill-host":
        return this.#end(one, fault.forMs);
      case "stop-host":
        return this.#stop(one, fault.graceMs, fault.forMs);
      case "pause-host":
        life.pause();
        return this.#healAfter(fault.forMs, () => life.resume());
      case "jump-host-clock":
        return life.jump(fault.byMs);
      case "cut-host":
        way.isCut = true;
        return this.#healAfter(fault.forMs, () => (way.isCut = false));
      case "answers-lost":
        way.losesAnswers = true;
        return this.#healAfter(fault.forMs, () => (way.losesAnswers = false));
      case "told-late":
        way.tellingMs = fault.byMs;
        return this.#healAfter(fault.forMs, () => (way.tellingMs = 0));
      case "told-again":
        way.isToldAgain = true;
        return this.#healAfter(fault.forMs, () => (way.isToldAgain = false));
      case "slow-to-close":
        way.closeMs = fault.byMs;
        return this.#healAfter(fault.forMs, () => (way.closeMs = 20));
      case "cut-from-broker":
        Object.assign(way, { isCutFromBroker: true, noticesMs: Math.min(fault.forMs + PING_MS, KEEPALIVE_MS) });
        this.#hosting.broker.breakAll(life);
        return this.#healAfter(fault.forMs, () => (way.isCutFromBroker = false));
    }
  }

  /** A process that is told to end gives everything away first, and is started again. */
  #stop(one: SimHost, graceMs: number, forMs: number): void {
    void one.host.stop(graceMs).then(() => this.#end(one, forMs));
  }

  #end({ life }: SimHost, forMs: number): void {
    if (!life.alive()) return;
    endLife(this.#platform, life.name);
    this.#healAfter(forMs, () => {
      this.#hosting.start(life.name);
      this.#setWay(life.name);
    });
  }

  #setWay(name: string): void {
    const { drop = 0, delayMs = 2 } = this.#mischief ?? {};
    const way = this.#hosting.hosts.get(name)?.way;
    if (way !== undefined) Object.assign(way, { drop, delayMs });
  }

  /** Ends a fault after its time, or when calm comes, or at once where it has come already. */
  #healAfter(forMs: number, heal: () => unknown): void {
    const once = (): void => {
      if (this.#healing.delete(once)) heal();
    };
    this.#healing.add(once);
    if (this.#done) once();
    else this.#platform.clock.timer(forMs, once);
  }
}
