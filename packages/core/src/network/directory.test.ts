import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aDeployment, aLocation, aNode, aRelease, aSpec, aWorld } from "../testing/builders.ts";
import type { DeploymentSpec } from "../model/deployment.ts";
import type { Location } from "../model/instance.ts";
import type { World } from "../world/world.ts";
import { directoriesOf, MOST_ADDRESSES_OF_TENANT } from "./directory.ts";
import { defaultNetwork } from "./membership.ts";

const nodes = [1, 2, 3].map(at =>
  aNode({ id: `node-${at}`, address: `10.0.0.${at}`, block: `10.128.${at * 16}.0/20` }),
);

interface Service {
  readonly service: string;
  readonly project?: string;
  readonly tenant?: string;
  readonly networks?: readonly string[];
  /** Node and last number of the address of each instance. */
  readonly at: readonly (readonly [number, number])[];
  readonly over?: Partial<Location>;
}

function worldOf(services: readonly Service[], over: Partial<World> = {}): World {
  const specOf = ({ service, project = "shop", networks = [] }: Service): DeploymentSpec =>
    aSpec({
      ...{ name: `${project}-${service}`, project, service },
      networks: networks.map(name => ({ name, aliases: [], isInternal: false })),
    });
  const deployments = services.map(one => aDeployment({ tenantId: one.tenant ?? "acme", name: specOf(one).name }));
  return aWorld({
    nodes,
    deployments,
    releases: services.map((one, at) => aRelease({ deploymentId: deployments[at]!.id, spec: specOf(one) })),
    locations: services.flatMap((one, index) =>
      one.at.map(([node, number], at) =>
        aLocation({
          ...{ instanceId: `${deployments[index]!.id}.${at}`, nodeId: `node-${node}` },
          ...{ address: `10.128.${node * 16}.${number}`, ...one.over },
        }),
      ),
    ),
    ...over,
  });
}

/** What a node is told, in short: tenant, service, and its addresses; `(`others`)`. */
function told(world: World, node: number): readonly string[] {
  return directoriesOf(world)
    .nodes.get(`node-${node}`)!
    .tenants.flatMap(({ tenantId, entries }) =>
      entries.map(({ service, well, others }) =>
        [`${tenantId}/${service}`, ...well, ...others.map(one => `(${one})`)].join(" "),
      ),
    );
}

const web: Service = { service: "web", at: [[1, 2]] };
const db: Service = {
  service: "db",
  at: [
    [2, 2],
    [3, 2],
  ],
};

describe("the directory of a node", () => {
  it("has every service of the tenants that are there, wherever it runs, and no other tenant", () => {
    const world = worldOf([web, db, { service: "web", tenant: "other", at: [[2, 9]] }]);
    expect(told(world, 1)).toEqual(["acme/db 10.128.32.2 10.128.48.2", "acme/web 10.128.16.2"]);
    expect(told(world, 2)).toHaveLength(3);
    expect(told(world, 3)).toHaveLength(2);
  });

  it("has nothing of networks that nothing there is in", () => {
    const world = worldOf([
      { ...web, networks: ["front"] },
      { ...db, networks: ["front", "back"] },
      { service: "secret", networks: ["back"], at: [[3, 7]] },
    ]);
    expect(told(world, 1).map(one => one.split(" ")[0])).toEqual(["acme/db", "acme/web"]);
    expect(told(world, 2).map(one => one.split(" ")[0])).toEqual(["acme/db", "acme/secret", "acme/web"]);
  });

  it.each<[string, Partial<Location>]>([
    ["is not healthy", { health: "unhealthy" }],
    ["does not run yet", { state: "starting" }],
    ["is being replaced", { desired: "retire" }],
  ])("lets no name lead to what %s, and says that it is there", (_, over) => {
    expect(told(worldOf([web, { ...db, at: [[2, 2]], over }]), 1)).toContain("acme/db (10.128.32.2)");
  });

  it("lets no name lead to a node that is down", () => {
    const down = nodes.map(node => (node.id === "node-2" ? { ...node, liveness: "down" as const } : node));
    expect(told(worldOf([web, db], { nodes: down }), 1)).toContain("acme/db 10.128.48.2 (10.128.32.2)");
  });

  it("knows a service of which nothing runs, and nothing of one that is over or deleted", () => {
    expect(told(worldOf([web, { ...db, at: [] }]), 1)).toContain("acme/db");
    expect(told(worldOf([web, { ...db, over: { state: "failed" } }]), 1)).toContain("acme/db");
    const world = worldOf([web, { ...db, at: [] }]);
    const deployments = world.deployments.map(one =>
      one.name === "shop-db" ? { ...one, desired: "deleted" as const } : one,
    );
    expect(told({ ...world, deployments }, 1)).toEqual(["acme/web 10.128.16.2"]);
  });

  it("believes no address that its node cannot have", () => {
    for (const address of ["10.128.32.3", "10.0.0.1", "169.254.169.254"]) {
      const world = worldOf([web, { ...db, at: [[3, 2]], over: { address } }]);
      expect(told(world, 1), address).toEqual(["acme/db", "acme/web 10.128.16.2"]);
    }
    const blockless = nodes.map(node => aNode({ id: node.id, address: node.address }));
    expect(told(worldOf([web], { nodes: blockless }), 1)).toEqual([]);
  });

  it("names the networks and aliases of each release, and the default one where there is none", () => {
    const world = worldOf([web]);
    const [names] = directoriesOf(world).nodes.get("node-1")!.tenants;
    expect(names?.entries).toMatchObject([
      { deployment: "shop-web", project: "shop", service: "web", networks: [{ name: defaultNetwork("shop") }] },
    ]);
    expect(defaultNetwork(undefined)).toBe("default");
  });

  it("has an entry for each release that runs", () => {
    const world = worldOf([web]);
    const deployments = world.deployments.map(one => ({ ...one, release: 2 }));
    const networks = [{ name: "shop_default", aliases: ["www"], isInternal: false }];
    const second = aRelease({
      deploymentId: "acme.shop-web",
      number: 2,
      spec: { ...world.releases[0]!.spec, networks },
    });
    const locations = [
      ...world.locations,
      aLocation({ instanceId: "acme.shop-web.9", nodeId: "node-2", address: "10.128.32.9", release: 2 }),
    ];
    expect(told({ ...world, deployments, releases: [...world.releases, second], locations }, 1)).toEqual([
      "acme/web 10.128.16.2",
      "acme/web 10.128.32.9",
    ]);
  });

  it("has a bound, and names the tenant that is beyond it", () => {
    const many = Array.from({ length: MOST_ADDRESSES_OF_TENANT }, (_, at) => [1, 2 + (at % 250)] as const);
    const world = worldOf([web, { service: "zoo", at: many }]);
    const directory = directoriesOf(world).nodes.get("node-1")!;
    expect(directory.leftOut).toEqual(["acme"]);
    expect(directory.tenants[0]?.entries.map(one => one.service)).toEqual(["web"]);
  });

  it("has one for all tenants together, and one for the length of a tenant's names", () => {
    const most = (tenant: string, count = MOST_ADDRESSES_OF_TENANT): Service => {
      return { service: "zoo", tenant, at: Array.from({ length: count }, (_, at) => [1, 2 + (at % 250)] as const) };
    };
    const five = worldOf([most("a"), most("b"), most("c"), most("d", MOST_ADDRESSES_OF_TENANT - 1), most("e", 2)]);
    expect(directoriesOf(five).nodes.get("node-1")!.leftOut).toEqual(["e"]);
    const world = worldOf(Array.from({ length: 40 }, (_, at) => ({ service: `s${at}`, at: [[1, at + 2]] as const })));
    const networks = [{ name: "back", aliases: Array.from({ length: 100 }, () => "x".repeat(100)), isInternal: false }];
    const releases = world.releases.map(one => ({ ...one, spec: { ...one.spec, networks } }));
    expect(directoriesOf({ ...world, releases }).nodes.get("node-1")!.leftOut).toEqual(["acme"]);
  });

  it("tells where every node with a block is", () => {
    const { peers } = directoriesOf(worldOf([], { nodes: [aNode({ id: "new" }), ...nodes] })).nodes.get("new")!.network;
    expect(peers.map(one => `${one.nodeId} ${one.address} ${one.block}`)).toEqual([
      "node-1 10.0.0.1 10.128.16.0/20",
      "node-2 10.0.0.2 10.128.32.0/20",
      "node-3 10.0.0.3 10.128.48.0/20",
    ]);
  });
});

it("is the same object where nothing of it changed, and what it would be without the one before where it did", () => {
  const before = worldOf([web, db, { service: "web", tenant: "other", at: [[3, 9]] }]);
  const first = directoriesOf(before);
  expect(directoriesOf({ ...before, locations: [...before.locations] }, first).nodes.get("node-1")).toBe(
    first.nodes.get("node-1"),
  );
  const locations = before.locations.map(one =>
    one.tenantId === "other" ? { ...one, health: "unhealthy" as const } : one,
  );
  const after = { ...before, locations };
  const second = directoriesOf(after, first);
  expect(second.nodes.get("node-1")).toBe(first.nodes.get("node-1"));
  expect(second.nodes.get("node-3")?.tenants).toEqual(directoriesOf(after).nodes.get("node-3")?.tenants);
  const down = {
    ...after,
    nodes: nodes.map(node => (node.id === "node-2" ? { ...node, liveness: "down" as const } : node)),
  };
  const third = directoriesOf(down, second);
  expect(third.nodes.get("node-1")?.tenants).toEqual(directoriesOf(down).nodes.get("node-1")?.tenants);
  expect(third.nodes.get("node-1")).not.toBe(second.nodes.get("node-1"));
});

it("never tells a node of a tenant or a network that nothing there is in", () => {
  const service = fc.record({
    service: fc.constantFrom("a", "b", "c"),
    project: fc.constantFrom("p", "q"),
    tenant: fc.constantFrom("t", "u"),
    networks: fc.uniqueArray(fc.constantFrom("x", "y", "z"), { maxLength: 2 }),
    at: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 2, max: 200 })), { maxLength: 3 }),
  });
  const unique = fc.uniqueArray(service, {
    maxLength: 8,
    selector: one => `${one.tenant} ${one.project} ${one.service}`,
  });
  const networksOf = ({ networks, project }: { networks: string[]; project: string }) =>
    networks.length === 0 ? [defaultNetwork(project)] : networks;
  fc.assert(
    fc.property(unique, services => {
      const { nodes: made } = directoriesOf(worldOf(services));
      for (const [at, { id }] of nodes.entries()) {
        const here = services.filter(one => one.at.some(([node]) => node === at + 1));
        for (const { tenantId, entries } of made.get(id)!.tenants)
          for (const entry of entries) {
            const near = here.filter(one => one.tenant === tenantId).flatMap(networksOf);
            expect(entry.networks.some(one => near.includes(one.name))).toBe(true);
          }
      }
    }),
    { numRuns: 200 },
  );
});
