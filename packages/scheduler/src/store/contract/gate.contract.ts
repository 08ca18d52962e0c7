import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import type { GatePlace } from "@skep/core/workspace/broker.ts";
import { describe, expect, it } from "vitest";
import { GONE_AFTER_MS } from "../gate-store.ts";
import { aReport, aStatus, codeOf, creation, placement } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

const at = (workspaceId: string, serial: number, connections = 1): GatePlace => ({ workspaceId, serial, connections });

/** At which broker the devices of workspaces are. */
export function describeGates({ store, mandate, committed }: StoreSetting): void {
  const make = (id: string, mode: "shared" | "standalone" = "shared") =>
    store.createWorkspace(
      { tenantId: "acme", connector: aConnector({ id }, {}, {}, mode), purpose: aPurpose(), strategy: "least-loaded" },
      someone,
      NOW,
    );
  const send = (id: string, to: "shared" | "own", serial: number, by = mandate(), now = NOW) =>
    store.switchDevices(id, to, serial, by, now);
  const tell = (gateId: string, seq: number, places: readonly GatePlace[], now = NOW) =>
    store.saveGateReport({ gateId, seq, places }, now);
  const behind = async (id = "fleet", after = NOW - 1): Promise<readonly string[]> =>
    (await store.listGatesBehind(id, after)).map(one => `${one.gateId} ${one.connections}`);
  const first = { side: "shared", serial: 0, address: undefined, isSwitched: false };

  describe("the brokers of workspaces", () => {
    it("follow from the mode until the devices are sent elsewhere, once by each serial", async () => {
      await make("fleet");
      await make("own", "standalone");
      expect(await store.locateBrokers(["own", "none", "fleet"], NOW)).toEqual([
        { ...first, workspaceId: "fleet" },
        { ...first, workspaceId: "own", side: "own" },
      ]);
      expect(await send("fleet", "own", 0)).toBe(true);
      expect(await send("fleet", "shared", 0)).toBe(false);
      expect(await send("fleet", "shared", 2)).toBe(false);
      expect(await send("none", "own", 0)).toBe(false);
      expect(await store.locateBrokers(["fleet"], NOW)).toEqual([
        { ...first, workspaceId: "fleet", side: "own", serial: 1 },
      ]);
      expect(await send("fleet", "shared", 1)).toBe(true);
      expect(await store.locateBrokers(["fleet"], NOW)).toMatchObject([{ side: "shared", serial: 2 }]);
    });

    it("are told to who did not ask for them, where they were switched lately", async () => {
      await make("fleet");
      await make("other");
      await send("fleet", "own", 0);
      expect(await store.locateBrokers([], NOW - 1)).toMatchObject([{ workspaceId: "fleet", isSwitched: true }]);
      expect(await store.locateBrokers([], NOW)).toEqual([]);
    });

    it("are switched by the leader only", async () => {
      await make("fleet");
      const another = { ...mandate(), holder: "another" };
      expect(await codeOf(send("fleet", "own", 0, another))).toBe("aborted LEASE_LOST");
    });

    it("go with their workspace", async () => {
      await make("fleet");
      await send("fleet", "own", 0);
      await store.changeWorkspace("fleet", { desired: "deleted" }, undefined, someone, NOW);
      const gone = { changes: [], silenced: new Map(), gone: ["fleet"], lost: [] };
      expect(await store.commitHosting(gone, mandate(), NOW)).toEqual({ kind: "committed" });
      await make("fleet");
      expect(await store.locateBrokers(["fleet"], NOW)).toMatchObject([{ side: "shared", serial: 0 }]);
    });

    it("of a pod are where it runs", async () => {
      await make("fleet", "standalone");
      const port = { containerPort: 1883, protocol: "tcp", hostPort: undefined } as const;
      const containers = [aContainer({ name: "mosquitto", ports: [port] })];
      await store.createDeployment("acme", aSpec({ name: "ws_fleet", containers }), [], someone, NOW);
      const [instanceId, deploymentId] = ["acme.ws_fleet.1", "acme.ws_fleet"];
      const ports = [{ container: "mosquitto", containerPort: 1883, protocol: "tcp", hostPort: 31_000 } as const];
      await committed(creation(1, { id: instanceId, deploymentId }), placement(1, { instanceId, ports }));
      const address = async () => (await store.locateBrokers(["fleet"], NOW))[0]?.address;
      expect(await address()).toBeUndefined();
      const full = { sessionId: "session-1", full: true };
      await store.saveReport(aReport({ ...full, statuses: [aStatus({ instanceId, ports })] }), NOW);
      expect(await address()).toEqual({ host: "10.0.0.1", port: 31_000 });
      await send("fleet", "shared", 0);
      expect(await address()).toBeUndefined();
      await send("fleet", "own", 1);
      await committed({ kind: "stop-instance", instanceId, because: "it is one too many" });
      expect(await address()).toBeUndefined();
    });
  });

  describe("gates", () => {
    it("are behind until they told that nothing of a workspace is open by an older serial", async () => {
      await make("fleet");
      await make("other");
      await tell("gate_a", 1, [at("fleet", 0, 7)]);
      await tell("gate_b", 1, [at("other", 9)]);
      expect(await behind()).toEqual(["gate_b 0"]);
      await send("fleet", "own", 0);
      expect(await behind()).toEqual(["gate_a 7", "gate_b 0"]);
      await tell("gate_b", 2, [at("other", 9), at("fleet", 1, 0)]);
      expect(await behind()).toEqual(["gate_a 7"]);
      await tell("gate_a", 2, [at("fleet", 1, 7)]);
      expect(await behind()).toEqual([]);
      await tell("gate_a", 1, [at("fleet", 0, 7)]);
      expect(await behind()).toEqual([]);
    });

    it("are waited for no longer than asked for, and not once they have ended", async () => {
      await make("fleet");
      await tell("gate_a", 1, []);
      await tell("gate_b", 1, [], NOW + 5);
      expect(await behind("fleet", NOW)).toEqual(["gate_b 0"]);
      await store.forgetGate("gate_b");
      expect(await behind()).toEqual(["gate_a 0"]);
    });

    it("that ended without a word are forgotten some time", async () => {
      await make("fleet");
      await tell("gate_a", 1, []);
      await tell("gate_b", 1, [], NOW + GONE_AFTER_MS);
      expect(await behind()).toEqual(["gate_a 0", "gate_b 0"]);
      await tell("gate_b", 2, [], NOW + GONE_AFTER_MS + 1);
      expect(await behind()).toEqual(["gate_b 0"]);
    });
  });
}
