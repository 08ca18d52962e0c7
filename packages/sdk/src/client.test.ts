import { createRouterTransport } from "@connectrpc/connect";
import { toConnectError } from "@skep/api/codec/error.ts";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { describe, expect, it } from "vitest";
import { bearer } from "./auth.ts";
import { createClient } from "./client.ts";
import { pages } from "./pages.ts";

const quotaFull = new SkepError("resource_exhausted", "QUOTA", "The quota of acme is used up.", {
  details: { advice: "ask for a larger quota" },
  issues: [{ path: "spec.replicas", problem: "is 9", advice: "at most 3" }],
});

function client(tokens: (string | null)[] = []) {
  const transport = createRouterTransport(
    router => {
      router.service(TenantService, {
        getTenant: ({ tenantId }, { requestHeader }) => {
          tokens.push(requestHeader.get("authorization"));
          return { tenant: { id: tenantId } };
        },
        createTenant: () => {
          throw toConnectError(quotaFull);
        },
        listTenants: ({ pageToken }) => {
          const at = Number(pageToken || "0");
          return { tenants: [{ id: `t${at}` }], nextPageToken: at < 2 ? String(at + 1) : "" };
        },
      });
      router.service(PlatformService, {
        async *watchEvents() {
          yield { events: [{ kind: "one" }] };
          throw toConnectError(quotaFull);
        },
      });
    },
    { transport: { interceptors: [bearer(() => "secret")] } },
  );
  return createClient({ transport });
}

describe("the client", () => {
  it("calls a method and sends the token", async () => {
    const tokens: (string | null)[] = [];
    expect((await client(tokens).tenants.getTenant({ tenantId: "acme" })).tenant?.id).toBe("acme");
    expect(tokens).toEqual(["Bearer secret"]);
  });

  it("fails with the error that the server threw, details and issues included", async () => {
    const error = await client()
      .tenants.createTenant({ tenantId: "acme" })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SkepError);
    expect(error).toMatchObject({
      code: "resource_exhausted",
      reason: "QUOTA",
      message: quotaFull.message,
      details: quotaFull.details,
      issues: quotaFull.issues,
    });
  });

  it("fails with the same error in the middle of a stream, after what came before it", async () => {
    const kinds: string[] = [];
    const reading = (async () => {
      for await (const { events } of client().platform.watchEvents({})) kinds.push(...events.map(event => event.kind));
    })();
    await expect(reading).rejects.toMatchObject({ reason: "QUOTA" });
    expect(kinds).toEqual(["one"]);
  });

  it("walks all pages of a list", async () => {
    const { tenants } = client();
    const ids: string[] = [];
    for await (const page of pages(pageToken => tenants.listTenants({ pageToken })))
      ids.push(...page.tenants.map(tenant => tenant.id));
    expect(ids).toEqual(["t0", "t1", "t2"]);
  });

  it("says unavailable where nothing listens", async () => {
    const nobody = createClient({ url: "http://127.0.0.1:1", timeoutMs: 2_000 });
    await expect(nobody.tenants.getTenant({ tenantId: "acme" })).rejects.toMatchObject({ code: "unavailable" });
  });
});
