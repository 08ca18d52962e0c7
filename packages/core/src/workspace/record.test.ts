import { describe, expect, it } from "vitest";
import { SkepError } from "../error.ts";
import { aConnector, aPurpose } from "../testing/connector.ts";
import { changedWorkspace, firstWorkspace, type WorkspaceChange } from "./record.ts";

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
});
