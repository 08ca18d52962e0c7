import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { MOST_DEVICES } from "@skep/core/workspace/device.ts";
import { describe, expect, it } from "vitest";
import type { Request } from "../request.ts";
import { codeOf } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

const D1 = { workspaceId: "fleet", deviceId: "d1" };
const keyed = (idempotencyKey: string): Request => ({ actor: "someone", idempotencyKey });
const page = { size: 9, token: undefined };

/** Devices of workspaces. */
export function describeDevices({ store }: StoreSetting): void {
  const make = (id: string) =>
    store.createWorkspace(
      { tenantId: "acme", connector: aConnector({ id }), purpose: aPurpose(), strategy: "least-loaded" },
      someone,
      NOW,
    );
  const add = (ids: readonly string[], request = someone, workspaceId = "fleet") =>
    store.createDevices(
      workspaceId,
      ids.map(deviceId => ({ deviceId, digest: `digest of ${deviceId}` })),
      request,
      NOW,
    );

  describe("devices", () => {
    it("are made all or none, and found as they may connect", async () => {
      await make("fleet");
      const [first] = await add(["d1", "d2"]);
      const none = { seenAt: undefined, denied: 0, deniedAt: undefined, deniedTopic: "" };
      const d1 = { ...D1, enabled: true, version: 1, createdAt: NOW, createdBy: "someone", ...none };
      expect(first).toEqual(d1);
      expect(await store.getDevice(D1)).toEqual(d1);
      expect(await store.findDevices([D1, { ...D1, deviceId: "none" }])).toEqual([{ ...d1, digest: "digest of d1" }]);
      expect(await codeOf(add(["d3", "d2"]))).toBe("already_exists DEVICE_EXISTS");
      expect(await store.getDevice({ ...D1, deviceId: "d3" })).toBeUndefined();
      expect(await codeOf(add(["d1"], someone, "other"))).toBe("not_found WORKSPACE_NOT_FOUND");
    });

    it("are away that were seen once and not lately, and may connect", async () => {
      await make("fleet");
      await make("other");
      await add(["away", "off", "here", "never"]);
      await add(["away"], someone, "other");
      const seen = (deviceId: string, seenAt: number, workspaceId = "fleet") => ({
        ...{ workspaceId, deviceId, seenAt, denied: 0, deniedTopic: "" },
      });
      const seenAll = [seen("away", NOW + 9), seen("off", NOW), seen("here", NOW + 10), seen("away", NOW, "other")];
      await store.noteDevices(seenAll);
      await store.changeDevice({ ...D1, deviceId: "off" }, { enabled: false }, someone, NOW);
      expect(await store.countDevicesAway("fleet", NOW + 10)).toBe(1);
      expect(await store.countDevicesAway("none", NOW + 10)).toBe(0);
    });

    it("of another workspace are other devices", async () => {
      await make("fleet");
      await make("other");
      await add(["d1"]);
      await add(["d1"], someone, "other");
      await store.deleteDevice(D1, someone, NOW);
      expect(await store.getDevice(D1)).toBeUndefined();
      expect(await store.getDevice({ ...D1, workspaceId: "other" })).toBeDefined();
    });

    it("have another version with each change of what they may", async () => {
      await make("fleet");
      await add(["d1"]);
      expect(await store.changeDevice(D1, { enabled: true }, someone, NOW)).toMatchObject({ version: 1 });
      const off = await store.changeDevice(D1, { enabled: false }, someone, NOW);
      expect(off).toMatchObject({ version: 2, enabled: false });
      expect(await store.findDevices([D1])).toEqual([]);
      expect(await store.changeDevice(D1, { digest: "another" }, someone, NOW)).toMatchObject({ version: 3 });
      expect(await store.findDevices([D1])).toEqual([]);
      await store.changeDevice(D1, { enabled: true }, someone, NOW);
      expect(await store.findDevices([D1])).toMatchObject([{ digest: "another", version: 4 }]);
      const nobody = { ...D1, deviceId: "none" };
      expect(await codeOf(store.changeDevice(nobody, { enabled: false }, someone, NOW))).toBe(
        "not_found DEVICE_NOT_FOUND",
      );
      expect(await codeOf(store.deleteDevice(nobody, someone, NOW))).toBe("not_found DEVICE_NOT_FOUND");
      await Promise.all(["a", "b", "c"].map(digest => store.changeDevice(D1, { digest }, someone, NOW)));
      expect(await store.getDevice(D1)).toMatchObject({ version: 7 });
    });

    it("of a workspace that is being deleted may not connect, and none is made", async () => {
      await make("fleet");
      await add(["d1"]);
      await store.changeWorkspace("fleet", { desired: "deleted" }, undefined, someone, NOW);
      expect(await store.findDevices([D1])).toEqual([]);
      expect(await codeOf(add(["d2"]))).toBe("failed_precondition WORKSPACE_DELETED");
    });

    it("keep when they were seen and what they were denied", async () => {
      await make("fleet");
      await add(["d1"]);
      const gone = { workspaceId: "fleet", deviceId: "gone", seenAt: NOW, denied: 1, deniedTopic: "x" };
      await store.noteDevices([{ ...D1, seenAt: NOW + 5, denied: 0, deniedTopic: "" }, gone]);
      expect(await store.getDevice(D1)).toMatchObject({ seenAt: NOW + 5, denied: 0, deniedAt: undefined });
      await store.noteDevices([{ ...D1, seenAt: NOW + 3, denied: 2, deniedTopic: "a/\0\ud800b" }]);
      await store.noteDevices([{ ...D1, seenAt: NOW + 9, denied: 1, deniedTopic: "c".repeat(999) }]);
      const shown = { seenAt: NOW + 9, denied: 3, deniedAt: NOW + 9, deniedTopic: "c".repeat(256), version: 1 };
      expect(await store.getDevice(D1)).toMatchObject(shown);
      await store.noteDevices([{ ...D1, seenAt: NOW + 9, denied: 1, deniedTopic: "a/\0\ud800b" }]);
      expect(await store.getDevice(D1)).toMatchObject({ denied: 4, deniedTopic: "a/\ufffd\ufffdb" });
    });

    it("are listed by id, page by page", async () => {
      await make("fleet");
      expect((await store.listDevices("fleet", page)).items).toEqual([]);
      expect(await codeOf(store.listDevices("other", page))).toBe("not_found WORKSPACE_NOT_FOUND");
      await add(["b", "a", "B"]);
      const first = await store.listDevices("fleet", { size: 2, token: undefined });
      expect(first.items.map(one => one.deviceId)).toEqual(["B", "a"]);
      const second = await store.listDevices("fleet", { size: 2, token: first.nextToken });
      expect(second.items.map(one => one.deviceId)).toEqual(["b"]);
      expect(second.nextToken).toBeUndefined();
    });

    it("are answered as before where a request is repeated, and its key is refused for another", async () => {
      await make("fleet");
      const made = await add(["d1"], keyed("k1"));
      expect(await add(["d1"], keyed("k1"))).toEqual(made);
      expect(await codeOf(add(["d2"], keyed("k1")))).toBe("aborted IDEMPOTENCY_KEY_REUSED");
      const rotated = await store.changeDevice(D1, { digest: "another" }, keyed("k2"), NOW);
      expect(await store.changeDevice(D1, { digest: "another" }, keyed("k2"), NOW)).toEqual(rotated);
      await store.deleteDevice(D1, keyed("k3"), NOW);
      await add(["d1"]);
      await store.deleteDevice(D1, keyed("k3"), NOW);
      expect(await store.getDevice(D1)).toMatchObject({ version: 1 });
      const both = await Promise.all([add(["d5"], keyed("k5")), add(["d5"], keyed("k5"))]);
      expect(both[0]).toEqual(both[1]);
    });

    it("are bounded in number", async () => {
      await make("fleet");
      const ids = Array.from({ length: MOST_DEVICES }, (_, index) => `d${index}`);
      // As callers do: all at once would take longer than a statement may on a busy machine.
      for (let at = 0; at < ids.length; at += 10_000) await add(ids.slice(at, at + 10_000));
      expect(await codeOf(add(["more"]))).toBe("resource_exhausted TOO_MANY_DEVICES");
      await store.deleteDevice(D1, someone, NOW);
      expect(await codeOf(add(["more"]))).toBe("done");
    }, 60_000);
  });
}
