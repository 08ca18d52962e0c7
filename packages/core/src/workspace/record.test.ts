import { describe, expect, it } from "vitest";
import { SkepError } from "../error.ts";
import { aConnector, aPurpose } from "../testing/connector.ts";
import { DEFAULT_SCALING } from "./autoscale.ts";
import { limitsOf } from "./connector.ts";
import { changedWorkspace, hostedAs, firstWorkspace, type WorkspaceChange } from "./record.ts";

const first = () =>
  firstWorkspace({ tenantId: "acme", connector: aConnector(), purpose: aPurpose(), strategy: "least-loaded" }, 5);

const refusal = (run: () => unknown): SkepError => {
  try {
    run();
  } catch (error) {
    if (error instanceof SkepError) return error;
  }
  throw new Error("it was not refused");
};

describe("the record of a workspace", () => {
  it("is refused as shared where a rule binds its purpose, and the rule is named", () => {
    const purpose = aPurpose({ isRegulated: true });
    const wanted = { ...first(), purpose };
    const refused = refusal(() => firstWorkspace(wanted, 5));
    expect(refused.reason).toBe("MODE_REFUSED");
    expect(refused.message).toContain("by the rule regulatory-compliance: a regulated tenant needs");
    expect(refused.details).toMatchObject({ rule: "regulatory-compliance", mode: "standalone" });
    expect(refusal(() => changedWorkspace(first(), { purpose }, undefined, 6)).reason).toBe("MODE_REFUSED");
    const standalone = aConnector({}, {}, {}, "standalone");
    expect(firstWorkspace({ ...wanted, connector: standalone }, 5).purpose).toEqual(purpose);
  });

  it("is not moved to the other mode by a change", () => {
    const connector = aConnector({}, {}, {}, "standalone");
    expect(refusal(() => changedWorkspace(first(), { connector }, undefined, 6)).reason).toBe("MODE_FIXED");
  });

  it.each<[string, WorkspaceChange]>([
    ["nothing", {}],
    ["what is deleted already", { desired: "deleted" }],
  ])("stays the same object where a change says %s", (_, change) => {
    const before = "desired" in change ? changedWorkspace(first(), change, 1, 6) : first();
    expect(changedWorkspace(before, change, undefined, 7)).toBe(before);
  });

  it("keeps the secrets that a change does not tell", () => {
    const connector = aConnector({ name: "Another" }, { secret: "" });
    expect(changedWorkspace(first(), { connector }, 1, 6)).toEqual({
      ...first(),
      ...{ connector: aConnector({ name: "Another" }), version: 2, updatedAt: 6 },
    });
  });

  it("has the bounds of a change, though they stand twice in its connector", () => {
    const limits = { events: 200, sockets: 800, channels: undefined };
    const after = changedWorkspace(first(), { resources: { poolSize: 20, maxSize: 2048, limits } }, undefined, 6);
    expect(limitsOf(after.connector)).toEqual({ sockets: 800, events: 200, channels: 50 });
    expect(after).toMatchObject({ databasePool: 20, version: 2 });
    expect(after.connector.config.resources.specs.database).toEqual({ url: undefined, size: 2048 });
    const none = { events: undefined, sockets: undefined, channels: 7 };
    const resources = { poolSize: undefined, maxSize: undefined, limits: none };
    const again = changedWorkspace(after, { resources }, undefined, 7);
    expect(again).toMatchObject({ databasePool: 20, version: 3 });
    expect(limitsOf(again.connector)).toEqual({ sockets: 800, events: 200, channels: 7 });
  });

  it("has the policy of a change where it says something, and its own where it does not", () => {
    const scaling = { enabled: true, cooldown: undefined, triggers: { cpuUsage: 60, memoryUsage: undefined } };
    const after = changedWorkspace(first(), { scaling }, undefined, 6);
    const triggers = { ...DEFAULT_SCALING.triggers, cpuUsage: 60 };
    expect(after.scaling).toEqual({ ...DEFAULT_SCALING, enabled: true, triggers });
    expect(changedWorkspace(after, { scaling: { maxInstances: 2 } }, undefined, 7).scaling).toEqual({
      ...{ ...after.scaling, maxInstances: 2 },
    });
  });

  it("is refused with *** for a password, unless that stands for the recorded one", () => {
    const at = (url: string) => aConnector({}, {}, { database: { url, size: 10 } });
    const wanted = { ...first(), connector: at("mongodb://u:***@one.example/data") };
    expect(refusal(() => firstWorkspace(wanted, 5)).reason).toBe("PASSWORD_HIDDEN");
    const before = { ...first(), connector: at("mongodb://u:secret@one.example/data") };
    const change = (url: string) => changedWorkspace(before, { connector: at(url) }, undefined, 6).connector;
    expect(refusal(() => change("mongodb://u:***@two.example/data")).reason).toBe("PASSWORD_HIDDEN");
    expect(change("mongodb://u:***@one.example/data")).toEqual(before.connector);
    expect(change("mongodb://u:another@two.example/data")).toEqual(at("mongodb://u:another@two.example/data"));
  });

  it("keeps its data as it is deleted, until somebody says that it goes", () => {
    const dropped = changedWorkspace(first(), { desired: "deleted" }, undefined, 2);
    expect([dropped.data, hostedAs(dropped).desired]).toEqual(["keep", "deleted"]);
    expect(changedWorkspace(dropped, { desired: "deleted" }, undefined, 3)).toBe(dropped);
    const going = changedWorkspace(dropped, { desired: "deleted", data: "remove" }, undefined, 3);
    expect([going.data, hostedAs(going), going.version]).toEqual([
      ...(["remove", { mode: "shared", desired: "run" }] as const),
      dropped.version + 1,
    ]);
    expect(changedWorkspace(going, { desired: "deleted", data: "remove" }, undefined, 4)).toBe(going);
    const removed = { ...going, data: "removed" as const };
    expect(changedWorkspace(removed, { desired: "deleted", data: "remove" }, undefined, 4)).toBe(removed);
    expect(hostedAs(removed).desired).toBe("deleted");
  });
});
