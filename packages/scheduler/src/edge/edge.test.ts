import { NO_BASIS } from "@skep/core/world/basis.ts";
import { anAssignment, aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aReport, aRoute, aStatus, creation, placement, someFacts } from "../store/testing/records.ts";
import { createRig, type Rig } from "../testing/rig.ts";
import type { Beat, HeardBeat } from "@skep/api/codec/beat.ts";
import { PROTOCOL_VERSION } from "@skep/api/codec/envelope.ts";
import type { Heard } from "../loop/beats.ts";
import { withReceipt } from "../store/receipts.ts";
import { startEdgeServer } from "./edge-server.ts";
import type { EdgeAnswer } from "./ask-edge.ts";
import { createEdgeWatch, type EdgeWatch } from "./edge-watch.ts";
import { createRoutesView, type RoutesView } from "./routes-view.ts";

const someone = { actor: "someone", idempotencyKey: undefined };
const ports = [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: 20001 }] as const;

/** A beat of which only what the agent works by matters. */
function aBeat(works: Pick<Beat, "incarnation" | "appliedTerm">, key = ""): Heard {
  const { incarnation, appliedTerm: term } = works;
  const { receipt = "" } = withReceipt(anAssignment({ nodeId: "node-1", incarnation, term, revision: 1 }), key);
  const beat: HeardBeat = {
    receipt,
    protocol: PROTOCOL_VERSION,
    ...{ nodeId: "node-1", bootId: "boot", sessionId: "session", seq: 1, appliedRevision: 1, reportSeq: 0 },
    ...{ digest: 0n, instances: 1, load: undefined, leaving: false, refused: "", at: 0, ...works },
  };
  return { beat, atMs: 0, newAtMs: undefined, newBeforeMs: undefined };
}

describe("the routes", () => {
  let rig: Rig;
  let routes: RoutesView;
  let hint: () => void;
  let heard: Map<string, Heard>;

  beforeEach(async () => {
    rig = createRig();
    routes = createRoutesView(rig.ports("s1"));
    const store = rig.database.connect("test");
    await store.createTenant(aTenant(), someone);
    await store.createDeployment("acme", aSpec(), [aRoute()], someone, 0);
    await store.saveFacts(someFacts(), 0);
    const mandate = await store.takeLease("me", 600_000);
    await store.commit(
      { changes: [creation(1), placement(1, { ports })], wakeAt: undefined, basis: NO_BASIS },
      mandate,
      0,
    );
    const subscribe = (handle: () => void) => ((hint = handle), { close: () => undefined });
    heard = new Map();
    routes.follow({ subscribe }, { all: () => heard, listenedMs: () => 2_000 });
    await rig.clock.advance(10);
  });
  afterEach(() => routes.close());

  const servers = (): number => (routes.current()?.match(/10\.0\.0\.1:20001/g) ?? []).length;
  const report = (state: "running" | "failed", seq: number) =>
    rig.database.connect("agent").saveReport(aReport({ seq, statuses: [aStatus({ state })] }), 0);

  it("lead to an instance as soon as it runs, and no longer when it does not", async () => {
    expect(servers()).toBe(0);
    await report("running", 1);
    hint();
    await rig.clock.advance(250);
    expect(servers()).toBe(1);
    await report("failed", 2);
    hint();
    await rig.clock.advance(250);
    expect(servers()).toBe(0);
  });

  it("are read again without a hint, and at most four times a second with many", async () => {
    await report("running", 1);
    await rig.clock.advance(1_010);
    expect(servers()).toBe(1);
    let reads = 0;
    rig.database.setPolicy((_, call) => {
      if (call === "loadEdge") reads += 1;
      return { delayMs: 0, lost: "no" };
    });
    for (let index = 0; index < 100; index++) {
      hint();
      await rig.clock.advance(10);
    }
    expect(reads).toBeLessThanOrEqual(5);
  });

  it("stay as they were while the database is away, and are no longer served once they are too old", async () => {
    await report("running", 1);
    await rig.clock.advance(1_010);
    const before = routes.current();
    rig.database.cut();
    await rig.clock.advance(20_000);
    expect(routes.current()).toBe(before);
    await rig.clock.advance(15_000);
    expect([routes.current(), routes.version()]).toEqual([undefined, undefined]);
    rig.database.heal();
    await report("failed", 2);
    await rig.clock.advance(2_000);
    expect(servers()).toBe(0);
  });

  it("are withheld where an agent works by later records, and stay as they were until they are too old", async () => {
    await report("running", 1);
    await rig.clock.advance(1_010);
    const before = routes.current();
    const { identity } = await rig.database.connect("test").loadEdge();
    heard.set("node-1", aBeat({ incarnation: identity.incarnation, appliedTerm: 9 }, identity.receiptKey));
    await report("failed", 2);
    await rig.clock.advance(5_000);
    expect(routes.current()).toBe(before);
    await rig.clock.advance(30_000);
    expect(routes.current()).toBeUndefined();
    heard.clear();
    await rig.clock.advance(2_000);
    expect(servers()).toBe(0);
    expect(routes.current()).toBeDefined();
  });

  it("are served where an agent only claims to work by later records", async () => {
    const { identity } = await rig.database.connect("test").loadEdge();
    heard.set("node-1", aBeat({ incarnation: identity.incarnation, appliedTerm: 9 }, "a key that it made"));
    await report("running", 1);
    await rig.clock.advance(5_000);
    expect(servers()).toBeGreaterThan(0);
    expect(routes.areOurs()).toBe(true);
    expect(routes.unproven()).toEqual(["node-1"]);
    const says = { nodeId: "node-1", incarnation: identity.incarnation, term: 9, revision: 1 };
    expect(routes.isUnproven(says)).toBe(true);
    expect(routes.isUnproven({ ...says, term: 1, revision: 0 })).toBe(false);
    // What was told since the records were read is later than they are.
    expect(routes.isUnproven({ ...says, nodeId: "node-2" })).toBe(false);
  });

  it("are withheld where the agents work by another database", async () => {
    const before = routes.current();
    heard.set("node-1", aBeat({ incarnation: "inc_lost", appliedTerm: 1 }));
    await report("running", 1);
    await rig.clock.advance(5_000);
    expect(routes.current()).toBe(before);
  });

  it("are withheld until somebody has recovered the records", async () => {
    const before = routes.current();
    const store = rig.database.connect("test");
    await store.markUnrecovered("they are old", await store.takeLease("me", 600_000), 1);
    await report("running", 1);
    await rig.clock.advance(5_000);
    expect(routes.current()).toBe(before);
  });

  it("are not served before the agents were listened to, unless nobody can be heard", async () => {
    const view = createRoutesView(rig.ports("s2"));
    view.follow({ subscribe: () => ({ close: () => undefined }) }, { all: () => heard, listenedMs: () => 0 });
    await rig.clock.advance(9_000);
    expect(view.current()).toBeUndefined();
    await rig.clock.advance(2_000);
    expect(view.current()).toBeDefined();
    await view.close();
  });

  it("are as old as the question, however long the answer took", async () => {
    await report("running", 1);
    await rig.clock.advance(1_010);
    rig.database.setPolicy((_, call) => ({ delayMs: call === "loadEdge" ? 31_000 : 0, lost: "no" }));
    await rig.clock.advance(33_000);
    expect(routes.current()).toBeUndefined();
    rig.database.setPolicy(() => ({ delayMs: 0, lost: "no" }));
    await rig.clock.advance(32_000);
  });

  it("carry a version that changes with them alone, on the platform's own route", async () => {
    await report("running", 1);
    await rig.clock.advance(1_010);
    const before = routes.version()!;
    expect(routes.current()).toContain(`{"headers":{"customResponseHeaders":{"x-skep-routes":"${before}"}}}`);
    await rig.clock.advance(5_000);
    expect(routes.version()).toBe(before);
    expect(routes.supersededMs(before)).toBeUndefined();
    await report("failed", 2);
    await rig.clock.advance(2_000);
    expect(routes.version()).not.toBe(before);
    expect(routes.supersededMs(before)).toBeTypeOf("number");
  });

  describe("of an edge", () => {
    let held: EdgeAnswer;
    let watch: EdgeWatch;

    beforeEach(async () => {
      await report("running", 1);
      await rig.clock.advance(1_010);
      held = { kind: "holds", version: routes.version()! };
      const askEdge = () => Promise.resolve(held);
      watch = createEdgeWatch(rig.ports("s1"), { routes, askEdge, lateAfterMs: 10_000, isTelling: () => true });
    });
    afterEach(() => watch.close());

    it("are watched: one that keeps old ones is named, and one that has none, until they take the new ones", async () => {
      await rig.clock.advance(30_000);
      expect(watch.warnings()).toEqual([]);
      await report("failed", 2);
      await rig.clock.advance(8_000);
      expect(watch.warnings()).toEqual([]);
      await rig.clock.advance(10_000);
      expect(watch.warnings()).toEqual([expect.stringContaining("has taken no new routes for")]);
      held = { kind: "holds", version: routes.version()! };
      await rig.clock.advance(6_000);
      expect(watch.warnings()).toEqual([]);
      held = { kind: "none" };
      await rig.clock.advance(20_000);
      expect(watch.warnings()).toHaveLength(1);
      const { items } = await rig.database.connect("test").listDecisions({}, { size: 100, token: undefined });
      expect(items.map(one => one.kind).filter(kind => kind.startsWith("edge."))).toEqual([
        ...["edge.stale", "edge.current", "edge.stale"],
      ]);
    });

    it("are nobody's concern where no edge answers, or this replica does not know them itself", async () => {
      held = { kind: "silent" };
      await report("failed", 2);
      await rig.clock.advance(60_000);
      expect(watch.warnings()).toEqual([]);
      held = { kind: "holds", version: "unknown" };
      rig.database.cut();
      await rig.clock.advance(31_000);
      const before = watch.warnings().length;
      await rig.clock.advance(60_000);
      expect(watch.warnings().length).toBe(before);
    });
  });
});

describe("the listener of the edges", () => {
  let server: Awaited<ReturnType<typeof startEdgeServer>>;
  let current: string | undefined;
  const get = async (path: string, method = "GET"): Promise<[number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return [answer.status, await answer.text()];
  };

  beforeEach(async () => {
    current = undefined;
    server = await startEdgeServer({ port: 0, host: "127.0.0.1", routes: () => current });
  });
  afterEach(() => server.close(0));

  it("answers 503 until the routes are known, so that Traefik keeps those that it has", async () => {
    expect((await get("/routes"))[0]).toBe(503);
    const { headers } = await fetch(`http://127.0.0.1:${server.port}/routes`);
    expect(headers.get("connection"), "so that the edge asks another scheduler").toBe("close");
    current = '{"http":{}}';
    expect(await get("/routes")).toEqual([200, '{"http":{}}']);
  });

  it("is alive in any case, and has nothing else", async () => {
    expect((await get("/livez"))[0]).toBe(200);
    expect((await get("/else"))[0]).toBe(404);
    expect((await get("/routes", "POST"))[0]).toBe(405);
  });
});
