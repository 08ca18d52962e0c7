import { nodeSubject } from "@skep/api/subjects.ts";
import { createMemoryJournal } from "@skep/agent/loop/journal.ts";
import { createMemoryMemo } from "@skep/agent/loop/memo.ts";
import { releasePorts } from "@skep/core/world/released-ports.ts";
import type { Chance } from "./chance.ts";
import { HERD } from "./engine-rule.ts";
import { drawFault, drawMischief, type Fault } from "./faults.ts";
import { impersonate } from "./impostor.ts";
import { endLife, type Platform } from "./platform.ts";
import { SETTINGS } from "./processes.ts";
import type { SimNode } from "./sim-node.ts";

const STRAY = "acme.stray";
/** By then a node that is down for good is recorded as down. */
const REPAIRED_AFTER_MS = 12_000;
/** How many strays come in a herd. */
const HERD_SIZE = 9;

/** How the adversary brings processes back. */
export interface Revival {
  startScheduler(name: string): void;
  startAgent(node: SimNode): void;
}

const isPlanted = (container: { readonly name: string }): boolean => container.name.startsWith("planted");

/**
 * What stays wrong when the faults have ended, as a fleet may for a long time: nodes lost or
 * drained for good.
 */
export interface Aftermath {
  readonly lost: ReadonlySet<string>;
  readonly drained: ReadonlySet<string>;
}

/** Plays the world's malice on a platform, by its seed. */
export class Adversary {
  readonly #platform: Platform;
  readonly #revival: Revival;
  readonly #chance: Chance;
  readonly #lost = new Set<string>();
  readonly #drained = new Set<string>();
  /** What ends the faults that are under way, by fault. */
  readonly #healing = new Set<() => void>();
  #done = false;
  #strays = 0;

  constructor(platform: Platform, revival: Revival) {
    this.#platform = platform;
    this.#revival = revival;
    this.#chance = platform.chance("adversary");
  }

  /** Faults come, each after its while, until `calm`. */
  async rage(): Promise<void> {
    const { clock } = this.#platform;
    const mischief = drawMischief(this.#chance);
    this.#platform.mischief = mischief;
    this.#platform.say(`mischief ${JSON.stringify(mischief)}`);
    const names = { schedulers: this.#platform.schedulers, nodes: this.#platform.nodes.map(node => node.id) };
    while (!this.#done) {
      await clock.sleep(this.#chance.between(mischief.everyMs / 2, mischief.everyMs * 1.5));
      if (this.#done) return;
      const fault = drawFault(this.#chance, mischief.kinds, names, this.#mayLose());
      if ("who" in fault && this.#lost.has(fault.who)) continue;
      if (fault.kind === "lose-node" && fault.forMs === undefined && this.#isLastManager(fault.who)) continue;
      this.#platform.say(`FAULT ${JSON.stringify(fault)}`);
      this.#strike(fault);
    }
  }

  /** Ends everything that is wrong but nodes that are lost or drained for good. */
  calm(): Aftermath {
    this.#done = true;
    this.#platform.mischief = undefined;
    for (const heal of this.#healing) heal();
    this.#platform.say("CALM");
    this.#platform.clock.timer(REPAIRED_AFTER_MS, () => this.#repair());
    return { lost: this.#lost, drained: this.#drained };
  }

  #strike(fault: Fault): void {
    const { network, database, lives } = this.#platform;
    switch (fault.kind) {
      case "kill-scheduler":
        return this.#killScheduler(fault.who, fault.forMs);
      case "kill-agent":
        return this.#killAgent(this.#node(fault.who), fault.forMs);
      case "pause": {
        const life = lives.get(fault.who);
        life?.pause();
        return this.#healAfter(fault.forMs, () => life?.resume());
      }
      case "jump-clock":
        return lives.get(fault.who)?.jump(fault.byMs);
      case "cut":
        return this.#cut(fault.who, fault.how, fault.forMs);
      case "isolate":
        this.#platform.isolated.add(fault.who);
        this.#healAfter(fault.forMs, () => this.#platform.isolated.delete(fault.who));
        return this.#cut(fault.who, "unnoticed", fault.forMs);
      case "lose-node":
        return this.#loseNode(this.#node(fault.who), fault.forMs);
      case "store-away-from":
        database.cut(fault.who);
        return this.#healAfter(fault.forMs, () => database.heal(fault.who));
      case "store-clock":
        return this.#platform.databaseClock.step(fault.byMs);
      case "journal-lost":
        return this.#loseJournal(this.#node(fault.who), fault.forMs);
      case "disk-full":
        this.#platform.fullDisks.add(fault.who);
        return this.#healAfter(fault.forMs, () => this.#platform.fullDisks.delete(fault.who));
      case "store-away":
        database.cut();
        return this.#healAfter(fault.forMs, () => database.heal());
      case "bus-away": {
        const everybody = [...this.#platform.schedulers, ...this.#platform.nodes.map(node => node.id)];
        for (const name of everybody) network.cut(name);
        return this.#healAfter(fault.forMs, () => everybody.forEach(name => network.heal(name)));
      }
      case "impersonate":
        return impersonate(this.#platform, fault.who, fault.other);
      case "row-lost":
        return this.#loseRow();
      case "misdelivery":
        return this.#misdeliver(fault.who);
      case "drain":
        return this.#drain(fault.who, fault.forMs);
      default:
        return this.#strikeEngine(fault);
    }
  }

  #strikeEngine(
    fault: Extract<Fault, { kind: `engine-${string}` | `container-${string}` | `stranger${string}` }>,
  ): void {
    const node = this.#node(fault.who);
    if (!node.on()) return;
    const running = node.engine.containers().filter(container => container.state === "running");
    const victim = running.length === 0 ? undefined : this.#chance.pick(running);
    switch (fault.kind) {
      case "engine-away":
        node.engine.setAvailable(false);
        return this.#healAfter(fault.forMs, () => node.on() && node.engine.setAvailable(true));
      case "engine-slow":
        node.engine.setDelays({ createMs: 400, startMs: 4_000, stopMs: 1_500 });
        return this.#healAfter(fault.forMs, () => node.engine.setDelays({ createMs: 10, startMs: 150, stopMs: 100 }));
      case "stranger":
        // More than three at once in the fleet are left alone by rule: then it is likelier that the
        // records are wrong.
        if (this.#platform.nodes.flatMap(one => one.engine.containers()).filter(isPlanted).length >= 3) return;
        node.engine.plant({
          "skep.instance": `${STRAY}.${++this.#strays}`,
          "skep.epoch": "1",
          "skep.container": "app",
        });
        return;
      case "strangers":
        return this.#plantMany(node);
      case "container-unwell":
        if (victim === undefined) return;
        this.#platform.unwell.set(victim.id, Infinity);
        return this.#healAfter(fault.forMs, () => this.#platform.unwell.set(victim.id, this.#platform.clock.now()));
      case "container-crash":
        return victim === undefined ? undefined : node.engine.crash(victim.id, 1);
      case "container-vanish":
        return victim === undefined ? undefined : node.engine.removeOutside(victim.id);
      case "container-hang":
        if (victim === undefined) return;
        node.engine.hang(victim.id, true);
        return this.#healAfter(fault.forMs, () => node.engine.hang(victim.id, false));
    }
  }

  /**
   * So many at once that no record explains: by rule nobody touches them, since likelier the
   * records are wrong.
   */
  #plantMany(node: SimNode): void {
    if (node.engine.containers().some(container => container.labels["skep.instance"]?.startsWith(HERD))) return;
    for (let planted = 0; planted < HERD_SIZE; planted++) {
      node.engine.plant({ "skep.instance": `${HERD}.${++this.#strays}`, "skep.epoch": "1", "skep.container": "app" });
    }
  }

  /** One more may go for good when the one before is known to be down; two of five are the most. */
  #mayLose(): boolean {
    const { nodes } = this.#platform.database.records;
    const gone = new Set([...this.#lost, ...this.#drained]);
    return gone.size < 2 && [...this.#lost].every(id => nodes.get(id)?.node.liveness === "down");
  }

  /** Without a manager nobody tells the schedulers of drains any more. */
  #isLastManager(who: string): boolean {
    const isManager = (id: string): boolean => this.#platform.swarm.get(id)?.role === "manager";
    return isManager(who) && [...this.#lost].some(isManager);
  }

  /** Its disk was replaced: the agent begins as a new one on a node that runs things. */
  #loseJournal(node: SimNode, forMs: number): void {
    this.#killAgent(node, forMs);
    this.#platform.journals.set(node.id, createMemoryJournal());
    this.#platform.healthyMemos.set(node.id, createMemoryMemo());
    this.#platform.engineRules.get(node.id)?.forgets();
  }

  #killScheduler(who: string, forMs: number): void {
    const holder = this.#platform.database.records.lease?.holder;
    const name =
      who === "leader" ? (this.#platform.schedulers.find(one => holder?.startsWith(one)) ?? "scheduler-1") : who;
    if (this.#platform.lives.get(name)?.alive() !== true) return;
    endLife(this.#platform, name);
    this.#healAfter(forMs, () => this.#revival.startScheduler(name));
  }

  #killAgent(node: SimNode, forMs: number): void {
    if (this.#platform.lives.get(node.id)?.alive() !== true) return;
    endLife(this.#platform, node.id);
    this.#healAfter(forMs, () => {
      if (node.on() && this.#platform.lives.get(node.id)?.alive() !== true) this.#revival.startAgent(node);
    });
  }

  #loseNode(node: SimNode, forMs: number | undefined): void {
    if (!node.on()) return;
    endLife(this.#platform, node.id);
    node.powerOff();
    this.#editSwarm(node.id, { state: "down" });
    if (forMs === undefined) {
      this.#lost.add(node.id);
      return;
    }
    this.#healAfter(forMs, () => this.#bringBack(node));
  }

  #bringBack(node: SimNode): void {
    node.powerOn();
    this.#editSwarm(node.id, { state: "ready" });
    this.#revival.startAgent(node);
  }

  /**
   * Two that are silent at once freeze the fleet until a person looks: here one does, and brings
   * one back. Nor does a volume leave a drained node before a person says so: here they let the
   * node work again.
   */
  #repair(): void {
    const { nodes, volumes } = this.#platform.database.records;
    for (const { nodeId } of volumes.values()) {
      if (!this.#drained.delete(nodeId)) continue;
      this.#platform.say(`REPAIR ${nodeId}`);
      this.#editSwarm(nodeId, { availability: "active" });
    }
    const silent = [...this.#lost].filter(id => nodes.get(id)?.node.liveness !== "down");
    if (silent.length < 2) return;
    this.#lost.delete(silent[0]!);
    this.#platform.say(`REPAIR ${silent[0]}`);
    this.#bringBack(this.#node(silent[0]!));
  }

  /** A pulled cable is noticed by nobody for a while; then the client gives the connection up. */
  #cut(who: string, how: "noticed" | "unnoticed", forMs: number): void {
    const { network, clock } = this.#platform;
    network.cut(who, how);
    let healed = false;
    if (how === "unnoticed") clock.timer(12_000, () => void (healed || network.cut(who, "noticed")));
    this.#healAfter(forMs, () => {
      healed = true;
      network.heal(who);
    });
  }

  #drain(who: string, forMs: number | undefined): void {
    this.#editSwarm(who, { availability: "drain" });
    if (forMs === undefined) this.#drained.add(who);
    else
      this.#healAfter(forMs, () => void (this.#drained.has(who) || this.#editSwarm(who, { availability: "active" })));
  }

  /**
   * What one node was told last reaches another, as after a mistake with addresses or credentials.
   */
  #misdeliver(who: string): void {
    const told = [...this.#platform.told].filter(([nodeId]) => nodeId !== who);
    if (told.length === 0) return;
    this.#platform.network.connect("stray-sender").publish(nodeSubject("assign", who), this.#chance.pick(told)[1]);
  }

  /** Somebody with SQL deletes the row of a location. */
  #loseRow(): void {
    const { records } = this.#platform.database;
    const keys = [...records.locations.keys()];
    if (keys.length === 0) return;
    const key = this.#chance.pick(keys);
    const [gone, now] = [records.locations.get(key)!, this.#platform.clock.now()];
    records.locations.delete(key);
    // As the database's trigger does.
    records.releasedPorts = releasePorts(records.releasedPorts, [gone], now + SETTINGS.portQuarantineMs, now);
  }

  #editSwarm(nodeId: string, change: { state?: string; availability?: "active" | "drain" }): void {
    const { swarm } = this.#platform;
    const node = swarm.get(nodeId)!;
    const newest = Math.max(...[...swarm.values()].map(one => one.versionIndex));
    swarm.set(nodeId, { ...node, ...change, versionIndex: newest + 1 });
  }

  #node(id: string): SimNode {
    return this.#platform.nodes.find(node => node.id === id)!;
  }

  /** Ends a fault after its time, or when calm comes. */
  #healAfter(forMs: number, heal: () => unknown): void {
    const once = (): void => {
      if (this.#healing.delete(once)) heal();
    };
    this.#healing.add(once);
    this.#platform.clock.timer(forMs, once);
  }
}
