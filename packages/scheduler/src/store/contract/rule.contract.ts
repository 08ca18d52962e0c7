import { KEPT_VERSIONS, MOST_RULES, type RuleDocument, type RuleKey } from "@skep/core/rules/record.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { describe, expect, it } from "vitest";
import type { Request } from "../request.ts";
import { codeOf } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

const HOT: RuleKey = { workspaceId: "fleet", kind: "rule", reference: "hot" };
const aRule = (value: number): RuleDocument => ({ id: "hot", when: { kind: "always" }, value });
const keyed = (idempotencyKey: string): Request => ({ actor: "someone", idempotencyKey });

/** Versions of rules and schemas. */
export function describeRules({ store }: StoreSetting): void {
  const make = (id: string) =>
    store.createWorkspace(
      { tenantId: "acme", connector: aConnector({ id }), purpose: aPurpose(), strategy: "least-loaded" },
      someone,
      NOW,
    );
  const put = (document: RuleDocument, base?: number, request = someone, key = HOT) =>
    store.putRule(key, document, base, request, NOW);
  const remove = (base?: number, request = someone, key = HOT) => store.deleteRule(key, base, request, NOW + 1);
  const versionOf = async () => (await store.loadRules("fleet"))?.rulesVersion;

  describe("rules and schemas", () => {
    it("get a number with each change, and an equal document gets none", async () => {
      await make("fleet");
      expect(await versionOf()).toBe(0);
      const first = await put(aRule(1));
      expect(first).toEqual({ ...HOT, version: 1, document: aRule(1), createdAt: NOW, createdBy: "someone" });
      expect(await put({ value: 1, when: { kind: "always" }, id: "hot" })).toEqual(first);
      expect(await versionOf()).toBe(1);
      expect((await put(aRule(2))).version).toBe(2);
      await put({ reference: "hot" }, undefined, someone, { ...HOT, kind: "schema" });
      const { records, rulesVersion } = (await store.loadRules("fleet"))!;
      expect(records.map(one => `${one.kind} ${one.reference} ${one.version}`)).toEqual(["rule hot 2", "schema hot 1"]);
      expect(rulesVersion).toBe(3);
      expect(await store.getWorkspace("fleet")).toMatchObject({ rulesVersion: 3, version: 1 });
      expect((await store.listRuleVersions(HOT)).map(one => one.document)).toEqual([aRule(2), aRule(1)]);
    });

    it("go on counting after a deletion, which is a version as well", async () => {
      await make("fleet");
      await put(aRule(1));
      await remove();
      expect((await store.loadRules("fleet"))?.records).toEqual([]);
      expect(await codeOf(remove())).toBe("not_found RULE_NOT_FOUND");
      expect((await put(aRule(1))).version).toBe(3);
      expect((await store.listRuleVersions(HOT)).map(one => [one.version, one.document === undefined])).toEqual([
        ...[[3, false] as const, [2, true] as const, [1, false] as const],
      ]);
      expect(await versionOf()).toBe(3);
      expect(await store.listRuleVersions({ ...HOT, reference: "cold" })).toEqual([]);
    });

    it("are refused for a workspace that is not there or leaves, and go with its record", async () => {
      expect(await codeOf(put(aRule(1)))).toBe("not_found WORKSPACE_NOT_FOUND");
      expect(await codeOf(remove())).toBe("not_found WORKSPACE_NOT_FOUND");
      expect(await store.loadRules("fleet")).toBeUndefined();
      const page = { size: 9, token: undefined };
      expect(await codeOf(store.listRules("fleet", undefined, page))).toBe("not_found WORKSPACE_NOT_FOUND");
      await make("fleet");
      expect((await store.listRules("fleet", undefined, page)).items).toEqual([]);
      await store.changeWorkspace("fleet", { desired: "deleted" }, undefined, someone, NOW);
      expect(await codeOf(put(aRule(1)))).toBe("failed_precondition WORKSPACE_DELETED");
    });

    it("are not changed on the ground of an old version, and none of several changes at once is lost", async () => {
      await make("fleet");
      expect(await codeOf(put(aRule(1), 1))).toBe("aborted STALE_VERSION");
      await put(aRule(1), 0);
      expect(await codeOf(put(aRule(2), 0))).toBe("aborted STALE_VERSION");
      expect(await codeOf(remove(7))).toBe("aborted STALE_VERSION");
      await Promise.all([2, 3, 4, 5].map(value => put(aRule(value))));
      expect((await store.listRuleVersions(HOT)).map(one => one.version)).toEqual([5, 4, 3, 2, 1]);
      expect(await versionOf()).toBe(5);
      await remove(5);
      expect((await put(aRule(1), 0)).version).toBe(7);
    });

    it("answer a repeated request as before, and refuse its key for another one", async () => {
      await make("fleet");
      const first = await put(aRule(1), undefined, keyed("k1"));
      await put(aRule(2));
      expect(await put(aRule(1), undefined, keyed("k1"))).toEqual(first);
      expect(await codeOf(put(aRule(3), undefined, keyed("k1")))).toBe("aborted IDEMPOTENCY_KEY_REUSED");
      await remove(undefined, keyed("k2"));
      await remove(undefined, keyed("k2"));
      expect(await versionOf()).toBe(3);
      await Promise.all([1, 2, 3].map(() => put(aRule(4), undefined, keyed("k3"))));
      expect(await versionOf()).toBe(4);
    });

    it("are listed by kind, page by page, in order", async () => {
      await make("fleet");
      await make("other");
      for (const reference of ["c", "a", "B"]) await put({ id: reference }, undefined, someone, { ...HOT, reference });
      await put({ reference: "a" }, undefined, someone, { ...HOT, kind: "schema", reference: "a" });
      await put({ id: "x" }, undefined, someone, { ...HOT, workspaceId: "other", reference: "x" });
      const list = async (kind: "rule" | "schema" | undefined, size: number, token?: string) => {
        const { items, nextToken } = await store.listRules("fleet", kind, { size, token });
        return { names: items.map(one => `${one.kind} ${one.reference}`).join(", "), nextToken };
      };
      expect(await list("rule", 9)).toEqual({ names: "rule B, rule a, rule c", nextToken: undefined });
      expect(await list("schema", 9)).toEqual({ names: "schema a", nextToken: undefined });
      const first = await list(undefined, 2);
      expect(first.names).toBe("rule B, rule a");
      expect(await list(undefined, 2, first.nextToken)).toEqual({ names: "rule c, schema a", nextToken: undefined });
    });

    it("are bounded in number, and so are the versions that are kept", async () => {
      await make("fleet");
      for (let value = 1; value <= KEPT_VERSIONS + 2; value++) await put(aRule(value));
      const versions = (await store.listRuleVersions(HOT)).map(one => one.version);
      expect([versions.length, versions[0], versions.at(-1)]).toEqual([KEPT_VERSIONS, KEPT_VERSIONS + 2, 3]);
      const one = (reference: string) => put({ id: reference }, undefined, someone, { ...HOT, reference });
      await Promise.all(Array.from({ length: MOST_RULES - 1 }, (_, index) => one(`r${index}`)));
      expect(await codeOf(one("more"))).toBe("resource_exhausted TOO_MANY_RULES");
      expect(await codeOf(put(aRule(0)))).toBe("done");
      await remove();
      expect(await codeOf(one("more"))).toBe("done");
    });
  });
}
