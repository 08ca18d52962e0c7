import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { MOST_WEBHOOKS, type WebhookKey } from "@skep/core/workspace/webhook.ts";
import { describe, expect, it } from "vitest";
import type { Request } from "../request.ts";
import { codeOf } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

const OPS: WebhookKey = { workspaceId: "fleet", name: "ops" };
const TARGET = { url: "https://hooks.example.com/a-secret-path?x=1", secret: "whsec_0123456789abcdef" };
const keyed = (idempotencyKey: string): Request => ({ actor: "someone", idempotencyKey });

/** Where rules may post to. */
export function describeWebhooks({ store }: StoreSetting): void {
  const make = (id = "fleet") =>
    store.createWorkspace(
      { tenantId: "acme", connector: aConnector({ id }), purpose: aPurpose(), strategy: "least-loaded" },
      someone,
      NOW,
    );
  const put = (key = OPS, target = TARGET, request = someone) => store.putWebhook(key, target, request, NOW);
  const remove = (key = OPS, request = someone) => store.deleteWebhook(key, request, NOW);
  const versionOf = async () => (await store.loadRules("fleet"))?.rulesVersion;

  describe("webhooks", () => {
    it("are told to their host whole, and shown to people without path and secret", async () => {
      await make();
      expect(await store.loadWebhooks("fleet")).toEqual([]);
      expect(await put()).toEqual({
        ...OPS,
        ...{ address: "https://hooks.example.com", isSigned: true, createdAt: NOW, createdBy: "someone" },
      });
      expect(await store.loadWebhooks("fleet")).toEqual([{ ...OPS, ...TARGET, createdAt: NOW, createdBy: "someone" }]);
      expect(await versionOf()).toBe(1);
      expect(await put(OPS, { url: "https://other.example", secret: "" })).toMatchObject({ isSigned: false });
      expect(await store.loadWebhooks("fleet")).toMatchObject([{ url: "https://other.example", secret: "" }]);
      await put({ ...OPS, name: "alarm" });
      expect((await store.loadWebhooks("fleet")).map(one => one.name)).toEqual(["alarm", "ops"]);
      await remove();
      expect((await store.loadWebhooks("fleet")).map(one => one.name)).toEqual(["alarm"]);
      expect(await versionOf()).toBe(4);
      expect(await store.getWorkspace("fleet")).toMatchObject({ version: 1 });
    });

    it("are nobody else's", async () => {
      await make();
      await make("other");
      await put();
      expect(await store.loadWebhooks("other")).toEqual([]);
      expect(await codeOf(remove({ ...OPS, workspaceId: "other" }))).toBe("not_found WEBHOOK_NOT_FOUND");
    });

    it("are put and deleted once under one key", async () => {
      await make();
      const first = await put(OPS, TARGET, keyed("a"));
      expect(await put(OPS, TARGET, keyed("a"))).toEqual(first);
      expect(await versionOf()).toBe(1);
      expect(await codeOf(put(OPS, { ...TARGET, secret: "" }, keyed("a")))).toMatch(/^aborted/);
      await remove(OPS, keyed("b"));
      await remove(OPS, keyed("b"));
      expect(await versionOf()).toBe(2);
    });

    it("are refused where there is no workspace, it leaves, or it has enough", async () => {
      expect(await codeOf(put())).toBe("not_found WORKSPACE_NOT_FOUND");
      await make();
      for (let at = 0; at < MOST_WEBHOOKS; at += 1) await put({ ...OPS, name: `w${at}` });
      expect(await codeOf(put())).toBe("resource_exhausted TOO_MANY_WEBHOOKS");
      expect((await put({ ...OPS, name: "w0" })).name).toBe("w0");
      await store.changeWorkspace("fleet", { desired: "deleted" }, undefined, someone, NOW);
      expect(await codeOf(put({ ...OPS, name: "w0" }))).toBe("failed_precondition WORKSPACE_DELETED");
    });
  });
}
