import { createClient } from "@connectrpc/connect";
import { specToProto } from "@skep/api/codec/spec.ts";
import { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { ProjectChange, ProjectService } from "@skep/api/gen/skep/v1/project_service_pb.ts";
import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { failureOf } from "./testing/failure.ts";
import { createTestPlatform } from "./testing/platform.ts";

async function start() {
  const platform = createTestPlatform();
  await platform.addNodes({ id: "node1", hostname: "n1" });
  const projects = createClient(ProjectService, platform.transport);
  const deployments = createClient(DeploymentService, platform.transport);
  const all = async (): Promise<readonly string[]> =>
    (await deployments.listDeployments({})).deployments.map(({ id }) => id);
  return { ...platform, projects, deployments, all };
}

/** The service `name` of the project shop. */
function spec(name: string, over: Parameters<typeof aSpec>[0] = {}) {
  return specToProto(aSpec({ ...over, name: `shop-${name}`, project: "shop", service: name }));
}

function routed(domain: string) {
  const rule = { "traefik.http.routers.web.rule": `Host(\`${domain}\`)` };
  return aContainer({ ports: [{ containerPort: 80, protocol: "tcp", hostPort: undefined }], labels: rule });
}

const SHOP = { tenantId: "default", project: "shop" };

describe("a project", () => {
  it("is written as one, shown and deleted as one, and wakes the tick", async () => {
    const { projects, all, wakes, converge } = await start();
    const specs = [spec("db"), spec("web", { replicas: 2 })];
    const tried = await projects.applyProject({ ...SHOP, specs, dryRun: true });
    expect(tried.deployments.map(one => one.change)).toEqual([ProjectChange.CREATED, ProjectChange.CREATED]);
    expect([await all(), wakes, tried.mark]).toEqual([[], [], ""]);
    const { deployments, mark } = await projects.applyProject({ ...SHOP, specs });
    expect(deployments.map(({ deployment }) => deployment?.id)).toEqual(["default.shop-db", "default.shop-web"]);
    expect(wakes).toEqual(["project default.shop: applied"]);
    expect(await projects.getProject(SHOP)).toMatchObject({ mark, deployments: [{ name: "shop-db" }, {}] });
    const { projects: before } = await projects.listProjects({ tenantId: "default" });
    expect(before).toMatchObject([{ name: "shop", tenantId: "default", deployments: 2, converged: 0 }]);
    await converge();
    const { projects: after } = await projects.listProjects({ tenantId: "default" });
    expect(after).toMatchObject([{ deployments: 2, converged: 2 }]);
    expect((await projects.deleteProject(SHOP)).deploymentIds).toEqual(["default.shop-db", "default.shop-web"]);
    await converge();
    expect(await all()).toEqual([]);
  });

  it("names every fault of all specs at once with its path, of rules and of records, and writes nothing", async () => {
    const { projects, all, deployments } = await start();
    await deployments.createDeployment({ projectId: "default", name: "shop-db", image: "a" });
    const specs = [
      spec("good"),
      spec("bad", { containers: [aContainer({ image: "A B" })] }),
      spec("db"),
      spec("edge", { containers: [routed("console.example")] }),
    ];
    const refused = await failureOf(projects.applyProject({ ...SHOP, specs: [specs[0]!, specs[2]!, specs[3]!] }));
    expect(refused.issues.map(({ path }) => path)).toEqual(["specs[2].containers.app.labels", "specs[1].name"]);
    expect(refused.message).toContain("Nothing of the project shop was changed, for 2 reasons");
    expect(await all()).toEqual(["default.shop-db"]);
    // What breaks a rule of the proto itself is refused before any handler.
    expect(await failureOf(projects.applyProject({ ...SHOP, specs }))).toMatchObject({ reason: "INVALID_REQUEST" });
  });

  it("may not wait for itself, through its own deployments or through others", async () => {
    const { projects, deployments, all } = await start();
    const on = (name: string) => ({ dependsOn: [{ name, condition: "started" as const, required: true }] });
    const outside = specToProto(aSpec({ name: "outside", ...on("shop-a") }));
    await deployments.createDeployment({ tenantId: "default", spec: outside });
    const round = { ...SHOP, specs: [spec("a", on("shop-b")), spec("b", on("outside"))] };
    const refused = await failureOf(projects.applyProject(round));
    expect(refused).toMatchObject({ code: "failed_precondition", reason: "DEPENDENCY_CYCLE" });
    expect(refused.issues.map(({ path, problem }) => [path, problem])).toEqual([
      ["specs[0].dependsOn", expect.stringContaining("shop-a → shop-b → outside → shop-a")],
      ["specs[1].dependsOn", expect.any(String)],
    ]);
    expect(await all()).toEqual(["default.outside"]);
  });

  it("tells what differs without the values of the environment", async () => {
    const { projects } = await start();
    const env = (env: Record<string, string>) => [spec("web", { containers: [aContainer({ env })] })];
    await projects.applyProject({ ...SHOP, specs: env({ A: "old", B: "gone" }) });
    const { deployments } = await projects.applyProject({ ...SHOP, specs: env({ A: "new" }), dryRun: true });
    expect(deployments[0]?.differences.map(({ path, before, after }) => [path, before, after])).toEqual([
      ["containers.app.env.A", "(hidden)", "(hidden)"],
      ["containers.app.env.B", "(hidden)", undefined],
    ]);
  });

  it("goes with its volumes where that is asked, unless another project mounts one", async () => {
    const { projects, deployments, store, converge } = await start();
    const data = { name: "data", target: "/data", readOnly: false };
    const mounting = [aContainer({ volumes: [data] })];
    await projects.applyProject({ ...SHOP, specs: [spec("web", { containers: mounting }), spec("db")] });
    const guest = { ...data, project: "shop" };
    const other = aSpec({ name: "guest", containers: [aContainer({ volumes: [guest] })] });
    await deployments.createDeployment({ tenantId: "default", spec: specToProto(other) });
    await converge();
    const states = async () => (await store.listVolumes({ owner: "default/shop" })).map(one => one.state);
    const all = { ...SHOP, withVolumes: true, idempotencyKey: "k" };
    const refused = await failureOf(projects.deleteProject(all));
    expect(refused).toMatchObject({ code: "failed_precondition", reason: "VOLUME_IN_USE" });
    expect(refused.message).toContain("default.guest mounts the volume default/shop/data");
    expect((await projects.getProject(SHOP)).deployments.length).toBe(2);
    await deployments.deleteDeployment({ deploymentId: "default.guest" });
    await converge();
    const gone = await projects.deleteProject(all);
    expect(await states()).toEqual(["removing"]);
    expect(await projects.deleteProject(all)).toEqual(gone);
    await converge();
    expect(await states()).toEqual(["removing"]);
  });

  it("keeps its volumes where nobody says otherwise, and they go later without it", async () => {
    const { projects, store, converge } = await start();
    const mounting = [aContainer({ volumes: [{ name: "data", target: "/data", readOnly: false }] })];
    await projects.applyProject({ ...SHOP, specs: [spec("web", { containers: mounting })] });
    await converge();
    await projects.deleteProject(SHOP);
    await converge();
    const states = async () => (await store.listVolumes({ owner: "default/shop" })).map(one => one.state);
    expect(await states()).toEqual(["kept"]);
    expect((await projects.deleteProject({ ...SHOP, withVolumes: true })).deploymentIds).toEqual([]);
    expect(await states()).toEqual(["removing"]);
  });

  it("is refused where it says nothing, or is not there", async () => {
    const { projects } = await start();
    expect(await failureOf(projects.applyProject({ ...SHOP, specs: [] }))).toMatchObject({ code: "invalid_argument" });
    for (const call of [projects.getProject(SHOP), projects.deleteProject(SHOP)])
      expect(await failureOf(call)).toMatchObject({ code: "not_found", reason: "PROJECT_NOT_FOUND" });
    expect(await failureOf(projects.listProjects({ tenantId: "nobody" }))).toMatchObject({
      reason: "TENANT_NOT_FOUND",
    });
    const withVolumes = projects.deleteProject({ ...SHOP, withVolumes: true });
    expect(await failureOf(withVolumes)).toMatchObject({ reason: "PROJECT_NOT_FOUND" });
    const alien = specToProto(aSpec({ name: "web" }));
    const found = await failureOf(projects.applyProject({ ...SHOP, specs: [alien] }));
    expect(found.issues[0]).toMatchObject({ path: "specs[0].project", problem: "it belongs to no project" });
  });

  it("is changed only as it was seen, and answered alike under one key", async () => {
    const { projects, deployments } = await start();
    const { mark } = await projects.applyProject({ ...SHOP, specs: [spec("web")] });
    const change = { ...SHOP, specs: [spec("web", { replicas: 3 })], base: mark, idempotencyKey: "k" };
    const first = await projects.applyProject(change);
    expect(first.deployments[0]).toMatchObject({ change: ProjectChange.SCALED });
    await deployments.scaleDeployment({ deploymentId: "default.shop-web", replicas: 1 });
    expect((await projects.applyProject(change)).deployments[0]?.change).toBe(ProjectChange.SCALED);
    expect(await failureOf(projects.applyProject({ ...change, idempotencyKey: "" }))).toMatchObject({
      code: "aborted",
      reason: "STALE_PROJECT",
    });
  });
});
