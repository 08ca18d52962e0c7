import { deploymentOf } from "@skep/core/model/instance-id.ts";
import type { Route } from "@skep/core/model/routing.ts";
import { isServing } from "@skep/core/model/state.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Chance } from "./chance.ts";
import type { Platform } from "./platform.ts";

/** One server that an edge sends requests to. */
interface Server {
  readonly deploymentId: string;
  readonly host: string;
  readonly port: number;
}

const POLL_MS = 250;
const APPLY_MS = 100;
/** How long an edge waits for a scheduler that has stopped. */
const TIMEOUT_MS = 2_000;
/** How the service of a deployment is called: by its id and the router. */
const NAME = /^(.*)\.web$/;

/**
 * One Traefik: it polls a scheduler over a kept connection, applies what it got a little later,
 * keeps what it has when nobody answers, and goes to another scheduler only when its own fails. So
 * it may hold routes that are long over.
 */
export class Edge {
  readonly #platform: Platform;
  readonly #chance: Chance;
  readonly #name: string;
  #at = "";
  #text: string | undefined;
  #appliedAt = 0;
  #applied = 0;
  #servers: readonly Server[] = [];

  constructor(platform: Platform, name: string) {
    this.#platform = platform;
    this.#name = name;
    this.#chance = platform.chance(name);
  }

  /** Polls until the end of the world. */
  async run(): Promise<void> {
    for (;;) {
      await this.#platform.clock.sleep(POLL_MS);
      await this.#poll();
    }
  }

  /** How often it took new routes. */
  applied(): number {
    return this.#applied;
  }

  /** How many servers it sends the requests of a deployment to. */
  servers(deploymentId: string): number {
    return this.#servers.filter(one => one.deploymentId === deploymentId).length;
  }

  /** What it lacks, or has too much, until it sends requests exactly where these records say. */
  missing(world: World, routes: Iterable<readonly Route[]>): readonly string[] {
    const wanted = new Set<string>();
    for (const { deploymentId, release, container, targetPort } of [...routes].flat()) {
      for (const location of world.locations) {
        const node = world.nodes.find(one => one.id === location.nodeId);
        if (location.deploymentId !== deploymentId || location.release !== release) continue;
        if (!isServing(location, node)) continue;
        const port = location.ports.find(one => one.container === container && one.containerPort === targetPort);
        if (port !== undefined) wanted.add(`${deploymentId} at ${node?.address}:${port.hostPort}`);
      }
    }
    const has = new Set(this.#servers.map(one => `${one.deploymentId} at ${one.host}:${one.port}`));
    return [
      ...[...wanted].filter(one => !has.has(one)).map(one => `${this.#name} has no route to ${one}`),
      ...[...has].filter(one => !wanted.has(one)).map(one => `${this.#name} routes to ${one}, wanted nowhere`),
    ];
  }

  /** Which request would reach somebody else's container right now. */
  broken(): string | undefined {
    for (const { deploymentId, host, port } of this.#servers) {
      const node = this.#platform.nodes.find(one => one.address === host);
      const found = node?.running().find(one => one.hostPorts.includes(port));
      if (found === undefined || deploymentOf(found.instanceId) === deploymentId) continue;
      const ageMs = this.#platform.clock.now() - this.#appliedAt;
      return `${this.#name} sends ${deploymentId} to ${node?.id}:${port}, where ${found.instanceId} answers; its routes are ${ageMs} ms old, from ${this.#at}`;
    }
    return undefined;
  }

  async #poll(): Promise<void> {
    const { clock, handles } = this.#platform;
    const alive = [...handles].filter(([, one]) => one.life.alive()).map(([name]) => name);
    if (!alive.includes(this.#at)) this.#at = alive.length === 0 ? "" : this.#chance.pick(alive);
    const scheduler = handles.get(this.#at);
    if (scheduler === undefined) return;
    if (scheduler.life.paused()) await clock.sleep(TIMEOUT_MS);
    const text = scheduler.life.paused() || !scheduler.life.alive() ? undefined : scheduler.answer();
    // An edge that gets an error asks the next time whoever the service's address leads to.
    if (text === undefined) this.#at = "";
    if (text === undefined || text === this.#text) return;
    clock.timer(APPLY_MS, () => this.#apply(text));
  }

  #apply(text: string): void {
    this.#text = text;
    this.#applied++;
    this.#appliedAt = this.#platform.clock.now();
    this.#servers = serversOf(text);
    this.#platform.say(`${this.#name} routes by ${this.#at}: ${this.#servers.length} servers`);
    const broken = this.broken();
    if (broken !== undefined) this.#platform.violate(broken);
  }
}

function serversOf(text: string): readonly Server[] {
  const config = JSON.parse(text) as {
    readonly http?: {
      readonly services?: Record<
        string,
        { readonly loadBalancer?: { readonly servers?: readonly { readonly url: string }[] } }
      >;
    };
  };
  return Object.entries(config.http?.services ?? {}).flatMap(([name, service]) => {
    const [, deploymentId] = NAME.exec(name) ?? [];
    if (deploymentId === undefined) return [];
    return (service.loadBalancer?.servers ?? []).map(({ url }) => {
      const { hostname, port } = new URL(url);
      return { deploymentId, host: hostname, port: Number(port) };
    });
  });
}
