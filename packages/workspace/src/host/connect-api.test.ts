import { Code, ConnectError, createRouterTransport, type Transport } from "@connectrpc/connect";
import { HostService } from "@skep/api/gen/skep/v1/host_pb.ts";
import { RuleKind } from "@skep/api/gen/skep/v1/rule_pb.ts";
import { readRuleSet } from "@skep/core/rules/rule-set.ts";
import type { HostReport } from "@skep/core/workspace/host-report.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { beforeEach, expect, it } from "vitest";
import { createConnectApi } from "./connect-api.ts";

const signal = new AbortController().signal;
const clock = createVirtualClock();
const report: HostReport = {
  ...{ hostId: "h", nodeId: "n", workspaceId: undefined, startedAt: 0, version: "1", seq: 1, availability: "active" },
  ...{ most: 1, load: { connections: 0, messagesPerSecond: 0, memoryShare: 0 }, workspaces: [] },
  ...{ address: "", eventsPort: 0 },
  applied: { incarnation: "", term: 0, revision: 0 },
};

/** What the schedulers were shown, by method; the token that they give next, and what they know. */
let shown: string[];
let known: ReadonlySet<string>;
let given: number;
/** The workspace whose host the schedulers take it for. */
let takenFor: string;

function scheduler(isAway = false): Transport {
  const see = (method: string, header: Headers): void => {
    if (isAway) throw new ConnectError("away", Code.Unavailable);
    const token = header.get("authorization")?.replace("Bearer ", "") ?? "none";
    shown.push(`${method} ${token}`);
    if (!known.has(token)) throw new ConnectError("who are you", Code.Unauthenticated);
  };
  return createRouterTransport(({ service }) => {
    service(HostService, {
      enrol: (_, { requestHeader }) => {
        see("enrol", requestHeader);
        return { hostId: "h", token: `token ${(given += 1)}`, expiresInMs: 60_000, workspaceId: takenFor };
      },
      report: (_, { requestHeader }) => {
        see("report", requestHeader);
        return { holdMs: 2_000 };
      },
      loadRules: (_, { requestHeader }) => {
        see("loadRules", requestHeader);
        const document = { id: "hot", when: { kind: "always" }, actions: [{ kind: "event", topic: "a" }] };
        return { rulesVersion: 4n, rules: [{ kind: RuleKind.RULE, reference: "hot", version: 2n, document }] };
      },
      attach: async function* (_, { requestHeader }) {
        see("attach", requestHeader);
        yield { assignment: { hostId: "h", revision: 7n } };
      },
    });
  });
}

beforeEach(() => {
  shown = [];
  given = 0;
  takenFor = "";
  known = new Set(["secret", "token 1", "token 2"]);
});

it("shows the secret to enrol and then the token, which it renews at half its time", async () => {
  const api = createConnectApi({ transports: [scheduler()], secret: "secret", clock });
  expect(await api.enrol("an identity", signal)).toEqual({ hostId: "h", workspaceId: undefined });
  expect((await api.report(report, signal)).holdMs).toBe(2_000);
  for await (const assignment of api.attach("h", signal)) expect(assignment.revision).toBe(7);
  await clock.advance(30_000);
  await api.report(report, signal);
  expect(shown).toEqual(["enrol secret", "report token 1", "attach token 1", "enrol secret", "report token 2"]);
});

it("asks for another token where a scheduler does not know the one that it has", async () => {
  const api = createConnectApi({ transports: [scheduler()], secret: "secret", clock });
  await api.enrol("an identity", signal);
  known = new Set(["secret", "token 2"]);
  await expect(api.report(report, signal)).rejects.toMatchObject({ code: "unauthenticated" });
  expect((await api.report(report, signal)).holdMs).toBe(2_000);
});

it("goes to the next scheduler where one does not answer", async () => {
  const api = createConnectApi({ transports: [scheduler(true), scheduler()], secret: undefined, clock });
  known = new Set(["none"]);
  await expect(api.enrol("an identity", signal)).rejects.toMatchObject({ code: "unavailable" });
  expect(await api.enrol("an identity", signal)).toMatchObject({ hostId: "h" });
  expect((await api.report(report, signal)).holdMs).toBe(2_000);
});

it("loads the rules of a workspace, as core reads them", async () => {
  const api = createConnectApi({ transports: [scheduler()], secret: "secret", clock });
  await api.enrol("an identity", signal);
  const { rulesVersion, records } = await api.loadRules("h", "fleet", signal);
  expect(rulesVersion).toBe(4);
  expect(readRuleSet(records)).toMatchObject({ rules: [{ id: "hot", version: 2 }], unread: [] });
  known = new Set(["secret"]);
  await expect(api.loadRules("h", "fleet", signal)).rejects.toMatchObject({ code: "unauthenticated" });
});

it("does not begin where the schedulers take the host of one workspace for a shared one, or another's", async () => {
  const secret = "skep-workspace.fleet.signature";
  known = new Set([secret]);
  const api = createConnectApi({ transports: [scheduler()], secret, clock });
  await expect(api.enrol("me", signal)).rejects.toMatchObject({ reason: "HOST_MISTAKEN" });
  takenFor = "other";
  await expect(api.enrol("me", signal)).rejects.toThrow(/that of workspace fleet, and .* for that of other/);
  takenFor = "fleet";
  expect(await api.enrol("me", signal)).toEqual({ hostId: "h", workspaceId: "fleet" });
});
