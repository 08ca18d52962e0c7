import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import { beforeEach, describe, expect, it } from "vitest";
import { beginLife, createPlatform, type Platform } from "./platform.ts";
import { SETTINGS, startAgent, startScheduler } from "./processes.ts";
import { routesOf } from "./routes.ts";
import { setWeather } from "./weather.ts";

const QUOTA = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };
let keys = 0;
const request = () => ({ actor: "user", idempotencyKey: `key-${++keys}` });

/** One copy on the first node, with one port. */
const pinned = (name: string): DeploymentSpec =>
  aSpec({
    name,
    containers: [
      aContainer({ image: "web:1", ports: [{ containerPort: 8080, protocol: "tcp", hostPort: undefined }] }),
    ],
    placement: { constraints: ["node.hostname == host-1"] },
  });

describe("a scheduler that is cut off from the database", () => {
  let platform: Platform;

  const settled = async <T>(call: Promise<T>): Promise<T> => {
    let isDone = false;
    const done = call.finally(() => (isDone = true));
    await platform.clock.runUntil(() => isDone, 60_000);
    return done;
  };
  const store = () => platform.database.connect("user");
  const deploy = (tenantId: string, name: string): Promise<unknown> =>
    settled(
      store().createDeployment(
        tenantId,
        pinned(name),
        routesOf(tenantId, pinned(name)),
        request(),
        platform.clock.now(),
      ),
    );
  const remove = (id: string): Promise<unknown> =>
    settled(store().changeDeployment(id, { desired: "deleted" }, undefined, request(), platform.clock.now()));
  const portOf = (deploymentId: string): number | undefined =>
    [...platform.database.records.locations.values()].find(one => one.deploymentId === deploymentId)?.ports[0]
      ?.hostPort;

  beforeEach(async () => {
    platform = createPlatform(1);
    setWeather(platform);
    for (const name of platform.schedulers) startScheduler(platform, name, beginLife(platform, name));
    for (const node of platform.nodes) startAgent(platform, node, beginLife(platform, node.id));
    for (const id of ["acme", "globex"]) await settled(store().createTenant({ id, quota: QUOTA }, request()));
    await platform.clock.advance(10_000);
    await deploy("acme", "bank");
    await platform.clock.advance(10_000);
  });

  it("serves no routes once they are too old, while the others serve on", async () => {
    const leader = platform.schedulers.find(name => platform.database.records.lease?.holder.startsWith(name))!;
    const other = platform.schedulers.find(name => name !== leader)!;
    expect(platform.handles.get(other)?.current()).toContain(`:${portOf("acme.bank")}`);
    platform.database.cut(other);
    await remove("acme.bank");
    await platform.clock.advance(20_000);
    await deploy("globex", "evil");
    await platform.clock.advance(600_000);
    expect(platform.handles.get(other)?.answer()).toBeUndefined();
    expect(platform.handles.get(other)?.current()).toBe('{"http":{"services":{}}}');
    expect(platform.handles.get(leader)?.current()).toContain(`:${portOf("globex.evil")}`);
    expect(platform.violation()).toBeUndefined();
  });

  it("is no danger before that, since nobody else gets the port", async () => {
    const before = portOf("acme.bank")!;
    await remove("acme.bank");
    const isForgotten = (): boolean => platform.database.records.releasedPorts.some(one => one.hostPort === before);
    expect(await platform.clock.runUntil(isForgotten, 30_000)).toBe(true);
    // As if the rotation had come round: every other port of the node is in use.
    const { records } = platform.database;
    const [released] = records.releasedPorts;
    const others = Array.from({ length: 40 }, (_, at) => 20_000 + at).filter(port => port !== before);
    const held = others.map(hostPort => ({ ...released!, hostPort, deploymentId: "acme.held", freeAt: Infinity }));
    records.releasedPorts = [...records.releasedPorts, ...held];
    await deploy("globex", "evil");
    await platform.clock.advance(SETTINGS.portQuarantineMs / 2);
    expect(portOf("globex.evil")).toBeUndefined();
    await platform.clock.advance(SETTINGS.portQuarantineMs);
    expect(portOf("globex.evil")).toBe(before);
  });
});
