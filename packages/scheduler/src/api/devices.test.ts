import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { GateService } from "@skep/api/gen/skep/v1/gate_pb.ts";
import { digestSecret } from "@skep/kit/secret-digest.ts";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { afterEach, describe, expect, it } from "vitest";
import { gateHandlers } from "./gates.ts";
import { reasonOf, serveHttp, type HttpApi } from "./testing/http.ts";
import { createTestPlatform, LEADER } from "./testing/platform.ts";

const PATH = "/api/v1/workspaces/fleet/devices";

let http: HttpApi | undefined;
afterEach(() => http?.close());

async function start() {
  const platform = createTestPlatform();
  const someone = { actor: "someone", idempotencyKey: undefined };
  const connector = aConnector({ id: "fleet" });
  const wanted = { tenantId: "default", connector, purpose: aPurpose(), strategy: "least-loaded" } as const;
  await platform.store.createWorkspace(wanted, someone, 1);
  http = await serveHttp(platform.deps);
  const { send } = http;
  const transport = createRouterTransport(router => router.service(GateService, gateHandlers(platform.deps)));
  const gate = createClient(GateService, transport);
  const add = async (deviceIds: readonly string[], more: object = {}): Promise<readonly string[]> => {
    const { body } = await send("POST", PATH, { deviceIds, ...more });
    return ((body["credentials"] ?? []) as { readonly secret: string }[]).map(one => one.secret);
  };
  const claim = (deviceId: string, secret: string) => ({
    ...{ workspaceId: "fleet", deviceId, digest: digestSecret(`fleet/devices/${deviceId}`, secret) },
  });
  return { ...platform, send, gate, add, claim };
}

describe("devices over HTTP", () => {
  it("are told their secret once, and never again", async () => {
    const { send, add } = await start();
    const [secret, other] = await add(["d1", "d2"]);
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(other).not.toBe(secret);
    const shown = await send("GET", `${PATH}/d1`);
    expect(shown.body).toMatchObject({ device: { userName: "fleet/devices/d1", enabled: true, version: "1" } });
    const listed = await send("GET", PATH);
    expect(JSON.stringify([shown.body, listed.body])).not.toContain(secret);
    expect(JSON.stringify([shown.body, listed.body])).not.toContain("sha256");
    expect((listed.body["devices"] as object[]).length).toBe(2);
  });

  it("have the same secret where the request is repeated under its key, and no other", async () => {
    const { add } = await start();
    const first = await add(["d1"], { idempotencyKey: "k" });
    expect(await add(["d1"], { idempotencyKey: "k" })).toEqual(first);
    expect(await add(["d2"], { idempotencyKey: "l" })).not.toEqual(first);
  });

  it("are admitted with their own secret only, and stay until it is changed", async () => {
    const { send, gate, add, claim } = await start();
    const [secret = "", other = ""] = await add(["d1", "d2"]);
    const admit = async (...claims: ReturnType<typeof claim>[]) => (await gate.admitDevices({ claims })).versions;
    expect(await admit(claim("d1", secret), claim("d1", other), claim("d2", secret), claim("none", ""))).toEqual([
      ...[1n, 0n, 0n, 0n],
    ]);
    const stays = async (version: bigint) => {
      const devices = [{ workspaceId: "fleet", deviceId: "d1", version, denied: 1, deniedTopic: "a/b", seen: true }];
      return (await gate.reportDevices({ devices })).mayStay[0];
    };
    expect(await stays(1n)).toBe(true);
    const rotated = await send("POST", `${PATH}/d1/rotate`, {});
    expect(rotated.body).toMatchObject({ credential: { device: { version: "2", denied: "1", deniedTopic: "a/b" } } });
    expect(await stays(1n)).toBe(false);
    const { secret: fresh } = rotated.body["credential"] as { readonly secret: string };
    expect(await admit(claim("d1", secret), claim("d1", fresh))).toEqual([0n, 2n]);
    await send("POST", `${PATH}/d1/disable`, {});
    expect(await stays(2n)).toBe(false);
    expect(await admit(claim("d1", fresh))).toEqual([0n]);
    await send("POST", `${PATH}/d1/enable`, {});
    expect(await admit(claim("d1", fresh))).toEqual([4n]);
    expect((await send("DELETE", `${PATH}/d1`)).status).toBe(200);
    expect(await stays(4n)).toBe(false);
    expect(reasonOf(await send("DELETE", `${PATH}/d1`))).toBe("DEVICE_NOT_FOUND");
    expect(reasonOf(await send("GET", `${PATH}/d1`))).toBe("DEVICE_NOT_FOUND");
  });

  it.each([["a/b"], ["+"], ["#"], ["$SYS"], ["\0"], [""], ["é"], ["x".repeat(129)]])(
    "are refused with the id %j, which no topic could tell apart",
    async id => {
      const { send } = await start();
      expect((await send("POST", PATH, { deviceIds: [id] })).status).toBe(400);
    },
  );

  it("are refused twice in one request, and by more than a thousand", async () => {
    const { send } = await start();
    expect((await send("POST", PATH, { deviceIds: ["a", "a"] })).status).toBe(400);
    const many = Array.from({ length: 1001 }, (_, index) => `d${index}`);
    expect((await send("POST", PATH, { deviceIds: many })).status).toBe(400);
    expect((await send("POST", PATH, { deviceIds: many.slice(1) })).status).toBe(200);
  });
});

describe("gates", () => {
  it("are told where the devices of workspaces are to be, of those only who were let in", async () => {
    const { store, gate, add, claim } = await start();
    const [secret = ""] = await add(["d1"]);
    const brokers = async (...claims: ReturnType<typeof claim>[]) => (await gate.admitDevices({ claims })).brokers;
    expect(await brokers(claim("d1", "another"))).toEqual([]);
    const [shared] = await brokers(claim("d1", secret), claim("d1", secret));
    expect([shared?.workspaceId, shared?.own, shared?.serial]).toEqual(["fleet", undefined, 0n]);
    await store.switchDevices("fleet", "own", 0, await store.takeLease(...LEADER), 1);
    const [own] = await brokers(claim("d1", secret));
    expect(own).toMatchObject({ serial: 1n, own: { host: "", user: "gate" } });
    expect(own?.own?.password).toMatch(/^[\w-]{43}$/);
  });

  it("are behind until they confirmed a switch, hear of one without being asked, and are forgotten as they leave", async () => {
    const { store, gate } = await start();
    const report = async (seq: bigint, serial: bigint, more: { isLeaving?: boolean } = {}) => {
      const places = [
        { workspaceId: "other", serial, connections: 1 },
        { workspaceId: "fleet", serial },
      ];
      return (await gate.reportBrokers({ gateId: "gate_a", seq, places, ...more })).brokers;
    };
    const behind = async () => (await store.listGatesBehind("fleet", 0)).map(one => one.gateId);
    expect(await report(1n, 0n)).toMatchObject([{ workspaceId: "fleet", isSwitched: false }]);
    await store.switchDevices("fleet", "own", 0, await store.takeLease(...LEADER), Date.now());
    expect(await behind()).toEqual(["gate_a"]);
    expect((await gate.reportBrokers({ gateId: "gate_b", seq: 1n })).brokers).toMatchObject([{ isSwitched: true }]);
    await report(2n, 1n);
    expect(await behind()).toEqual(["gate_b"]);
    await gate.reportBrokers({ gateId: "gate_b", seq: 2n, isLeaving: true });
    expect(await behind()).toEqual([]);
  });
});
