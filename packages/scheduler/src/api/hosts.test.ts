import { createClient, createRouterTransport, type Interceptor } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { hostAnswerFromProto, hostAssignmentFromProto, hostReportToProto } from "@skep/api/codec/host.ts";
import { HostService } from "@skep/api/gen/skep/v1/host_pb.ts";
import { aHost, type HostRights } from "@skep/core/access/principal.ts";
import { aContainer, aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import type { HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import type { HostReport } from "@skep/core/workspace/host-report.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { principalKey } from "@skep/server/auth.ts";
import { peerKey } from "@skep/server/client.ts";
import { createInterceptors } from "@skep/server/interceptors.ts";
import { beforeEach, describe, expect, it } from "vitest";
import { aHostedStatus, aHostReport } from "../store/testing/hosts.ts";
import { createHandlers } from "./handlers.ts";
import { createTestPlatform, LEADER, type TestPlatform } from "./testing/platform.ts";

const someone = { actor: "someone", idempotencyKey: undefined };

let platform: TestPlatform;

/** A client that shows a token of these rights; without any, the gate is open. */
function clientOf(rights?: HostRights, peer = "") {
  const gate: Interceptor = next => request => {
    if (rights !== undefined) request.contextValues.set(principalKey, aHost(rights));
    request.contextValues.set(peerKey, peer);
    return next(request);
  };
  const interceptors = [gate, ...createInterceptors(createRecordingLog())];
  return createClient(HostService, createRouterTransport(createHandlers(platform.deps), { router: { interceptors } }));
}

const report = async (over: Partial<HostReport> = {}, rights?: HostRights) =>
  hostAnswerFromProto(await clientOf(rights).report(hostReportToProto(aHostReport(over))));
const refusal = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "taken",
    (error: unknown) => fromConnectError(error).message,
  );

async function place(): Promise<void> {
  await platform.store.createTenant(aTenant(), someone);
  const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "least-loaded" } as const;
  await platform.store.createWorkspace({ ...wanted, connector: aConnector({ id: "fleet" }) }, someone, 0);
  await commit({ kind: "place", workspaceId: "fleet", hostId: "host_a", epoch: 1, placement: 1, because: "" });
}

async function commit(change: Parameters<typeof platform.store.commitHosting>[0]["changes"][number]): Promise<void> {
  const lease = await platform.store.takeLease(...LEADER);
  const plan = { changes: [change], silenced: new Map(), gone: [], lost: [] };
  expect(await platform.store.commitHosting(plan, lease, 0)).toEqual({ kind: "committed" });
}

beforeEach(() => {
  platform = createTestPlatform();
});

describe("a report", () => {
  it("is answered with the lease, and wakes the leader where something changed", async () => {
    expect(await report()).toEqual({ holdMs: 2_000, granted: [], ended: [], anew: "", revision: 0 });
    expect(platform.wakes).toEqual(["host host_a: reported"]);
    await place();
    const answer = await report({ seq: 2, workspaces: [aHostedStatus(), aHostedStatus({ epoch: 9 })] });
    expect([answer.granted, answer.ended]).toEqual([
      [{ workspaceId: "fleet", epoch: 1 }],
      [{ workspaceId: "fleet", epoch: 9 }],
    ]);
    expect(platform.wakes).toHaveLength(2);
    await report({ seq: 3, workspaces: [aHostedStatus()] });
    expect(platform.wakes).toHaveLength(2);
  });

  it("is taken from nobody but the host that it names, for the workspace of its token", async () => {
    const own = { hostId: "host_a", workspaceId: undefined };
    expect(await refusal(report({}, own))).toBe("taken");
    expect(await refusal(report({ hostId: "host_b" }, own))).toContain("host host_a may not speak as host host_b");
    expect(await refusal(report({ workspaceId: "fleet" }, own))).toContain("may not speak as the host of fleet");
    const alone = { hostId: "host_c", workspaceId: "fleet" };
    expect(await refusal(report({ hostId: "host_c" }, alone))).toContain(
      "may not speak as the host of many workspaces",
    );
    expect(await refusal(report({ hostId: "host_c", workspaceId: "fleet" }, alone))).toBe("taken");
    expect(await refusal(report({}, { hostId: undefined, workspaceId: undefined }))).toContain("may not speak as");
  });

  it("says where a host is reached: what a shared one says, else where it calls from", async () => {
    await report();
    await place();
    const from = async (peer: string, over: Partial<HostReport>, seq: number): Promise<string | undefined> => {
      const message = hostReportToProto(aHostReport({ seq, workspaces: [aHostedStatus()], ...over }));
      await clientOf(undefined, peer).report(message);
      return (await platform.store.reachWorkspace("fleet"))?.address;
    };
    expect(await from("10.1.1.1", { address: "" }, 2)).toBe("10.1.1.1");
    expect(await from("10.1.1.1", { address: "host-1.example" }, 3)).toBe("host-1.example");
    expect(await from("", { address: "" }, 4)).toBe("");
    expect(await refusal(from("", { address: "a/b" }, 5))).toContain("address");
  });

  it("has no address of its own choice where one tenant has the host to himself", async () => {
    await platform.store.createTenant(aTenant(), someone);
    const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "least-loaded" } as const;
    const connector = aConnector({ id: "fleet" }, {}, {}, "standalone");
    await platform.store.createWorkspace({ ...wanted, connector }, someone, 0);
    const own = aHostReport({ workspaceId: "fleet", address: "10.0.0.1" });
    await clientOf(undefined, "10.2.2.2").report(hostReportToProto(own));
    await commit({ kind: "place", workspaceId: "fleet", hostId: "host_a", epoch: 1, placement: 1, because: "" });
    expect(await platform.store.reachWorkspace("fleet")).toMatchObject({ address: "10.2.2.2" });
  });

  it("has the address and the port of its pod at the node, whatever it says, once that runs", async () => {
    await platform.store.createTenant(aTenant(), someone);
    const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "least-loaded" } as const;
    const connector = aConnector({ id: "fleet" }, {}, {}, "standalone");
    await platform.store.createWorkspace({ ...wanted, connector }, someone, 0);
    const port = { containerPort: 7_704, protocol: "tcp", hostPort: undefined } as const;
    const spec = aSpec({ name: "ws_fleet", containers: [aContainer({ ports: [port] })] });
    await platform.store.createDeployment("acme", spec, [], someone, 0);
    const reached = async (seq: number) => {
      const own = aHostReport({ seq, workspaceId: "fleet", address: "10.0.0.1", eventsPort: 7_704 });
      await clientOf(undefined, "172.17.0.1").report(hostReportToProto(own));
      const { address, port } = (await platform.store.reachWorkspace("fleet")) ?? { address: "none", port: 0 };
      return `${address}:${port}`;
    };
    await reached(1);
    await commit({ kind: "place", workspaceId: "fleet", hostId: "host_a", epoch: 1, placement: 1, because: "" });
    expect(await reached(2)).toBe(":0");
    await platform.addNodes({ id: "node-1", address: "10.7.7.7" });
    await platform.converge();
    const { hostPort } = (await platform.store.loadWorld()).locations[0]!.ports[0]!;
    expect(await reached(3)).toBe(`10.7.7.7:${hostPort}`);
  });

  it("is refused by its field where it is none", async () => {
    expect(await refusal(report({ hostId: "" }))).toContain("host_id");
    expect(await refusal(report({ most: 0 }))).toContain("most");
    expect(await refusal(report({ load: { connections: 0, messagesPerSecond: 0, memoryShare: 2 } }))).toContain(
      "memory_share",
    );
  });
});

describe("loading rules", () => {
  const load = (hostId: string, rights?: HostRights) => clientOf(rights).loadRules({ hostId, workspaceId: "fleet" });

  it("gives a host the rules of what it has, and of nothing else", async () => {
    await report();
    await report({ hostId: "host_b" });
    await place();
    const hot = { workspaceId: "fleet", kind: "rule", reference: "hot" } as const;
    await platform.store.putRule(hot, { id: "hot" }, undefined, someone, 0);
    const own = { hostId: "host_a", workspaceId: undefined };
    expect(await load("host_a", own)).toMatchObject({
      rulesVersion: 1n,
      rules: [{ reference: "hot", version: 1n, document: { id: "hot" } }],
    });
    expect(await refusal(load("host_b"))).toContain("Host host_b does not have the workspace fleet");
    expect(await refusal(load("host_a", { ...own, hostId: "host_b" }))).toContain("may not speak as host host_a");
  });
});

describe("enrolling", () => {
  it("gives an identity a host's id, and the workspace that its secret was for", async () => {
    const identity = "x".repeat(40);
    const shared = await clientOf().enrol({ identity });
    expect(shared).toMatchObject({ workspaceId: "", expiresInMs: 3_600_000 });
    const alone = await clientOf({ hostId: undefined, workspaceId: "fleet" }).enrol({ identity });
    expect(alone).toMatchObject({ workspaceId: "fleet", hostId: shared.hostId });
    expect(alone.token).not.toBe(shared.token);
    expect(await refusal(clientOf().enrol({ identity: "short" }))).toContain("identity");
  });
});

describe("attaching", () => {
  /** What comes until `count` assignments have come. */
  async function assignments(count: number, meanwhile: (at: number) => void): Promise<readonly HostAssignment[]> {
    const leaving = new AbortController();
    const all: HostAssignment[] = [];
    for await (const { assignment } of clientOf().attach({ hostId: "host_a" }, { signal: leaving.signal })) {
      all.push(hostAssignmentFromProto(assignment!));
      if (all.length === count) break;
      meanwhile(all.length);
    }
    leaving.abort();
    return all;
  }

  it("tells the whole assignment at once and after each change, and nothing twice", async () => {
    await report();
    const told = await assignments(3, at => {
      const change = at === 1 ? place : () => commit({ kind: "stop", workspaceId: "fleet", epoch: 1, because: "" });
      platform.deps.wake("nothing changed");
      setTimeout(() => void change().then(() => platform.deps.wake("it changed")), 250);
    });
    expect(told.map(one => [one.revision, ...one.workspaces.map(({ id, desired }) => `${id} ${desired}`)])).toEqual([
      [0],
      [1, "fleet run"],
      [2, "fleet stop"],
    ]);
    expect(told[1]!.workspaces[0]!.connector.access.secret).toBe(aConnector().access.secret);
  });

  it("tells nobody of another host", async () => {
    const rights = { hostId: "host_b", workspaceId: undefined };
    const first = clientOf(rights).attach({ hostId: "host_a" })[Symbol.asyncIterator]().next();
    expect(await refusal(first)).toContain("host host_b may not speak as host host_a");
  });
});
