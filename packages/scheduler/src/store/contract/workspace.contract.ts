import type { NewWorkspace, WorkspaceChange } from "@skep/core/workspace/record.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { aTenant } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import type { Request } from "../request.ts";
import { codeOf } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

const keyed = (idempotencyKey: string): Request => ({ actor: "someone", idempotencyKey });

const wanted = (id = "fleet", over: Partial<NewWorkspace> = {}): NewWorkspace => ({
  ...{ tenantId: "acme", connector: aConnector({ id }), purpose: aPurpose(), strategy: "least-loaded" },
  ...over,
});

/** What tenants want of workspaces. */
export function describeWorkspaces({ store }: StoreSetting): void {
  const create = (id?: string, over?: Partial<NewWorkspace>, request = someone) =>
    store.createWorkspace(wanted(id, over), request, NOW);
  const change = (what: WorkspaceChange, version?: number, request = someone, id = "fleet") =>
    store.changeWorkspace(id, what, version, request, NOW + 1);

  describe("workspaces", () => {
    it("are recorded with all that was said, secrets and limits included", async () => {
      const database = { url: "mongodb://tenant:hunter2@db.example:27017/data", size: 2048, retentionDays: 30 };
      const ratelimits = { sockets: 7, events: 8, channels: 9 };
      const specs = { database, ratelimits, messagesPerSecond: 70 };
      const connector = aConnector({ id: "fleet", enabled: false }, {}, specs, "standalone");
      const purpose = aPurpose({ environment: "testing", scale: "large", isRegulated: true, isCostSensitive: true });
      const made = await create("fleet", { connector, purpose, strategy: "round-robin" });
      expect(made).toMatchObject({ id: "fleet", desired: "run", epoch: 0, waiting: "", version: 1, databasePool: 10 });
      expect(made).toMatchObject({ connector, purpose, strategy: "round-robin", createdAt: NOW, restarts: 0 });
      expect(await store.getWorkspace("fleet")).toEqual(made);
      expect(await store.getWorkspace("nobody")).toBeUndefined();
    });

    it("are refused as the port says", async () => {
      await create();
      expect(await codeOf(create())).toBe("already_exists WORKSPACE_EXISTS");
      await store.createTenant(aTenant({ id: "other" }), someone);
      expect(await codeOf(create("fleet", { tenantId: "other" }))).toBe("already_exists WORKSPACE_EXISTS");
      expect(await codeOf(create("one", { tenantId: "nobody" }))).toBe("not_found TENANT_NOT_FOUND");
      const purpose = aPurpose({ isRegulated: true });
      expect(await codeOf(create("one", { purpose }))).toBe("failed_precondition MODE_REFUSED");
      expect(await codeOf(change({ purpose }))).toBe("failed_precondition MODE_REFUSED");
      expect(await codeOf(change({ restart: true }, undefined, someone, "nobody"))).toBe(
        "not_found WORKSPACE_NOT_FOUND",
      );
      expect(await store.getWorkspace("one")).toBeUndefined();
    });

    it("are changed part by part, each change with a version of its own", async () => {
      const before = await create();
      const connector = aConnector({ id: "fleet", name: "Another" }, { secret: "" });
      expect(await change({ connector })).toEqual({
        ...before,
        ...{ version: 2, updatedAt: NOW + 1 },
        connector: aConnector({ id: "fleet", name: "Another" }),
      });
      const scaling = { ...before.scaling, enabled: true, maxInstances: 3 };
      const after = await change({ databasePool: 20, scaling, strategy: "round-robin", desired: "stopped" });
      expect(after).toMatchObject({ databasePool: 20, scaling, strategy: "round-robin", desired: "stopped" });
      const limits = { sockets: 9, events: undefined, channels: undefined };
      const resources = { poolSize: undefined, maxSize: 7, limits };
      expect((await change({ resources })).connector.config.resources.specs).toMatchObject({ database: { size: 7 } });
      expect(await change({ restart: true })).toMatchObject({ restarts: 1, version: 5 });
      expect(await change({})).toMatchObject({ version: 5 });
      expect(await store.getWorkspace("fleet")).toMatchObject({ scaling, restarts: 1, version: 5 });
    });

    it("are not changed on the ground of an old version, and none of several changes at once is lost", async () => {
      await create();
      expect(await codeOf(change({ restart: true }, 7))).toBe("aborted STALE_VERSION");
      const both = await Promise.all([1, 2].map(databasePool => codeOf(change({ databasePool }, 1))));
      expect(both.toSorted()).toEqual(["aborted STALE_VERSION", "done"]);
      await Promise.all([1, 2, 3].map(() => change({ restart: true })));
      expect(await store.getWorkspace("fleet")).toMatchObject({ restarts: 3, version: 5 });
    });

    it("stay recorded as deleted until no host has them, and keep their tenant so long", async () => {
      await create();
      expect(await change({ desired: "deleted" })).toMatchObject({ desired: "deleted", version: 2 });
      expect(await change({ desired: "deleted" })).toMatchObject({ version: 2 });
      expect(await codeOf(change({ desired: "run" }))).toBe("failed_precondition WORKSPACE_DELETED");
      expect(await codeOf(create())).toBe("failed_precondition WORKSPACE_DELETED");
      await store.createTenant(aTenant({ id: "other" }), someone);
      await create("theirs", { tenantId: "other" });
      expect(await codeOf(store.deleteTenant("other", someone))).toBe("failed_precondition TENANT_HAS_WORKSPACES");
    });

    it("answer a repeated request as before, and refuse its key for another one", async () => {
      const first = await create("fleet", {}, keyed("k1"));
      await change({ databasePool: 20 }, undefined, keyed("k2"));
      const again = await create("fleet", {}, keyed("k1"));
      expect(again.version).toBe(1);
      expect(again.connector.access).toEqual({ ...first.connector.access, secret: "" });
      expect(await codeOf(create("other", {}, keyed("k1")))).toBe("aborted IDEMPOTENCY_KEY_REUSED");
      expect(await change({ databasePool: 20 }, undefined, keyed("k2"))).toMatchObject({ version: 2 });
      expect(await store.getWorkspace("fleet")).toMatchObject({ version: 2 });
      await Promise.all([1, 2, 3].map(() => change({ restart: true }, undefined, keyed("k3"))));
      expect(await store.getWorkspace("fleet")).toMatchObject({ version: 3, restarts: 1 });
      expect(await codeOf(change({ databasePool: 21 }, undefined, keyed("k2")))).toBe("aborted IDEMPOTENCY_KEY_REUSED");
    });

    it("are listed by tenant, page by page, in order", async () => {
      await store.createTenant(aTenant({ id: "other" }), someone);
      for (const id of ["c", "a", "b"]) await create(id);
      await create("d", { tenantId: "other" });
      const list = async (tenantId: string | undefined, size: number, token?: string) => {
        const { items, nextToken } = await store.listWorkspaces(tenantId === undefined ? {} : { tenantId }, {
          ...{ size, token },
        });
        return { ids: items.map(one => one.id).join(" "), nextToken };
      };
      expect(await list("acme", 9)).toEqual({ ids: "a b c", nextToken: undefined });
      expect(await list("other", 9)).toEqual({ ids: "d", nextToken: undefined });
      const first = await list(undefined, 2);
      expect(first.ids).toBe("a b");
      expect(await list(undefined, 2, first.nextToken)).toEqual({ ids: "c d", nextToken: undefined });
    });
  });
}
