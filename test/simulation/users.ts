import { deploymentIdOf } from "@skep/core/model/instance-id.ts";
import { mountKey } from "@skep/core/model/volume.ts";
import { encodeWake } from "@skep/api/codec/notice.ts";
import { SUBJECTS } from "@skep/api/subjects.ts";
import { SkepError } from "@skep/core/error.ts";
import type { DeploymentChange } from "@skep/core/deployment/change.ts";
import type { Store } from "@skep/scheduler/store/store.ts";
import type { Request } from "@skep/scheduler/store/request.ts";
import type { Platform } from "./platform.ts";
import { routesOf } from "./routes.ts";
import { drawWish, TENANTS, type Known, type Wish } from "./workload.ts";

const UNBOUND = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };

/**
 * Makes the tenants, then asks for one thing after another until `done`; each wish is repeated
 * until it is answered.
 */
export async function liveAsUsers(platform: Platform, done: () => boolean): Promise<void> {
  const chance = platform.chance("users");
  const store = platform.database.connect("user");
  const bus = platform.network.connect("user");
  const known = new Map<string, Known>();
  let serial = 0;
  const ask = <T>(say: string, call: (request: Request) => Promise<T>): Promise<T | undefined> => {
    const request: Request = { actor: "user", idempotencyKey: `wish-${++serial}` };
    return insist(platform, say, () => call(request));
  };
  for (const id of TENANTS) await ask(`tenant ${id}`, request => store.createTenant({ id, quota: UNBOUND }, request));
  while (!done()) {
    const wish = drawWish(chance, [...known.values()]);
    await ask(`WISH ${brief(wish)}`, request => fulfil(store, wish, request, platform.clock.now()));
    bus.publish(SUBJECTS.wake, encodeWake("a user's wish"));
    learn(known, wish);
    await platform.clock.sleep(chance.between(300, 4_000));
  }
}

/**
 * A person who knows that nodes are lost for good gives up the volumes that they have. What was
 * late may yet make such a node ready for a moment, and another volume there: that one, too.
 */
export async function giveUpVolumes(platform: Platform, lost: ReadonlySet<string>): Promise<void> {
  const store = platform.database.connect("person");
  // The API lets nobody give up what a node has that is not known to be down.
  const isDown = (nodeId: string): boolean => platform.database.records.nodes.get(nodeId)?.node.liveness === "down";
  while (lost.size > 0) {
    while (![...lost].every(isDown)) await platform.clock.sleep(500);
    for (const volume of [...platform.database.records.volumes.values()]) {
      if (!lost.has(volume.nodeId) || volume.state !== "kept") continue;
      platform.say(`WISH give up ${mountKey(volume)}.${volume.serial} on ${volume.nodeId}`);
      await store.giveUpVolume(volume, { actor: "person", idempotencyKey: undefined }, platform.clock.now());
    }
    await platform.clock.sleep(500);
  }
}

/** Repeats a call that nobody answered; a refusal is an answer. */
export async function insist<T>(platform: Platform, say: string, call: () => Promise<T>): Promise<T | undefined> {
  platform.say(say);
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof SkepError)) throw error;
      if (error.code === "unavailable" || error.code === "deadline_exceeded") await platform.clock.sleep(500);
      else {
        platform.say(`refused: ${error.code} ${error.reason}`);
        return undefined;
      }
    }
  }
}

async function fulfil(store: Store, wish: Wish, request: Request, now: number): Promise<unknown> {
  if (wish.kind === "create")
    return store.createDeployment(wish.tenantId, wish.spec, routesOf(wish.tenantId, wish.spec), request, now);
  return store.changeDeployment(wish.id, changeOf(wish), undefined, request, now);
}

function changeOf(wish: Exclude<Wish, { kind: "create" }>): DeploymentChange {
  switch (wish.kind) {
    case "scale":
      return { replicas: wish.replicas };
    case "update":
      return { spec: wish.spec, routes: routesOf(wish.id.slice(0, wish.id.indexOf(".")), wish.spec) };
    case "restart":
      return { restart: true };
    case "stop":
      return { desired: "stopped" };
    case "start":
      return { desired: "run" };
    case "delete":
      return { desired: "deleted" };
  }
}

function learn(known: Map<string, Known>, wish: Wish): void {
  if (wish.kind === "create") {
    const id = deploymentIdOf(wish.tenantId, wish.spec.name);
    known.set(id, { id, spec: wish.spec, desired: "run" });
    return;
  }
  const before = known.get(wish.id);
  if (before === undefined || wish.kind === "delete") return void known.delete(wish.id);
  if (wish.kind === "stop") known.set(wish.id, { ...before, desired: "stopped" });
  if (wish.kind === "start") known.set(wish.id, { ...before, desired: "run" });
  if (wish.kind === "update") known.set(wish.id, { ...before, spec: wish.spec });
}

function brief(wish: Wish): string {
  const what = wish.kind === "create" ? deploymentIdOf(wish.tenantId, wish.spec.name) : wish.id;
  const more =
    "replicas" in wish ? ` ${wish.replicas}` : "spec" in wish ? ` ${wish.spec.replicas} ${wish.spec.update.order}` : "";
  return `${wish.kind} ${what}${more}`;
}
