import { Code, ConnectError, createClient, createRouterTransport, type Transport } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { FileService } from "@skep/api/gen/skep/v1/file_service_pb.ts";
import { MessageService } from "@skep/api/gen/skep/v1/message_service_pb.ts";
import { WorkspaceService } from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import { aTenant } from "@skep/core/testing/builders.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import type { HostingChange } from "@skep/core/workspace/host.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { digestSecret } from "@skep/kit/secret-digest.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { tokenKey } from "@skep/kit/workspace-token.ts";
import { createInterceptors } from "@skep/server/interceptors.ts";
import { createHmac } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { aHostedStatus, aHostReport } from "../store/testing/hosts.ts";
import { createHandlers } from "./handlers.ts";
import { createTestPlatform, LEADER, type TestPlatform } from "./testing/platform.ts";

const someone = { actor: "someone", idempotencyKey: undefined };
const SECRET = digestSecret("fleet", "a secret word");

let platform: TestPlatform;
let transport: Transport;
/** Where hosts were called, with what they were shown. */
let dialled: string[];
let shown: string[];
/** What the host does. */
let failure: ConnectError | undefined;
let left: number;
let isSilent: boolean;
let clock: ReturnType<typeof createVirtualClock>;

beforeEach(async () => {
  [dialled, shown, failure, left] = [[], [], undefined, 0];
  [isSilent, clock] = [false, createVirtualClock()];
  platform = createTestPlatform({ clock });
  const dial = (baseUrl: string): Transport => {
    dialled.push(baseUrl);
    return host();
  };
  transport = createRouterTransport(createHandlers({ ...platform.deps, dial }), {
    router: { interceptors: createInterceptors(createRecordingLog()) },
  });
  const { store } = platform;
  await store.createTenant(aTenant(), someone);
  const connector = aConnector({ id: "fleet" }, { secret: SECRET });
  await store.createWorkspace(
    { tenantId: "acme", connector, purpose: aPurpose(), strategy: "least-loaded" },
    someone,
    0,
  );
  await store.saveHostReport(aHostReport(), 2_000, 0);
});

function host(): Transport {
  const see = (header: Headers): void => {
    shown.push(header.get("authorization") ?? "");
    if (failure !== undefined) throw failure;
  };
  return createRouterTransport(router => {
    router.service(MessageService, {
      listMessages: (request, { requestHeader }) => {
        see(requestHeader);
        return { nextPageToken: `after ${request.pageToken} of ${request.workspaceId}` };
      },
      followMessages: async function* (_, { requestHeader, signal }) {
        see(requestHeader);
        signal.addEventListener("abort", () => (left += 1), { once: true });
        for (let n = 0; ; n += 1) {
          yield { notice: `piece ${n}` };
          if (isSilent) await new Promise(() => undefined);
          await new Promise(resolve => setTimeout(resolve, 5));
        }
      },
    });
    router.service(FileService, {});
  });
}

async function commit(change: HostingChange): Promise<void> {
  const lease = await platform.store.takeLease(...LEADER);
  await platform.store.commitHosting({ changes: [change], silenced: new Map(), gone: [], lost: [] }, lease, 0);
}

async function serve(): Promise<void> {
  await commit({ kind: "place", workspaceId: "fleet", hostId: "host_a", epoch: 1, placement: 1, because: "" });
  await platform.store.saveHostReport(aHostReport({ seq: 2, workspaces: [aHostedStatus()] }), 2_000, 0);
}

const messages = () => createClient(MessageService, transport);
const list = (workspaceId = "fleet") => messages().listMessages({ workspaceId, pageToken: "x" });
const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "answered",
    (error: unknown) => {
      const { code, reason, message } = fromConnectError(error);
      return `${code} ${reason}: ${message}`;
    },
  );

/** What a token says, where the key of the workspace has signed it. */
function claimsOf(bearer: string, secret = SECRET): Readonly<Record<string, unknown>> {
  const [head = "", body = "", mac] = bearer.replace("Bearer ", "").split(".");
  const wanted = createHmac("sha256", tokenKey("fleet", secret)).update(`${head}.${body}`).digest("base64url");
  expect(mac).toBe(wanted);
  return JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
}

describe("a call that is passed on", () => {
  it("goes to the host that has the workspace, with a token for this one call", async () => {
    await serve();
    expect(await list()).toMatchObject({ nextPageToken: "after x of fleet" });
    expect(dialled).toEqual(["http://10.0.0.7:7704/ws/fleet"]);
    const claims = claimsOf(shown[0]!);
    expect(claims).toMatchObject({ aud: "workspace:fleet", may: "data", sub: "anonymous" });
    expect(Number(claims["exp"]) - Number(claims["iat"])).toBe(30);
  });

  it("is a stream as long as its reader stays", async () => {
    await serve();
    const notices: string[] = [];
    const reader = new AbortController();
    const reading = (async () => {
      for await (const { notice } of messages().followMessages({ workspaceId: "fleet" }, { signal: reader.signal })) {
        notices.push(notice);
        if (notices.length === 3) reader.abort();
      }
    })();
    await expect(reading).rejects.toThrow();
    expect(notices).toEqual(["piece 0", "piece 1", "piece 2"]);
    await expect.poll(() => left).toBe(1);
  });

  it("is answered by nobody where there is no workspace, or no host that serves it", async () => {
    expect(await refusal(list("nobody"))).toMatch(/^not_found WORKSPACE_NOT_FOUND: /);
    expect(await refusal(list())).toContain("unavailable WORKSPACE_AWAY: The workspace fleet cannot be asked");
    await commit({ kind: "wait", workspaceId: "fleet", because: "all hosts are full" });
    expect(await refusal(list())).toContain("all hosts are full");
    await commit({ kind: "place", workspaceId: "fleet", hostId: "host_a", epoch: 1, placement: 1, because: "" });
    expect(await refusal(list())).toContain("its host begins, or ends");
    expect(dialled).toEqual([]);
  });

  it("tells what the host says, and in words of ours that it says nothing", async () => {
    await serve();
    failure = new ConnectError("connect ECONNREFUSED 10.0.0.7:7704", Code.Unavailable);
    expect(await refusal(list())).toBe(
      "unavailable WORKSPACE_AWAY: The workspace fleet cannot be asked at present: its host does not answer. Try again in a moment.",
    );
    const reading = (async () => {
      for await (const _ of messages().followMessages({ workspaceId: "fleet" }));
    })();
    expect(await refusal(reading)).toContain("its host does not answer");
    failure = new ConnectError("no such cursor", Code.InvalidArgument);
    expect(await refusal(list())).toContain("invalid_argument INVALID_ARGUMENT: no such cursor");
  });

  it("is given up where its host is silent for too long, as a machine is that died", async () => {
    await serve();
    isSilent = true;
    const reading = (async () => {
      for await (const _ of messages().followMessages({ workspaceId: "fleet" }));
    })();
    const told = refusal(reading);
    await expect.poll(() => shown.length).toBe(1);
    await clock.advance(14_000);
    expect(left).toBe(0);
    await clock.advance(2_000);
    expect(await told).toContain("its host does not answer");
    await expect.poll(() => left).toBe(1);
  });

  it("is judged before it goes anywhere", async () => {
    await serve();
    expect(await refusal(messages().listMessages({ workspaceId: "fleet", pageSize: 5_000 }))).toContain("page_size");
    expect(await refusal(messages().listMessages({ workspaceId: "" }))).toContain("workspace_id");
    expect(dialled).toEqual([]);
  });
});

describe("a token for sockets", () => {
  const issue = (over: object = {}) =>
    createClient(WorkspaceService, transport).issueToken({ workspaceId: "fleet", subject: "me", ...over });

  it("is signed with what the records have of the secret, for topics and a time", async () => {
    const { token, expiresAt, namespace, path } = await issue({ topics: ["devices/d1/#"], lifetimeS: 60 });
    const claims = claimsOf(token);
    expect(claims).toMatchObject({ sub: "me", topics: ["devices/d1/#"], iss: "skep" });
    expect(claims).not.toHaveProperty("may");
    expect(Number(claims["exp"]) - Number(claims["iat"])).toBe(60);
    expect(Number(expiresAt?.seconds)).toBe(claims["exp"]);
    expect([namespace, path]).toEqual(["/ws/fleet", "/ws/fleet/socket.io"]);
  });

  it("is for all topics and an hour where nothing is said", async () => {
    const { exp, iat, topics } = claimsOf((await issue()).token);
    expect([topics, Number(exp) - Number(iat)]).toEqual([["#"], 3_600]);
  });

  it.each([
    [{ topics: ["$SYS/#"] }, "invalid_argument BAD_TOKEN_REQUEST: No token: topics"],
    [{ topics: ["a/#/b"] }, "invalid_argument BAD_TOKEN_REQUEST: No token: topics"],
    [{ subject: "" }, "subject"],
    [{ lifetimeS: 2_592_001 }, "lifetime_s"],
    [{ workspaceId: "nobody" }, "not_found"],
  ])("is refused for %j", async (over, told) => {
    expect(await refusal(issue(over))).toContain(told);
  });
});
