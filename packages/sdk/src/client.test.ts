import { createRouterTransport } from "@connectrpc/connect";
import { toConnectError } from "@skep/api/codec/error.ts";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { describe, expect, it } from "vitest";
import { bearer } from "./auth.ts";
import { createClient } from "./client.ts";
import type { SkepClient } from "./client.ts";
import { connect } from "./node.ts";
import { pages } from "./pages.ts";
import { watch } from "./watch.ts";

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

/**
 * A server whose stream sends one answer and then waits; `ended` is answered when its request is
 * over.
 */
function endless(): { readonly api: SkepClient; readonly ended: Promise<string> } {
  const over = Promise.withResolvers<string>();
  const transport = createRouterTransport(router =>
    router.service(PlatformService, {
      async *watchEvents(_, { signal }) {
        signal.addEventListener("abort", () => over.resolve("ended"), { once: true });
        yield {};
        await over.promise;
      },
    }),
  );
  return { api: createClient({ transport }), ended: over.promise };
}

async function leave(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream) break;
}

async function giveUp(stream: AsyncIterable<unknown>): Promise<void> {
  const items = stream[Symbol.asyncIterator]();
  await items.next();
  const next = items.next();
  await items.return?.();
  expect(await next).toEqual({ done: true, value: undefined });
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

  it.each([
    ["a loop over a stream is left", (stream: AsyncIterable<unknown>) => leave(stream)],
    ["a loop over a watch is left", (stream: AsyncIterable<unknown>) => leave(watch(() => stream))],
    ["a stream is returned while an item is waited for", (stream: AsyncIterable<unknown>) => giveUp(stream)],
  ])("ends the request when %s", async (_, read) => {
    const { api, ended } = endless();
    await read(api.platform.watchEvents({}));
    await expect(ended).resolves.toBe("ended");
  });

  it("ends a stream by the caller's own signal too", async () => {
    const { api, ended } = endless();
    const stop = new AbortController();
    const reading = (async () => {
      for await (const _ of api.platform.watchEvents({}, { signal: stop.signal })) stop.abort();
    })();
    await expect(reading).rejects.toBeInstanceOf(SkepError);
    await expect(ended).resolves.toBe("ended");
  });

  it("walks all pages of a list", async () => {
    const { tenants } = client();
    const ids: string[] = [];
    for await (const page of pages(pageToken => tenants.listTenants({ pageToken })))
      ids.push(...page.tenants.map(tenant => tenant.id));
    expect(ids).toEqual(["t0", "t1", "t2"]);
  });

  it("says unavailable where nothing listens", async () => {
    const nobody = connect({ url: "http://127.0.0.1:1", timeoutMs: 2_000 });
    await expect(nobody.tenants.getTenant({ tenantId: "acme" })).rejects.toMatchObject({ code: "unavailable" });
  });
});
