import { describe, expect, it } from "vitest";
import { authorise } from "./authorise.ts";
import { PERMISSIONS } from "./permission.ts";
import { ANONYMOUS, PLATFORM, anOperator } from "./principal.ts";
import type { Grant, Principal, Scope } from "./principal.ts";

const ACME: Scope = { kind: "tenant", tenantId: "acme" };
const OTHER: Scope = { kind: "tenant", tenantId: "other" };
const holding = (...grants: Grant[]): Principal => ({ kind: "operator", name: "ann", grants });

describe("authorise", () => {
  it("lets the holder of the platform's token do everything everywhere, and anonymous nothing", () => {
    for (const permission of PERMISSIONS)
      for (const scope of [PLATFORM, ACME]) {
        expect(authorise(anOperator("ops"), permission, scope)).toBeUndefined();
        expect(authorise(ANONYMOUS, permission, scope)?.code).toBe("permission_denied");
      }
  });

  it("refuses what is not granted, and names the permission and who lacks it", () => {
    const reader = holding({ permissions: ["tenants.read"], scope: PLATFORM });
    expect(authorise(reader, "tenants.read", ACME)).toBeUndefined();
    expect(authorise(reader, "tenants.write", ACME)).toMatchObject({
      reason: "PERMISSION_MISSING",
      message:
        "ann may not do this: it needs the permission tenants.write for the tenant acme. Ask an operator for it.",
      details: { permission: "tenants.write", principal: "ann" },
    });
  });

  it("keeps a tenant's grant within that tenant", () => {
    const owner = holding({ permissions: "all", scope: ACME });
    expect(authorise(owner, "deployments.write", ACME)).toBeUndefined();
    expect(authorise(owner, "deployments.write", OTHER)?.code).toBe("permission_denied");
    expect(authorise(owner, "deployments.write", PLATFORM)?.code).toBe("permission_denied");
  });
});
