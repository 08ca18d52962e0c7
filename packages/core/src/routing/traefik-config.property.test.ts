import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Location } from "../model/instance.ts";
import type { Route } from "../model/routing.ts";
import { aLocation, aNode } from "../testing/builders.ts";
import { traefikConfig } from "./traefik-config.ts";

// Many runs of many steps: on a busy machine they take their time.
vi.setConfig({ testTimeout: 120_000 });

const NODES = [
  aNode({ id: "n1", address: "10.0.0.1" }),
  aNode({ id: "n2", address: "10.0.0.2", liveness: "suspect" }),
  aNode({ id: "n3", address: "10.0.0.3", liveness: "down" }),
];

function aRoute(over: Partial<Route> = {}): Route {
  return {
    deploymentId: "acme.web",
    tenantId: "acme",
    release: 1,
    router: "web",
    kind: "http",
    domain: "a.io",
    path: "/",
    rule: "Host(`a.io`)",
    entryPoints: ["web"],
    priority: undefined,
    container: "app",
    targetPort: 80,
    tls: false,
    weight: 1,
    balancing: "wrr",
    middlewares: [],
    service: {},
    ...over,
  };
}

function at(nodeId: string, hostPort: number, over: Partial<Location> = {}): Location {
  const ports = [{ container: "app", containerPort: 80, protocol: "tcp" as const, hostPort }];
  return aLocation({ instanceId: `acme.web.${hostPort}`, nodeId, ports, ...over });
}

function urls(locations: readonly Location[], routes: readonly Route[] = [aRoute()]): unknown {
  const services = traefikConfig(routes, locations, NODES).http?.services ?? {};
  return (services["acme.web.web"] as { loadBalancer?: { servers: { url: string }[] } }).loadBalancer?.servers.map(
    one => one.url,
  );
}

test("a route leads to every instance that serves, by its node's address and host port", () => {
  expect(traefikConfig([aRoute()], [at("n2", 20001), at("n1", 20000)], NODES)).toEqual({
    http: {
      routers: {
        "acme.web.web": {
          rule: "Host(`a.io`)",
          service: "acme.web.web",
          entryPoints: ["web"],
          middlewares: ["skep-retry-4"],
        },
      },
      services: {
        "acme.web.web": {
          loadBalancer: { servers: [{ url: "http://10.0.0.1:20000" }, { url: "http://10.0.0.2:20001" }] },
        },
      },
      middlewares: { "skep-retry-4": { retry: { attempts: 4 } } },
    },
  });
});

test.each([
  [1, undefined],
  [2, 4],
  [9, 6],
])("with %i servers a request that none of them has seen is tried so often: %s", (count, tries) => {
  const locations = Array.from({ length: count }, (_, index) => at("n1", 20000 + index));
  const slow = { name: "slow", options: { rateLimit: { average: 10 } } };
  const { http } = traefikConfig([aRoute({ middlewares: [slow] })], locations, NODES);
  const name = `skep-retry-${tries}`;
  // Last, so that what comes before it counts and changes a request once.
  const names = ["acme.web.app.slow", ...(tries === undefined ? [] : [name])];
  expect(http?.routers["acme.web.web"]?.["middlewares"]).toEqual(names);
  expect(http?.middlewares?.[name]).toEqual(tries === undefined ? undefined : { retry: { attempts: tries } });
});

test.each<[string, Location]>([
  ["is retired", at("n1", 1, { desired: "retire" })],
  ["is told to stop", at("n1", 1, { desired: "stop" })],
  ["is starting", at("n1", 1, { state: "starting" })],
  ["is unhealthy", at("n1", 1, { health: "unhealthy" })],
  ["is not known to be healthy yet", at("n1", 1, { health: "starting" })],
  ["is on a node that is down", at("n3", 1)],
  ["is on a node that is gone", at("n9", 1)],
  ["has no such port", at("n1", 1, { ports: [] })],
])("no route leads to what %s", (_, location) => {
  expect(urls([location])).toEqual([]);
});

test("while an instance moves, the newest placement that serves gets the requests, and only that", () => {
  const old = at("n1", 20000, { instanceId: "acme.web.1", epoch: 1 });
  const fresh = at("n2", 20001, { instanceId: "acme.web.1", epoch: 2 });
  expect(urls([old, { ...fresh, state: "starting" }])).toEqual(["http://10.0.0.1:20000"]);
  expect(urls([old, fresh])).toEqual(["http://10.0.0.2:20001"]);
});

test("a route that nothing serves keeps its router, with an empty server list", () => {
  expect(urls([])).toEqual([]);
  expect(traefikConfig([aRoute()], [], NODES).http?.routers["acme.web.web"]).toBeDefined();
});

test("without routes nothing is said at all, since Traefik refuses empty sections", () => {
  expect(traefikConfig([], [at("n1", 1)], NODES)).toEqual({});
});

test("one rule without TLS and with it stays two routers, as Traefik advises for both", () => {
  const plain = aRoute({ entryPoints: [] });
  const secure = aRoute({ entryPoints: [], router: "web-tls", tls: true });
  const { routers, services } = traefikConfig([plain, secure], [at("n1", 20_000)], NODES).http!;
  expect(routers).toMatchObject({ "acme.web.web": { service: "acme.web.web" }, "acme.web.web-tls": { tls: {} } });
  expect(routers["acme.web.web"]).not.toHaveProperty("tls");
  expect(services["acme.web.web-tls"]).toEqual(services["acme.web.web"]);
});

test("an instance of a release before TLS serves the route of the release with it", () => {
  const routes = [aRoute(), aRoute({ release: 2, tls: true })];
  const locations = [at("n1", 20_000, { release: 1 }), at("n2", 20_001, { release: 2 })];
  expect(urls(locations, routes)).toEqual(["http://10.0.0.1:20000", "http://10.0.0.2:20001"]);
});

test("deployments that share a rule share its requests by weight, and one without an instance gets none", () => {
  const canary = aRoute({ deploymentId: "acme.web2", weight: 9 });
  const routes = [canary, aRoute()];
  const both = [at("n1", 20000), at("n2", 20001, { instanceId: "acme.web2.1", deploymentId: "acme.web2" })];
  const config = traefikConfig(routes, both, NODES);
  expect(config.http?.routers).toEqual({
    "acme.web.web": {
      rule: "Host(`a.io`)",
      service: "acme.web.web.weighted",
      entryPoints: ["web"],
      middlewares: ["skep-retry-4"],
    },
  });
  const shares = (of: typeof config): unknown =>
    (of.http!.services["acme.web.web.weighted"] as { weighted: { services: unknown } }).weighted.services;
  expect(shares(config)).toEqual([
    { name: "acme.web.web", weight: 1 },
    { name: "acme.web2.web", weight: 9 },
  ]);
  expect(shares(traefikConfig(routes, both.slice(0, 1), NODES))).toEqual([{ name: "acme.web.web", weight: 1 }]);
});

describe("while an update is under way", () => {
  const moved = aRoute({ release: 2, targetPort: 81 });
  const both = (hostPort: number, containerPort: number, release: number): Location =>
    at("n1", hostPort, { release, ports: [{ container: "app", containerPort, protocol: "tcp", hostPort }] });

  test("the older release is served at its own port until the newer one serves, and then both are", () => {
    const routes = [aRoute(), moved];
    expect(urls([both(20000, 80, 1), { ...both(20001, 81, 2), state: "starting" }], routes)).toEqual([
      "http://10.0.0.1:20000",
    ]);
    const during = [both(20000, 80, 1), both(20001, 81, 2)];
    expect(urls(during, routes)).toEqual(["http://10.0.0.1:20000", "http://10.0.0.1:20001"]);
    expect(urls(during.slice(1), routes)).toEqual(["http://10.0.0.1:20001"]);
  });

  test("the rule, the options and the domains are those of the newest release that serves", () => {
    const rule = "Host(`b.io`)";
    const routes = [aRoute(), aRoute({ release: 2, rule, domain: "b.io", priority: 9 })];
    const old = traefikConfig(routes, [both(20000, 80, 1)], NODES).http!;
    expect(old.routers).toMatchObject({ "acme.web.web": { rule: "Host(`a.io`)" } });
    const { routers, services } = traefikConfig(routes, [both(20000, 80, 1), both(20001, 80, 2)], NODES).http!;
    expect(routers).toMatchObject({ "acme.web.web": { rule, priority: 9 } });
    expect(services["acme.web.web"]).toMatchObject({ loadBalancer: { servers: [{ url: "http://10.0.0.1:20001" }] } });
  });

  test("what only the older release routes stays at its own port and by its own options while it serves", () => {
    const slow = (average: number) => ({ name: "slow", options: { rateLimit: { average } } });
    const old = aRoute({ middlewares: [slow(1)] });
    const rule = "Host(`b.io`)";
    const fresh = aRoute({ release: 2, targetPort: 81, rule, domain: "b.io", middlewares: [slow(2)] });
    const during = [both(20000, 80, 1), both(20001, 81, 2)];
    const { routers, services, middlewares } = traefikConfig([old, fresh], during, NODES).http!;
    expect(routers).toMatchObject({
      "acme.web.web": { rule, service: "acme.web.web", middlewares: ["acme.web.app.slow"] },
      "acme.web.web.r1": { rule: "Host(`a.io`)", service: "acme.web.web.r1", middlewares: ["acme.web.app.slow.r1"] },
    });
    expect(middlewares).toEqual({ "acme.web.app.slow": slow(2).options, "acme.web.app.slow.r1": slow(1).options });
    expect(services).toEqual({
      "acme.web.web": { loadBalancer: { servers: [{ url: "http://10.0.0.1:20001" }] } },
      "acme.web.web.r1": { loadBalancer: { servers: [{ url: "http://10.0.0.1:20000" }] } },
    });
    // Nothing is left of it once the last of that release is retired.
    const after = traefikConfig([old, fresh], [{ ...during[0]!, desired: "retire" }, during[1]!], NODES).http!;
    expect(Object.keys(after.routers)).toEqual(["acme.web.web"]);
  });

  test("of three releases each has what no newer one routes", () => {
    const of = (release: number, ...domains: string[]) =>
      domains.map(domain => aRoute({ release, router: domain[0]!, rule: `Host(\`${domain}\`)`, domain }));
    const routes = [...of(1, "a.io", "b.io"), ...of(2, "b.io"), ...of(3, "c.io")];
    const during = [1, 2, 3].map(release => both(20_000 + release, 80, release));
    const { services } = traefikConfig(routes, during, NODES).http!;
    const ports = Object.entries(services).map(([name, service]) => [
      name,
      (service as { loadBalancer: { servers: { url: string }[] } }).loadBalancer.servers.map(one => one.url.slice(-1)),
    ]);
    expect(Object.fromEntries(ports)).toEqual({
      "acme.web.a.r1": ["1"],
      "acme.web.b.r2": ["1", "2"],
      "acme.web.c": ["3"],
    });
  });

  test("a router that only the newer release has waits for it with 503", () => {
    const routes = [aRoute(), moved, aRoute({ release: 2, router: "api", rule: "Host(`c.io`)", domain: "c.io" })];
    const { routers, services } = traefikConfig(routes, [both(20000, 80, 1)], NODES).http!;
    expect(Object.keys(routers)).toEqual(["acme.web.web", "acme.web.api"].toSorted());
    expect(services["acme.web.api"]).toMatchObject({ loadBalancer: { servers: [] } });
  });

  test("what runs of a release without routes of its own has those of the newest", () => {
    expect(urls([both(20000, 81, 1)], [moved])).toEqual(["http://10.0.0.1:20000"]);
  });
});

test("middlewares, TLS and load balancer options are passed on under names of their own", () => {
  const route = aRoute({
    tls: true,
    priority: 7,
    balancing: "p2c",
    middlewares: [
      { name: "slow", options: { rateLimit: { average: 10 } } },
      { name: "zip", options: { compress: {} } },
    ],
    service: { scheme: "https", passHostHeader: false, sticky: { cookie: {} }, healthCheck: {} },
  });
  const { http } = traefikConfig([route], [at("n1", 20000)], NODES);
  expect(http?.routers["acme.web.web"]).toMatchObject({
    tls: {},
    priority: 7,
    middlewares: ["acme.web.app.slow", "acme.web.app.zip"],
  });
  expect(http?.middlewares).toEqual({
    "acme.web.app.slow": { rateLimit: { average: 10 } },
    "acme.web.app.zip": { compress: {} },
  });
  expect(http?.services["acme.web.web"]).toEqual({
    loadBalancer: {
      servers: [{ url: "https://10.0.0.1:20000" }],
      passHostHeader: false,
      sticky: { cookie: {} },
      strategy: "p2c",
    },
  });
});

test("a health check follows no redirect, whatever was recorded", () => {
  const route = aRoute({ service: { healthCheck: { path: "/", followRedirects: true } } });
  expect(traefikConfig([route], [at("n1", 20000)], NODES).http?.services["acme.web.web"]).toMatchObject({
    loadBalancer: { healthCheck: { path: "/", followRedirects: false } },
  });
});

test("TCP routes go to addresses, and can leave TLS to the instance", () => {
  const route = aRoute({
    kind: "tcp",
    rule: "HostSNI(`a.io`)",
    tls: true,
    service: { passthrough: true, terminationDelay: 5 },
  });
  expect(traefikConfig([route], [at("n1", 20000)], NODES)).toEqual({
    tcp: {
      routers: {
        "acme.web.web": {
          rule: "HostSNI(`a.io`)",
          service: "acme.web.web",
          entryPoints: ["web"],
          tls: { passthrough: true },
        },
      },
      services: { "acme.web.web": { loadBalancer: { servers: [{ address: "10.0.0.1:20000" }], terminationDelay: 5 } } },
    },
  });
});

test("no tenant's names can be another's, and the order of records does not matter", () => {
  const name = fc.constantFrom("a", "b", "a-b", "b-a");
  const route = fc
    .record({
      tenant: name,
      deployment: name,
      router: fc.constantFrom("r", "r.2", "b-r"),
      domain: fc.constantFrom("a.io", "b.io"),
    })
    .map(({ tenant, deployment, router, domain }) =>
      aRoute({
        tenantId: tenant,
        deploymentId: `${tenant}.${deployment}`,
        router,
        domain: `${tenant}.${domain}`,
        rule: `Host(\`${tenant}.${domain}\`)`,
      }),
    );
  const location = fc
    .record({
      tenant: name,
      deployment: name,
      serial: fc.integer({ min: 1, max: 3 }),
      epoch: fc.integer({ min: 1, max: 3 }),
      node: fc.integer({ min: 1, max: 4 }),
      state: fc.constantFrom("running", "running", "starting", "lost"),
      desired: fc.constantFrom("run", "run", "retire", "stop"),
      health: fc.constantFrom("none", "healthy", "unhealthy"),
    })
    .map(({ tenant, deployment, serial, node, ...rest }) =>
      at(`n${node}`, 20000 + serial * 10 + rest.epoch, {
        instanceId: `${tenant}.${deployment}.${serial}`,
        deploymentId: `${tenant}.${deployment}`,
        tenantId: tenant,
        ...rest,
      }),
    );
  fc.assert(
    fc.property(fc.array(route, { maxLength: 6 }), fc.array(location, { maxLength: 10 }), (routes, given) => {
      const distinct = routes.filter(
        (one, index) =>
          routes.findIndex(other => other.deploymentId === one.deploymentId && other.router === one.router) === index,
      );
      const locations = given.filter(
        (one, index) =>
          given.findIndex(other => other.instanceId === one.instanceId && other.epoch === one.epoch) === index,
      );
      const config = traefikConfig(distinct, locations, NODES);
      expect(traefikConfig([...distinct].reverse(), [...locations].reverse(), NODES)).toEqual(config);
      const serving = locations.filter(
        one =>
          one.desired === "run" &&
          one.state === "running" &&
          one.health !== "unhealthy" &&
          ["n1", "n2"].includes(one.nodeId),
      );
      for (const [service, value] of Object.entries(config.http?.services ?? {})) {
        for (const { url } of (value as { loadBalancer?: { servers: { url: string }[] } }).loadBalancer?.servers ??
          []) {
          const target = serving.find(
            one =>
              url === `http://${NODES.find(node => node.id === one.nodeId)!.address}:${one.ports[0]!.hostPort}` &&
              service.startsWith(`${one.deploymentId}.`),
          );
          expect(target).toBeDefined();
          const newer = serving.some(one => one.instanceId === target!.instanceId && one.epoch > target!.epoch);
          expect(newer).toBe(false);
        }
      }
    }),
    { numRuns: 500 },
  );
});
