import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import { projectMark } from "@skep/core/project/plan-project.ts";
import type { ProjectWish } from "@skep/core/project/project.ts";
import { aContainer, aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import type { Request } from "../request.ts";
import { aRoute, codeOf } from "../testing/records.ts";
import { someone, NOW, type StoreSetting } from "./setting.ts";

const NONE = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };

/** Service `name` of the project `shop`. */
function service(name: string, over: Partial<DeploymentSpec> = {}, domain?: string): ProjectWish["services"][number] {
  const spec = aSpec({ replicas: 1, ...over, name: `shop-${name}`, project: "shop", service: name });
  const route = aRoute({ deploymentId: `acme.shop-${name}`, domain: domain ?? "" });
  return { spec, routes: domain === undefined ? [] : [route] };
}

function wish(services: ProjectWish["services"], over: Partial<ProjectWish> = {}): ProjectWish {
  return { tenantId: "acme", project: "shop", services, keep: [], prune: false, base: undefined, ...over };
}

/** Several deployments that are checked and written as one. */
export function describeProjects(setting: StoreSetting): void {
  const { store } = setting;
  const apply = async (of: ProjectWish, request: Request = someone) =>
    (await store.applyProject(of, request, NOW)).map(({ change, record }) => `${record.deployment.name} ${change}`);
  const names = async () =>
    (await store.listDeployments({ tenantId: "acme" }, { size: 99, token: undefined })).items.map(
      ({ deployment }) => `${deployment.name} ${deployment.desired} ${deployment.replicas}`,
    );

  describe("projects", () => {
    it("are created, changed and removed by what differs, and leave all others alone", async () => {
      const first = [service("db"), service("web", {}, "shop.example")];
      expect(await apply(wish(first))).toEqual(["shop-db created", "shop-web created"]);
      expect(await store.listRoutes({ domain: "shop.example" })).toMatchObject([{ deploymentId: "acme.shop-web" }]);
      expect(await apply(wish(first))).toEqual(["shop-db unchanged", "shop-web unchanged"]);
      const image = { containers: [aContainer({ image: "app:2" })] };
      const next = [service("db", { replicas: 2 }), service("web", image, "other.example")];
      const steps = await store.applyProject(wish(next), someone, NOW);
      expect(steps.map(({ change, differences }) => [change, differences])).toEqual([
        ["scaled", [{ path: "replicas", before: "1", after: "2" }]],
        ["updated", [{ path: "containers.app.image", before: aContainer().image, after: "app:2" }]],
      ]);
      expect(steps.map(({ record }) => record)).toEqual([
        await store.getDeployment("acme.shop-db"),
        await store.getDeployment("acme.shop-web"),
      ]);
      expect(steps.map(({ record }) => record.release.number)).toEqual([1, 2]);
      expect(await store.listRoutes({ domain: "other.example" })).toMatchObject([{ release: 2 }]);
      await store.changeDeployment("acme.shop-web", { desired: "stopped" }, undefined, someone, NOW);
      expect(await apply(wish(next.slice(1)))).toEqual(["shop-web started", "shop-db left"]);
      expect(await apply(wish(next.slice(1), { keep: ["shop-db"], prune: true }))).toEqual(["shop-web unchanged"]);
      expect(await apply(wish(next.slice(1), { prune: true }))).toEqual(["shop-web unchanged", "shop-db removed"]);
      expect(await names()).toEqual(["shop-db deleted 2", "shop-web run 1", "web run 2"]);
    });

    it("are written whole or not at all, and every reason is told", async () => {
      await store.createTenant(aTenant({ id: "other" }), someone);
      const theirs = aRoute({ deploymentId: "other.web", tenantId: "other", domain: "taken.example" });
      await store.createDeployment("other", aSpec({ name: "web" }), [theirs], someone, NOW);
      await store.createDeployment("acme", aSpec({ name: "shop-plain" }), [], someone, NOW);
      await store.changeDeployment("acme.web", { desired: "deleted" }, undefined, someone, NOW);
      const services = [
        service("good"),
        service("domain", {}, "taken.example"),
        service("plain"),
        service("double"),
        service("double"),
      ];
      const refused: unknown = await store.applyProject(wish(services), someone, NOW).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "failed_precondition", reason: "PROJECT_REFUSED" });
      const { faults } = await store.previewProject(wish(services), NOW);
      expect(faults.map(({ reason, issue }) => [reason, issue.path])).toEqual([
        ["DOMAIN_TAKEN", "specs[1].containers[0].labels"],
        ["OTHER_PROJECT", "specs[2].name"],
        ["SPEC_INVALID", "specs[4].name"],
      ]);
      expect(refused).toMatchObject({ issues: faults.map(({ issue }) => issue) });
      expect(await names()).toEqual(["shop-plain run 1", "web deleted 2"]);
      const elsewhere = wish([service("a")], { tenantId: "nobody" });
      expect(await codeOf(store.applyProject(elsewhere, someone, NOW))).toBe("not_found TENANT_NOT_FOUND");
    });

    it("keep to the quota of what they will be, in whatever order they get there", async () => {
      await store.updateTenant("acme", { ...NONE, instances: 6 }, someone);
      expect(await apply(wish([service("a", { replicas: 3 }), service("b")]))).toHaveLength(2);
      expect(await codeOf(apply(wish([service("a", { replicas: 3 }), service("c", { replicas: 2 })])))).toBe(
        "resource_exhausted QUOTA_EXCEEDED",
      );
      expect(await names()).toEqual(["shop-a run 3", "shop-b run 1", "web run 2"]);
      // What grows is written before what shrinks, and there is never room for both.
      expect(await apply(wish([service("b", { replicas: 3 }), service("a", { replicas: 1 })]))).toHaveLength(2);
      expect(await apply(wish([service("d", { replicas: 4 })], { prune: true }))).toHaveLength(3);
      await store.updateTenant("acme", { ...NONE, instances: 1 }, someone);
      expect(await apply(wish([service("d", { replicas: 4 })])), "nothing grows").toEqual(["shop-d unchanged"]);
      const alone = store.createDeployment("acme", aSpec({ name: "late" }), [], someone, NOW);
      expect(await codeOf(alone), "other changes are held to it as before").toBe("resource_exhausted QUOTA_EXCEEDED");
    });

    it("are answered alike under one key, whatever has become of them since", async () => {
      const keyed = { actor: "someone", idempotencyKey: "k" };
      const one = wish([service("a"), service("b")]);
      const first = await store.applyProject(one, keyed, NOW);
      await store.changeDeployment("acme.shop-a", { replicas: 3 }, undefined, someone, NOW);
      expect(await store.applyProject(one, keyed, NOW)).toEqual(first);
      expect(await names()).toEqual(["shop-a run 3", "shop-b run 1", "web run 2"]);
      expect(await codeOf(apply(wish([service("a")]), keyed))).toBe("aborted IDEMPOTENCY_KEY_REUSED");
      const same = { actor: "someone", idempotencyKey: "same" };
      const restarted = wish([service("a", { replicas: 5 }), service("c")]);
      const both = await Promise.all([1, 2].map(() => store.applyProject(restarted, same, NOW)));
      expect(both[0]).toEqual(both[1]);
      expect((await store.getDeployment("acme.shop-a"))?.deployment.resourceVersion).toBe(3);
    });

    it("follow each other where they come at once, and never mix", async () => {
      const one = wish([service("a", { replicas: 2 }), service("b", { replicas: 2 })], { prune: true });
      const other = wish([service("b", { replicas: 5 }), service("c", { replicas: 5 })], { prune: true });
      await Promise.all([apply(one), apply(other)]);
      const mine = ["shop-a run 2", "shop-b run 2", "shop-c deleted 5"];
      const theirs = ["shop-a deleted 2", "shop-b run 5", "shop-c run 5"];
      expect([mine, theirs]).toContainEqual((await names()).slice(0, 3));
    });

    it("see what came just before, also of what they leave alone", async () => {
      const ab = (a: number, b: number) => wish([service("a", { replicas: a }), service("b", { replicas: b })]);
      for (let round = 0; round < 4; round++) {
        await apply(ab(1, 1));
        await Promise.all([apply(ab(2, 1)), apply(ab(1, 2))]);
        expect([
          ["shop-a run 2", "shop-b run 1"],
          ["shop-a run 1", "shop-b run 2"],
        ]).toContainEqual((await names()).slice(0, 2));
      }
    });

    it("share the last place of a quota with nobody who asks at once", async () => {
      await store.updateTenant("acme", { ...NONE, instances: 4 }, someone);
      const projects = ["one", "two", "three", "four"].map(project => {
        const spec = aSpec({ name: `${project}-web`, project, service: "web", replicas: 2 });
        return wish([{ spec, routes: [] }], { project });
      });
      // A connection each, so that they truly come at once.
      await Promise.all(projects.map(one => store.previewProject(one, NOW)));
      const done = await Promise.all(projects.map(one => codeOf(apply(one))));
      expect(done.toSorted()).toEqual([
        "done",
        ...Array.from({ length: 3 }, () => "resource_exhausted QUOTA_EXCEEDED"),
      ]);
    });

    it("are changed only as they were seen, where that is asked for", async () => {
      await apply(wish([service("a")]));
      const base = projectMark([(await store.getDeployment("acme.shop-a"))!]);
      const next = wish([service("a", { replicas: 2 })], { base });
      await store.changeDeployment("acme.shop-a", { replicas: 4 }, undefined, someone, NOW);
      expect(await codeOf(apply(next))).toBe("aborted STALE_PROJECT");
      await apply(wish([service("a")]));
      const fresh = projectMark([(await store.getDeployment("acme.shop-a"))!]);
      expect(await apply({ ...next, base: fresh })).toEqual(["shop-a scaled"]);
    });

    it("may be tried without writing anything", async () => {
      const plan = await store.previewProject(wish([service("a")]), NOW);
      expect([plan.steps.map(({ change }) => change), plan.faults]).toEqual([["created"], []]);
      expect(await names()).toEqual(["web run 2"]);
    });
  });
}
