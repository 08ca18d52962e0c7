import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { specToProto } from "@skep/api/codec/spec.ts";
import { DeploymentDesired } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { InstanceService } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import { Availability } from "@skep/api/gen/skep/v1/node_pb.ts";
import { NodeService } from "@skep/api/gen/skep/v1/node_service_pb.ts";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { RoutingService } from "@skep/api/gen/skep/v1/routing_service_pb.ts";
import { DeploymentSpecSchema } from "@skep/api/gen/skep/v1/spec_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { failureOf } from "./testing/failure.ts";
import { LEADER, createTestPlatform } from "./testing/platform.ts";
import type { TestPlatform } from "./testing/platform.ts";

function clients(platform: TestPlatform) {
  const { transport } = platform;
  return {
    ...platform,
    tenants: createClient(TenantService, transport),
    deployments: createClient(DeploymentService, transport),
    instances: createClient(InstanceService, transport),
    nodes: createClient(NodeService, transport),
    routing: createClient(RoutingService, transport),
    platform: createClient(PlatformService, transport),
  };
}

/** A platform with nodes `n1` (manager) and `n2`, and tenant acme. */
async function start() {
  const all = clients(createTestPlatform());
  await all.addNodes(
    { id: "node1", hostname: "n1", address: "10.0.0.1", role: "manager" },
    { id: "node2", hostname: "n2", address: "10.0.0.2", labels: { compute: "true" } },
  );
  await all.tenants.createTenant({ tenantId: "acme" });
  return all;
}

function spec(over: Parameters<typeof aSpec>[0] = {}) {
  return create(DeploymentSpecSchema, specToProto(aSpec(over)));
}

/** Traefik's labels for a domain, and the port they lead to. */
function routed(domain: string) {
  return aContainer({
    ports: [{ containerPort: 80, protocol: "tcp", hostPort: undefined }],
    labels: {
      "traefik.enable": "true",
      "traefik.http.routers.web.rule": `Host(\`${domain}\`)`,
      "traefik.http.services.web.loadbalancer.server.port": "80",
    },
  });
}

describe("DeploymentService", () => {
  it("creates, wakes the tick after the commit, and shows how far the deployment is", async () => {
    const { deployments, wakes, converge } = await start();
    const { deployment } = await deployments.createDeployment({ tenantId: "acme", spec: spec({ replicas: 2 }) });
    expect(deployment).toMatchObject({ id: "acme.web", replicas: 2, release: 1, resourceVersion: 1n });
    expect(deployment?.status).toMatchObject({ wanted: 2, placed: 0, converged: false });
    expect(wakes).toEqual(["acme.web: created"]);
    await converge();
    const after = await deployments.getDeployment({ deploymentId: "acme.web" });
    expect(after.deployment?.status).toMatchObject({ wanted: 2, running: 2, healthy: 2, converged: true, message: "" });
  });

  it("takes the flat form, names it after the image and routes its domain", async () => {
    const { deployments, routing } = await start();
    const { deployment } = await deployments.createDeployment({
      projectId: "acme",
      image: "registry.example/team/my_app:1.2",
      envVars: { A: "1" },
      domain: "App.example.com",
      gitRepo: "https://example.test/app",
    });
    expect(deployment?.id).toBe("acme.my-app");
    expect(deployment?.domains).toEqual(["app.example.com"]);
    const { routes } = await routing.getRoute({ domain: "app.example.com" });
    expect(routes.map(route => [route.targetPort, route.tls])).toEqual([
      [80, false],
      [80, true],
    ]);
    const refused = await failureOf(
      deployments.createDeployment({ projectId: "acme", gitRepo: "https://example.test/app" }),
    );
    expect(refused).toMatchObject({ code: "invalid_argument", reason: "IMAGE_MISSING" });
    expect(refused.message).toContain("not built from a repository");
  });

  it("scales, stops, starts, restarts and deletes", async () => {
    const { deployments, converge } = await start();
    await deployments.createDeployment({ tenantId: "acme", spec: spec() });
    const deploymentId = "acme.web";
    await deployments.scaleDeployment({ deploymentId, replicas: 3 });
    await converge();
    expect((await deployments.getDeployment({ deploymentId })).deployment?.status?.healthy).toBe(3);
    expect((await deployments.restartDeployment({ deploymentId })).deployment?.release).toBe(2);
    await deployments.stopDeployment({ deploymentId });
    await converge();
    const stopped = (await deployments.getDeployment({ deploymentId })).deployment;
    expect(stopped).toMatchObject({ desired: DeploymentDesired.STOPPED, status: { wanted: 0, converged: true } });
    await deployments.startDeployment({ deploymentId });
    await deployments.deleteDeployment({ deploymentId });
    await converge();
    expect(await failureOf(deployments.getDeployment({ deploymentId }))).toMatchObject({
      code: "not_found",
      reason: "DEPLOYMENT_NOT_FOUND",
    });
  });

  it("refuses a change that is based on an old version, and keeps what is there", async () => {
    const { deployments } = await start();
    await deployments.createDeployment({ tenantId: "acme", spec: spec() });
    const change = { deploymentId: "acme.web", resourceVersion: 1n };
    await deployments.updateDeployment({ ...change, spec: spec({ containers: [aContainer({ image: "app:2" })] }) });
    const refused = await failureOf(deployments.updateDeployment({ ...change, spec: spec() }));
    expect(refused).toMatchObject({ code: "aborted", reason: "STALE_VERSION" });
    const { deployment } = await deployments.getDeployment({ deploymentId: "acme.web" });
    expect(deployment?.spec?.containers[0]?.image).toBe("app:2");
  });

  it("answers a repeated request alike, and refuses its key for another one", async () => {
    const { deployments } = await start();
    const request = { tenantId: "acme", spec: spec(), idempotencyKey: "k1" };
    const first = await deployments.createDeployment(request);
    const again = await deployments.createDeployment(request);
    expect(again.deployment?.resourceVersion).toBe(first.deployment?.resourceVersion);
    const other = { ...request, spec: spec({ name: "other" }) };
    expect(await failureOf(deployments.createDeployment(other))).toMatchObject({ code: "aborted" });
  });

  it.each([
    ["a taken name", { spec: spec({ name: "taken" }) }, "already_exists", "DEPLOYMENT_EXISTS"],
    ["an unknown tenant", { tenantId: "nobody", spec: spec() }, "not_found", "TENANT_NOT_FOUND"],
    [
      "another tenant's domain",
      { spec: spec({ containers: [routed("taken.example")] }) },
      "failed_precondition",
      "DOMAIN_TAKEN",
    ],
    ["a name with ../", { spec: spec({ name: "../web" }) }, "invalid_argument", "INVALID_REQUEST"],
    ["no container", { spec: spec({ containers: [] }) }, "invalid_argument", "INVALID_REQUEST"],
    [
      "a constraint that cannot be read",
      { spec: spec({ placement: { constraints: ["node.labels.x ~ y"] } }) },
      "invalid_argument",
      "SPEC_INVALID",
    ],
  ])("refuses %s with a reason and what to do", async (_, request, code, reason) => {
    const { deployments, tenants, store } = await start();
    await tenants.createTenant({ tenantId: "other" });
    await deployments.createDeployment({ tenantId: "other", spec: spec({ containers: [routed("taken.example")] }) });
    await deployments.createDeployment({ tenantId: "acme", spec: spec({ name: "taken" }) });
    const refused = await failureOf(deployments.createDeployment({ tenantId: "acme", ...request }));
    expect(refused).toMatchObject({ code, reason });
    expect(refused.message.length).toBeGreaterThan(20);
    expect((await store.listDeployments({ tenantId: "acme" }, { size: 10, token: undefined })).items).toHaveLength(1);
  });

  it("does not rename", async () => {
    const { deployments } = await start();
    await deployments.createDeployment({ tenantId: "acme", spec: spec() });
    const refused = await failureOf(
      deployments.updateDeployment({ deploymentId: "acme.web", spec: spec({ name: "else" }) }),
    );
    expect(refused).toMatchObject({ code: "invalid_argument", reason: "NAME_FIXED" });
  });

  it("answers unavailable at once while the database is away", async () => {
    const { deployments, database } = await start();
    database.cut();
    expect(await failureOf(deployments.listDeployments({}))).toMatchObject({ code: "unavailable" });
  });

  it("says in the status why instances do not run, in the engine's own words", async () => {
    const { deployments, converge, setOutcome } = await start();
    setOutcome(() => ({ state: "preparing", health: "none", message: "pull access denied for nope" }));
    await deployments.createDeployment({ tenantId: "acme", spec: spec() });
    await converge();
    const { deployment } = await deployments.getDeployment({ deploymentId: "acme.web" });
    expect(deployment?.status?.troubles[0]?.sentence).toMatch(
      /^it is preparing on node n\d: pull access denied for nope$/,
    );
    expect(deployment?.status?.message).toContain("pull access denied for nope");
  });

  it("pages lists", async () => {
    const { deployments } = await start();
    for (const name of ["a", "b", "c"]) await deployments.createDeployment({ tenantId: "acme", spec: spec({ name }) });
    const first = await deployments.listDeployments({ tenantId: "acme", pageSize: 2 });
    const second = await deployments.listDeployments({ pageSize: 2, pageToken: first.nextPageToken });
    expect([...first.deployments, ...second.deployments].map(one => one.name)).toEqual(["a", "b", "c"]);
    expect(second.nextPageToken).toBe("");
    expect(await failureOf(deployments.listDeployments({ pageToken: "%%" }))).toMatchObject({
      reason: "BAD_PAGE_TOKEN",
    });
  });
});

describe("placement", () => {
  it("explains where instances are, and why one fits nowhere", async () => {
    const { deployments, converge, store } = await start();
    const placement = { constraints: ["node.labels.compute == true"], maxPerNode: 1 };
    await deployments.createDeployment({ tenantId: "acme", spec: spec({ replicas: 2, placement }) });
    await converge();
    const { placements } = await deployments.explainPlacement({ deploymentId: "acme.web" });
    expect(placements.map(one => one.hostname)).toEqual(["", "n2"]);
    expect(placements[0]?.refusal?.advice).not.toBe("");
    expect(placements[0]?.nodes.map(node => [node.hostname, node.eligible])).toEqual([
      ["n1", false],
      ["n2", false],
    ]);
    const { instanceId = "" } = placements[1] ?? {};
    // What was done to it since, such as a command that ran in it, is no reason for its place.
    const event = { at: Date.now(), tenantId: "acme", deploymentId: "acme.web", instanceId, nodeId: "node2", epoch: 1 };
    await store.saveDecisions([
      { ...event, kind: "instance.placed", sentence: "it goes to n2" },
      { ...event, at: event.at + 1, kind: "instance.exec", sentence: "ann asked to run ls" },
    ]);
    const one = await deployments.explainPlacement({ instanceId });
    expect(one.placements[0]?.because).toBe("it goes to n2");
    expect(one.placements).toHaveLength(1);
    // What it takes up itself does not count against the node that it is on.
    expect(one.placements[0]?.nodes.map(node => [node.hostname, node.eligible])).toEqual([
      ["n1", false],
      ["n2", true],
    ]);
    expect(await failureOf(deployments.explainPlacement({ deploymentId: "acme.no" }))).toMatchObject({
      code: "not_found",
    });
  });

  it("previews without creating anything", async () => {
    const { deployments, store } = await start();
    const placement = { maxPerNode: 1 };
    const { placements } = await deployments.previewPlacement({
      tenantId: "acme",
      spec: spec({ replicas: 3, placement }),
    });
    expect(placements.map(one => one.hostname === "")).toEqual([false, false, true]);
    expect(placements[0]?.nodes).toHaveLength(2);
    expect((await store.loadWorld()).deployments).toEqual([]);
  });
});

describe("the other services", () => {
  it("lists instances, locations and routes with the servers that get requests", async () => {
    const { deployments, instances, routing, converge, store } = await start();
    await deployments.createDeployment({
      tenantId: "acme",
      spec: spec({ containers: [routed("web.example")], placement: { constraints: ["node.hostname == n2"] } }),
    });
    await converge();
    const found = await instances.listInstances({ deploymentId: "acme.web" });
    expect(found.instances).toMatchObject([{ hostname: "n2", nodeId: "node2", epoch: 1 }]);
    const { locations } = await instances.listLocations({ nodeId: "node2" });
    expect(locations).toMatchObject([{ address: "10.0.0.2", domain: "web.example", containerIds: ["acme.web.1-1"] }]);
    const { routes } = await routing.listRoutes({ tenantId: "acme" });
    const hostPort = locations[0]?.ports[0]?.hostPort;
    expect(routes[0]?.servers).toMatchObject([{ address: "10.0.0.2", port: hostPort }]);
    // As on the edges: nobody is sent to a node that is down, though its last word was that all is
    // well.
    await store.saveLiveness(new Map([["node2", "down"]]), await store.takeLease(...LEADER));
    expect((await routing.listRoutes({ tenantId: "acme" })).routes[0]?.servers).toEqual([]);
    expect(await failureOf(routing.getRoute({ domain: "no.example" }))).toMatchObject({ code: "not_found" });
    expect(await failureOf(instances.getInstance({ instanceId: "acme.web.99" }))).toMatchObject({ code: "not_found" });
  });

  it("names for each of two deployments of a tenant the other one that asks for the same", async () => {
    const { deployments, routing } = await start();
    const ask = (name: string, domain: string, tenantId = "acme") =>
      deployments.createDeployment({ tenantId, spec: spec({ name, containers: [routed(domain)] }) });
    await ask("web", "web.example");
    await ask("web2", "web.example");
    await ask("other", "other.example");
    const { routes } = await routing.listRoutes({ tenantId: "acme" });
    expect(routes.map(({ deploymentId, sharedWith, release }) => [deploymentId, sharedWith, release])).toEqual([
      ["acme.other", [], 1],
      ["acme.web", ["acme.web2"], 1],
      ["acme.web2", ["acme.web"], 1],
    ]);
    for (const one of [
      await routing.listRoutes({ deploymentId: "acme.web2" }),
      await routing.getRoute({ domain: "web.example" }),
    ])
      expect(one.routes.find(({ deploymentId }) => deploymentId === "acme.web2")?.sharedWith).toEqual(["acme.web"]);
  });

  it("creates, limits and removes tenants", async () => {
    const { tenants, deployments } = await start();
    await tenants.updateTenant({ tenantId: "acme", quota: { instances: 1, memoryBytes: 1_073_741_824n } });
    expect((await tenants.getTenant({ tenantId: "acme" })).tenant?.quota).toMatchObject({ instances: 1 });
    const refused = await failureOf(deployments.createDeployment({ tenantId: "acme", spec: spec({ replicas: 2 }) }));
    expect(refused).toMatchObject({ code: "resource_exhausted", reason: "QUOTA_EXCEEDED" });
    expect(await failureOf(tenants.createTenant({ tenantId: "acme" }))).toMatchObject({ code: "already_exists" });
    await tenants.deleteTenant({ tenantId: "acme" });
    expect((await tenants.listTenants({})).tenants.map(tenant => tenant.id)).toEqual(["default"]);
    expect(await failureOf(tenants.getTenant({ tenantId: "acme" }))).toMatchObject({ code: "not_found" });
  });

  it("lets nobody take a domain of the platform, a node's name or an address", async () => {
    const { deployments } = await start();
    const take = (domain: string) =>
      failureOf(
        deployments.createDeployment({ projectId: "acme", name: "web", image: "nginx:alpine", port: 80, domain }),
      );
    for (const domain of ["console.example", "n1", "10.0.0.1", "localhost"]) {
      const refused = await take(domain);
      expect(refused).toMatchObject({ code: "invalid_argument", reason: "SPEC_INVALID" });
      expect(refused?.message).toMatch(new RegExp(`takes ${domain}, which (is|the platform keeps)`));
    }
  });

  it("bounds a new tenant where nobody said how, until somebody lifts that", async () => {
    const { tenants } = await start();
    const { tenant } = await tenants.createTenant({ tenantId: "fresh", quota: { cpuMillis: 5_000n } });
    expect(tenant?.quota).toMatchObject({ instances: 200, cpuMillis: 5_000n, memoryBytes: 2n ** 40n });
    const own = await tenants.createTenant({ tenantId: "own", quota: { instances: 7 } });
    expect(own.tenant?.quota).toMatchObject({ instances: 7 });
    await tenants.updateTenant({ tenantId: "fresh", quota: {} });
    expect((await tenants.getTenant({ tenantId: "fresh" })).tenant?.quota?.instances).toBeUndefined();
  });

  it("changes nodes through a manager's agent, and says so where none answers", async () => {
    const { nodes, answer, wakes, store } = await start();
    const asked: unknown[] = [];
    const lost = await failureOf(nodes.drainNode({ nodeId: "n2" }));
    expect(lost).toMatchObject({ code: "unavailable", reason: "NO_MANAGER_AGENT" });
    answer("node1", ask => {
      asked.push(ask);
      const node = { nodeId: "node2", hostname: "n2", role: "worker", availability: "drain", state: "ready" } as const;
      return [{ kind: "node", node: { ...node, address: "", labels: { a: "b" }, versionIndex: 2 } }];
    });
    const { node } = await nodes.drainNode({ nodeId: "n2" });
    expect(node).toMatchObject({ id: "node2", availability: Availability.DRAIN, labels: { a: "b" } });
    expect(asked).toEqual([{ kind: "node", nodeId: "node2", change: { action: "drain" } }]);
    expect(wakes.at(-1)).toBe("node n2: drain");
    const { items } = await store.listDecisions({}, { size: 10, token: undefined });
    expect(items).toMatchObject([
      { kind: "node-drain", nodeId: "node2", sentence: "anonymous asked to drain node n2" },
    ]);
    expect(await failureOf(nodes.drainNode({ nodeId: "n1" }))).toMatchObject({ reason: "DRAIN_ENDS_PLATFORM" });
    expect(asked).toHaveLength(1);
    await nodes.drainNode({ nodeId: "n1", force: true });
    expect(asked).toHaveLength(2);
    expect(await failureOf(nodes.labelNode({ nodeId: "n9", set: { a: "1" } }))).toMatchObject({ code: "not_found" });
    expect((await nodes.listNodes({ pageSize: 1 })).nextPageToken).toBe("node1");
  });

  it("tells how the platform is", async () => {
    const { platform, deployments, converge } = await start();
    await deployments.createDeployment({ tenantId: "acme", spec: spec({ replicas: 2 }) });
    await converge();
    const status = await platform.getStatus({});
    expect(status).toMatchObject({
      replica: "scheduler-1",
      leader: { holder: "test", term: 1n },
      // One that was killed as it led is told of, and leads no more.
      replicas: [
        { name: "scheduler-1", leading: true },
        { name: "scheduler-0", leading: false },
      ],
      nodes: { ready: 2 },
      instances: { running: 2 },
      tenants: 2,
      deployments: 1,
      warnings: [],
    });
  });
});

describe("errors", () => {
  it("carry their code over Connect", async () => {
    const { deployments } = await start();
    const error: unknown = await deployments
      .getDeployment({ deploymentId: "acme.no" })
      .catch((thrown: unknown) => thrown);
    expect(ConnectError.from(error).code).toBe(Code.NotFound);
  });
});
