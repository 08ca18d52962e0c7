import type { Route } from "@skep/core/model/routing.ts";
import type { Store } from "../store.ts";
import type { Request } from "../request.ts";
import { aContainer, aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { aRoute, codeOf, creation, placement } from "../testing/records.ts";
import { someone, NOW, type StoreSetting } from "./setting.ts";

/**
 * A time at which nothing that was freed during a test is kept any more, whatever the database's
 * clock says.
 */
const LONG_AFTER = 4_000_000_000_000;

/** What the API writes: refusals, quotas, versions, idempotency, pages. */
export function describeSpecs(setting: StoreSetting): void {
  const { store, committed } = setting;

  describe("tenants and deployments", () => {
    const NONE = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };

    it("refuses what the port says that it refuses", async () => {
      const create = (tenantId: string, name: string, routes: Route[] = []) =>
        codeOf(store.createDeployment(tenantId, aSpec({ name }), routes, someone, NOW));
      expect(await codeOf(store.createTenant(aTenant(), someone))).toBe("already_exists TENANT_EXISTS");
      expect(await codeOf(store.updateTenant("nobody", NONE, someone))).toBe("not_found TENANT_NOT_FOUND");
      expect(await codeOf(store.deleteTenant("nobody", someone))).toBe("not_found TENANT_NOT_FOUND");
      expect(await codeOf(store.deleteTenant("acme", someone))).toBe("failed_precondition TENANT_HAS_DEPLOYMENTS");
      expect(await create("acme", "web")).toBe("already_exists DEPLOYMENT_EXISTS");
      expect(await create("nobody", "web")).toBe("not_found TENANT_NOT_FOUND");
      expect(await codeOf(store.changeDeployment("acme.nope", {}, undefined, someone, NOW))).toBe(
        "not_found DEPLOYMENT_NOT_FOUND",
      );
      await store.createTenant(aTenant({ id: "other" }), someone);
      const stolen = aRoute({ deploymentId: "other.web", tenantId: "other" });
      expect(await create("other", "web", [stolen])).toBe("failed_precondition DOMAIN_TAKEN");
      expect(await store.getDeployment("other.web")).toBeUndefined();
      expect(await create("acme", "more", [aRoute({ deploymentId: "acme.more" })])).toBe("done");
    });

    it("gives a name to one deployment, and again when its holder is gone", async () => {
      const create = (routes: Route[]) =>
        codeOf(store.createDeployment("acme", aSpec({ name: "web" }), routes, someone, NOW));
      for (const routes of [[], [aRoute()], [aRoute({ router: "other" })]])
        expect(await create(routes)).toBe("already_exists DEPLOYMENT_EXISTS");
      await store.changeDeployment("acme.web", { desired: "deleted" }, undefined, someone, NOW);
      for (const routes of [[], [aRoute()]])
        expect(await create(routes)).toBe("failed_precondition DEPLOYMENT_DELETED");
      await committed({ kind: "forget-deployment", deploymentId: "acme.web" });
      expect(await create([aRoute()])).toBe("done");
      expect((await store.getDeployment("acme.web"))?.deployment).toMatchObject({ desired: "run", resourceVersion: 1 });
      expect(await store.listRoutes({ deploymentId: "acme.web" })).toEqual([aRoute()]);
    });

    it("keeps a freed domain for its tenant for a while, and then gives it to whoever asks", async () => {
      await store.createTenant(aTenant({ id: "other" }), someone);
      const theirs = aRoute({ deploymentId: "other.web", tenantId: "other" });
      const take = (name: string, at: number) =>
        store.createDeployment("other", aSpec({ name }), [{ ...theirs, deploymentId: `other.${name}` }], someone, at);
      await store.changeDeployment("acme.web", { routes: [] }, undefined, someone, NOW);
      const refused = await take("web", NOW).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "failed_precondition", reason: "DOMAIN_KEPT" });
      expect((refused as Error).message).toMatch(/web\.example .* kept for it until \d{4}-\d\d-\d\dT/);
      expect(await store.getDeployment("other.web")).toBeUndefined();
      // Its own tenant has it again at once, by whatever it is deployed.
      await store.createDeployment("acme", aSpec({ name: "b" }), [aRoute({ deploymentId: "acme.b" })], someone, NOW);
      expect(await codeOf(take("web", LONG_AFTER))).toBe("failed_precondition DOMAIN_TAKEN");
      await store.changeDeployment("acme.b", { desired: "deleted" }, undefined, someone, NOW);
      await committed({ kind: "forget-deployment", deploymentId: "acme.b" });
      expect(await codeOf(take("web", NOW))).toBe("failed_precondition DOMAIN_KEPT");
      // A tenant that is gone keeps it too.
      await store.changeDeployment("acme.web", { desired: "deleted" }, undefined, someone, NOW);
      await committed({ kind: "forget-deployment", deploymentId: "acme.web" });
      await store.deleteTenant("acme", someone);
      expect(await codeOf(take("web", NOW))).toBe("failed_precondition DOMAIN_KEPT");
      await take("web", LONG_AFTER);
      expect(await store.listRoutes({ domain: "web.example" })).toEqual([theirs]);
    });

    it("gives a freed domain to whoever asks once it is pruned", async () => {
      await store.createTenant(aTenant({ id: "other" }), someone);
      await store.changeDeployment("acme.web", { routes: [] }, undefined, someone, NOW);
      const horizon = { keysAt: 0, decisionsAt: 0, auditAt: 0, keepReleases: 10 };
      const take = () =>
        store.changeDeployment("other.web", { routes: [theirs] }, undefined, someone, NOW).then(() => "done");
      const theirs = aRoute({ deploymentId: "other.web", tenantId: "other" });
      await store.createDeployment("other", aSpec(), [], someone, NOW);
      await store.pruneHistory({ ...horizon, domainsAt: 1 }, 10, setting.mandate());
      expect(await codeOf(take())).toBe("failed_precondition DOMAIN_KEPT");
      await store.pruneHistory({ ...horizon, domainsAt: LONG_AFTER }, 10, setting.mandate());
      expect(await take()).toBe("done");
    });

    it("frees a domain when nothing routes it any more", async () => {
      await store.createTenant(aTenant({ id: "other" }), someone);
      const routes = [aRoute({ domain: "new.example" })];
      await store.changeDeployment("acme.web", { routes }, undefined, someone, NOW);
      expect(await store.listRoutes({ domain: "web.example" })).toEqual([]);
      expect(await store.listRoutes({ deploymentId: "acme.web" })).toEqual(routes);
      const spec = aSpec({ name: "web" });
      const route = aRoute({ deploymentId: "other.web", tenantId: "other" });
      await store.createDeployment("other", spec, [route], someone, LONG_AFTER);
      expect(await store.listRoutes({ tenantId: "other" })).toEqual([route]);
      const back = codeOf(store.changeDeployment("acme.web", { routes: [aRoute()] }, undefined, someone, NOW));
      expect(await back).toBe("failed_precondition DOMAIN_TAKEN");
      expect(await store.listRoutes({ deploymentId: "acme.web" })).toEqual(routes);
    });

    it("holds a tenant to its quota, also against requests that come at once", async () => {
      await store.createTenant(aTenant({ id: "small", quota: { ...NONE, instances: 3 } }), someone);
      const attempts = await Promise.all(
        ["a", "b", "c", "d"].map(name =>
          codeOf(store.createDeployment("small", aSpec({ name, replicas: 2 }), [], someone, NOW)),
        ),
      );
      expect(attempts.toSorted()).toEqual([
        "done",
        ...Array.from({ length: 3 }, () => "resource_exhausted QUOTA_EXCEEDED"),
      ]);
      const [held] = (await store.listDeployments({ tenantId: "small" }, { size: 9, token: undefined })).items;
      const scale = (replicas: number) =>
        codeOf(store.changeDeployment(held!.deployment.id, { replicas }, undefined, someone, NOW));
      expect(await scale(4)).toBe("resource_exhausted QUOTA_EXCEEDED");
      expect(await scale(3)).toBe("done");
      await store.updateTenant("small", { ...NONE, memoryBytes: 512 * 1024 * 1024 * 3 }, someone);
      expect(await scale(4)).toBe("resource_exhausted QUOTA_EXCEEDED");
      const stopped = await store.changeDeployment(
        held!.deployment.id,
        { desired: "stopped", replicas: 9 },
        undefined,
        someone,
        NOW,
      );
      expect(stopped.deployment).toMatchObject({ desired: "stopped", replicas: 9 });
      await store.updateTenant("small", { ...NONE, cpuMillis: 3_000 }, someone);
      const run = (replicas: number) =>
        codeOf(store.createDeployment("small", aSpec({ name: "run", replicas }), [], someone, NOW));
      expect(await run(4)).toBe("resource_exhausted QUOTA_EXCEEDED");
      expect(await run(3), "what is stopped holds nothing").toBe("done");
      await store.updateTenant("small", { ...NONE, instances: 1 }, someone);
      expect(await scale(8), "it is stopped, whoever else holds too much").toBe("done");
    });

    it("makes a new release for a new spec and for a restart, and none for a scale", async () => {
      const change = (what: Parameters<Store["changeDeployment"]>[1]) =>
        store.changeDeployment("acme.web", what, undefined, someone, NOW);
      const scaled = await change({ replicas: 5 });
      expect(scaled.deployment).toMatchObject({ replicas: 5, release: 1, resourceVersion: 2 });
      const restarted = await change({ restart: true });
      expect(restarted.deployment).toMatchObject({ replicas: 5, release: 2, resourceVersion: 3 });
      expect(restarted.release).toEqual({ deploymentId: "acme.web", number: 2, spec: aSpec({ replicas: 2 }) });
      const spec = aSpec({ replicas: 1, containers: [aContainer({ image: "app:2" })] });
      const updated = await change({ spec });
      expect(updated).toEqual({
        deployment: { ...restarted.deployment, replicas: 1, release: 3, resourceVersion: 4 },
        release: { deploymentId: "acme.web", number: 3, spec },
      });
      expect(await store.getDeployment("acme.web")).toEqual(updated);
      expect(await change({})).toEqual(updated);
      expect((await change({ desired: "deleted" })).deployment.resourceVersion).toBe(5);
      expect((await change({ desired: "deleted" })).deployment.resourceVersion).toBe(5);
      expect(await codeOf(change({ replicas: 1 }))).toBe("failed_precondition DEPLOYMENT_DELETED");
    });

    it("refuses a change that is based on an old version, and loses none of those that come at once", async () => {
      const stale = store.changeDeployment("acme.web", { replicas: 9 }, 7, someone, NOW);
      expect(await codeOf(stale)).toBe("aborted STALE_VERSION");
      const both = await Promise.all(
        [3, 4].map(replicas => codeOf(store.changeDeployment("acme.web", { replicas }, 1, someone, NOW))),
      );
      expect(both.toSorted()).toEqual(["aborted STALE_VERSION", "done"]);
      await Promise.all(
        [1, 2, 3, 4].map(() => store.changeDeployment("acme.web", { restart: true }, undefined, someone, NOW)),
      );
      expect((await store.getDeployment("acme.web"))?.release.number).toBe(5);
    });

    it("answers a repeated request as before, and refuses its key for another one", async () => {
      const keyed = (idempotencyKey: string): Request => ({ actor: "someone", idempotencyKey });
      const create = (name: string, key: string) =>
        store.createDeployment("acme", aSpec({ name }), [], keyed(key), NOW);
      const first = await create("job", "k1");
      await store.changeDeployment("acme.job", { replicas: 3 }, undefined, keyed("k2"), NOW);
      expect(await create("job", "k1")).toEqual(first);
      expect(await codeOf(create("job2", "k1"))).toBe("aborted IDEMPOTENCY_KEY_REUSED");
      expect(await store.getDeployment("acme.job2")).toBeUndefined();
      await store.changeDeployment("acme.job", { replicas: 3 }, undefined, keyed("k2"), NOW);
      expect((await store.getDeployment("acme.job"))?.deployment).toMatchObject({ replicas: 3, resourceVersion: 2 });
      const other: Request = { actor: "another", idempotencyKey: "k1" };
      await store.createDeployment("acme", aSpec({ name: "job3" }), [], other, NOW);
      const twice = await Promise.all([1, 2].map(() => create("job4", "k4")));
      expect(twice[0]).toEqual(twice[1]);
      const restart = () =>
        store.changeDeployment("acme.job", { restart: true }, undefined, keyed("restart-once"), NOW);
      await Promise.all([restart(), restart(), restart()]);
      expect((await store.getDeployment("acme.job"))?.deployment.resourceVersion).toBe(3);
      const tenant = aTenant({ id: "again" });
      await store.createTenant(tenant, keyed("k5"));
      expect(await store.createTenant(tenant, keyed("k5"))).toEqual(tenant);
      await store.deleteTenant("again", keyed("k6"));
      await store.deleteTenant("again", keyed("k6"));
      expect(await store.getTenant("again")).toBeUndefined();
    });

    it("gives lists in pages, each item once", async () => {
      for (const name of ["a", "b", "c"]) await store.createDeployment("acme", aSpec({ name }), [], someone, NOW);
      const names: string[] = [];
      let token: string | undefined;
      do {
        const page = await store.listDeployments({ tenantId: "acme" }, { size: 2, token });
        names.push(...page.items.map(item => item.deployment.name));
        token = page.nextToken;
      } while (token !== undefined);
      expect(names).toEqual(["a", "b", "c", "web"]);
      const bad = store.listDeployments({}, { size: 2, token: "%%%" });
      expect(await codeOf(bad)).toBe("invalid_argument BAD_PAGE_TOKEN");
      expect((await store.listTenants({ size: 10, token: undefined })).items).toEqual([
        aTenant(),
        aTenant({ id: "default" }),
      ]);
      await committed(creation(1), creation(2), placement(1));
      const onNode = await store.listInstances({ nodeId: "node-1" }, { size: 10, token: undefined });
      expect(onNode.items.map(item => [item.instance.id, item.locations.length])).toEqual([["acme.web.1", 1]]);
      const first = await store.listInstances({ deploymentId: "acme.web" }, { size: 1, token: undefined });
      const second = await store.listInstances({ deploymentId: "acme.web" }, { size: 1, token: first.nextToken });
      expect(second.items[0]?.instance.id).toBe("acme.web.2");
      expect(second.nextToken).toBeUndefined();
    });
  });
}
