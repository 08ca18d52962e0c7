import { createHash } from "node:crypto";
import { basisOf } from "@skep/core/world/basis.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { StatusReport } from "../reports.ts";
import { aSpec } from "@skep/core/testing/builders.ts";
import { canBecome, INSTANCE_STATES } from "@skep/core/model/state.ts";
import { describe, expect, it } from "vitest";
import { someFacts, aReport, aStatus, creation, placement } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

/** What agents and Swarm say: reports, nodes, digests, repair. */
export function describeStatus(setting: StoreSetting): void {
  const { store, commit, committed, locationOf, mandate } = setting;

  describe("reports", () => {
    it("asks a session that it does not know for everything", async () => {
      const unknown = await store.saveReport(aReport({ sessionId: "session-0", full: true }), NOW);
      expect(unknown).toEqual({ accepted: false, needFull: true, fresh: false, changed: false });
      expect(await store.saveReport(aReport({ seq: 1 }), NOW)).toMatchObject({ accepted: true, needFull: true });
      expect(await store.saveReport(aReport({ seq: 2, full: true }), NOW)).toMatchObject({ needFull: false });
      expect(await store.saveReport(aReport({ seq: 3 }), NOW)).toMatchObject({ needFull: false });
      await store.saveFacts(someFacts(), NOW);
      expect(await store.saveReport(aReport({ seq: 4 }), NOW)).toMatchObject({ needFull: false });
      await store.saveFacts(someFacts({ sessionId: "session-2" }), NOW);
      expect(await store.saveReport(aReport({ seq: 5 }), NOW)).toMatchObject({ accepted: false });
      expect(await store.saveReport(aReport({ sessionId: "session-2" }), NOW)).toMatchObject({ needFull: true });
    });

    it("records a status and says whether a state or a health changed", async () => {
      await committed(creation(1), placement(1));
      const status = aStatus({ message: "it runs" });
      expect(await store.saveReport(aReport({ statuses: [status] }), NOW + 5)).toMatchObject({ changed: true });
      const { containers, message } = status;
      const recorded = await locationOf("acme.web.1");
      expect(recorded).toMatchObject({ state: "running", health: "healthy", message, changedAt: NOW + 5 });
      expect(recorded?.containers).toEqual(containers);
      const again = aReport({ seq: 2, statuses: [aStatus()] });
      expect(await store.saveReport(again, NOW + 9)).toMatchObject({ changed: false });
      expect(await locationOf("acme.web.1")).toMatchObject({ changedAt: NOW + 5, message: "" });
    });

    it("accepts a report again, and an older one, without effect", async () => {
      await committed(creation(1), placement(1));
      await store.saveReport(aReport({ seq: 2, statuses: [aStatus()] }), NOW);
      const older = aReport({ seq: 1, statuses: [aStatus({ state: "failed" })] });
      expect(await store.saveReport(older, NOW)).toMatchObject({ accepted: true, changed: false });
      expect(await locationOf("acme.web.1")).toMatchObject({ state: "running" });
    });

    it("leaves alone what is recorded at another node or epoch", async () => {
      await store.saveFacts(someFacts({ nodeId: "node-2" }), NOW);
      await committed(creation(1), placement(1));
      const statuses = [aStatus()];
      expect(await store.saveReport(aReport({ nodeId: "node-2", statuses }), NOW)).toMatchObject({ changed: false });
      const later = aReport({ statuses: [aStatus({ epoch: 2 })] });
      expect(await store.saveReport(later, NOW)).toMatchObject({ changed: false });
      expect(await locationOf("acme.web.1")).toMatchObject({ state: "assigned" });
    });

    it("lets a state go only where core says that it may go", async () => {
      const states = INSTANCE_STATES.filter(one => one !== "pending" && one !== "assigned");
      const pairs = states.flatMap(from => states.map(to => ({ from, to })));
      await committed(...pairs.flatMap((_, index) => [creation(index + 1), placement(index + 1)]));
      const reported = (which: "from" | "to", seq: number): StatusReport =>
        aReport({
          seq,
          statuses: pairs.map((pair, index) => aStatus({ instanceId: `acme.web.${index + 1}`, state: pair[which] })),
        });
      await store.saveReport(reported("from", 1), NOW);
      await store.saveReport(reported("to", 2), NOW);
      const recorded = new Map((await store.loadWorld()).locations.map(one => [one.instanceId, one.state]));
      for (const [index, { from, to }] of pairs.entries()) {
        expect([from, to, recorded.get(`acme.web.${index + 1}`)]).toEqual([from, to, canBecome(from, to) ? to : from]);
      }
    });
  });

  describe("nodes", () => {
    it("keeps Swarm's word by its version, and marks a node that left", async () => {
      const swarmNode = (nodeId: string, versionIndex: number, labels = {}) => ({
        nodeId,
        hostname: nodeId,
        role: "manager" as const,
        availability: "active" as const,
        state: "ready",
        address: "10.9.9.9",
        labels,
        versionIndex,
      });
      expect(await store.saveSwarmNodes([swarmNode("node-1", 7), swarmNode("node-2", 8)], NOW)).toBe(true);
      expect(await store.saveSwarmNodes([swarmNode("node-1", 7), swarmNode("node-2", 8)], NOW)).toBe(false);
      expect(await store.saveSwarmNodes([swarmNode("node-1", 9, { compute: "true" })], NOW)).toBe(true);
      expect(await store.saveSwarmNodes([swarmNode("node-1", 8)], NOW)).toBe(false);
      expect(await store.saveSwarmNodes([swarmNode("node-2", 8)], NOW), "an older list").toBe(false);
      const nodes = await store.listNodes();
      expect(nodes.map(one => [one.node.id, one.swarmState])).toEqual([
        ["node-1", "ready"],
        ["node-2", "removed"],
      ]);
      expect(nodes[0]?.node).toMatchObject({ role: "manager", labels: { compute: "true" }, address: "10.9.9.9" });
      expect((await store.loadWorld()).nodes.map(node => node.id)).toEqual(["node-1"]);
    });

    it("reaches a node where the Swarm's list says, and by its agent's word where the list has nothing", async () => {
      const swarm = { hostname: "n", role: "worker", availability: "active", state: "ready", labels: {} } as const;
      const list = (nodeId: string, address: string, versionIndex: number) =>
        store.saveSwarmNodes([{ ...swarm, nodeId, address, versionIndex }], NOW);
      const addressOf = async (id: string) =>
        (await store.listNodes()).find(({ node }) => node.id === id)?.node.address;
      const say = (nodeId: string, address: string) => store.saveFacts(someFacts({ nodeId, address }), NOW);
      expect(await say("node-2", "10.0.0.1")).toBe("10.0.0.1");
      expect(await say("node-2", "10.0.0.2")).toBe("10.0.0.2");
      for (const [index, nowhere] of ["", "0.0.0.0", "::"].entries()) {
        await list("node-2", nowhere, index + 1);
        expect(await addressOf("node-2")).toBe("10.0.0.2");
      }
      expect(await list("node-2", "10.9.9.2", 5), "a new address is news").toBe(true);
      expect(await addressOf("node-2")).toBe("10.9.9.2");
      expect(await say("node-2", "10.6.6.6")).toBe("10.9.9.2");
      expect(await addressOf("node-2")).toBe("10.9.9.2");
      await list("node-2", "0.0.0.0", 6);
      expect(await addressOf("node-2"), "the leader's own word of itself").toBe("10.9.9.2");
      await list("node-3", "0.0.0.0", 7);
      expect(await addressOf("node-3")).toBe("");
      expect(await say("node-3", "10.0.0.3")).toBe("10.0.0.3");
    });

    it("raises the assignment's revision when a node's availability changes", async () => {
      const listed = (availability: "active" | "drain", versionIndex: number) =>
        store.saveSwarmNodes(
          [
            {
              nodeId: "node-1",
              hostname: "n",
              role: "worker",
              availability,
              state: "ready",
              address: "",
              labels: {},
              versionIndex,
            },
          ],
          NOW,
        );
      await listed("active", 1);
      const before = await store.loadAssignment("node-1");
      await listed("drain", 2);
      expect(await store.loadAssignment("node-1")).toMatchObject({
        availability: "drain",
        revision: before!.revision + 1,
      });
    });

    it("keeps load, last sight, liveness, usage and the number of live locations", async () => {
      await committed(creation(1), creation(2), placement(1), placement(2));
      await store.saveBeats([{ nodeId: "node-1", load: { cpuShare: 0.3, memoryShare: 0.7 } }], mandate(), NOW + 1);
      await store.saveBeats([{ nodeId: "node-1", load: undefined }], mandate(), NOW + 2);
      await store.saveLiveness(new Map([["node-1", "ready"]]), mandate());
      await store.saveUsage([{ instanceId: "acme.web.1", epoch: 1, cpuMillis: 12, memoryBytes: 34 }], NOW);
      expect(await store.listNodes()).toMatchObject([
        { seenAt: NOW + 2, instances: 2, node: { liveness: "ready", load: { cpuShare: 0.3, memoryShare: 0.7 } } },
      ]);
      expect(await store.loadUsage(["acme.web.1", "acme.web.2"])).toEqual([
        { instanceId: "acme.web.1", epoch: 1, cpuMillis: 12, memoryBytes: 34 },
      ]);
      await store.saveUsage([{ instanceId: "acme.web.9", epoch: 1, cpuMillis: 1, memoryBytes: 1 }], NOW);
      expect(await store.loadUsage(["acme.web.9"])).toEqual([]);
      await store.saveReport(aReport({ gone: [{ instanceId: "acme.web.1", epoch: 1 }] }), NOW);
      expect(await store.listNodes()).toMatchObject([{ instances: 1 }]);
    });
  });

  describe("digests and repair", () => {
    it("sums live locations per node, the same way whatever the order they came in", async () => {
      await store.saveFacts(someFacts({ nodeId: "node-2" }), NOW);
      await committed(
        creation(1),
        creation(2),
        creation(3),
        placement(1),
        placement(2),
        placement(3, { nodeId: "node-2" }),
      );
      const before = await store.loadDigests();
      const texts = ["acme.web.1/1/assigned/none/", "acme.web.2/1/assigned/none/"];
      const hash = (text: string) => BigInt(`0x${createHash("md5").update(text).digest("hex").slice(0, 16)}`);
      expect(before.get("node-1")).toEqual({ digest: texts.map(hash).reduce((a, b) => a ^ b), count: 2 });
      expect(before.get("node-2")?.count).toBe(1);
      await store.saveReport(aReport({ statuses: [aStatus()] }), NOW);
      const after = await store.loadDigests();
      expect(after.get("node-1")?.digest).not.toBe(before.get("node-1")?.digest);
      expect(after.get("node-2")).toEqual(before.get("node-2"));
      await store.saveReport(aReport({ seq: 2, gone: [{ instanceId: "acme.web.1", epoch: 1 }] }), NOW);
      expect((await store.loadDigests()).get("node-1")?.count).toBe(1);
    });

    it("restores a location of an instance that is recorded at that very epoch, and no other", async () => {
      await committed(creation(1), placement(1));
      const location = (await locationOf("acme.web.1"))!;
      await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 1, portsFreeAt: NOW });
      expect(await store.restoreLocation({ ...location, epoch: 2 }, mandate())).toBe(false);
      expect(await store.restoreLocation({ ...location, instanceId: "acme.web.9" }, mandate())).toBe(false);
      expect((await store.loadWorld()).locations).toEqual([]);
      const running: Location = { ...location, state: "running", message: "as the agent sees it" };
      const revision = async (): Promise<number> => (await store.loadWorld()).nodes[0]?.assignmentRevision ?? -1;
      const before = await revision();
      expect(await store.restoreLocation(running, mandate())).toBe(true);
      expect(await store.restoreLocation(location, mandate())).toBe(false);
      expect((await store.loadWorld()).locations).toEqual([running]);
      // Its agent may work by an assignment that was made without the row: only a higher revision
      // brings a new one.
      expect(await revision()).toBe(before + 1);
    });

    it("lets a forgotten location's host port wait for other deployments, and not for its own", async () => {
      const port = { containerPort: 80, protocol: "tcp", hostPort: 20_000 } as const;
      const ports = [{ ...port, container: "app" }] as const;
      await store.createDeployment("acme", aSpec({ name: "other", replicas: 1 }), [], someone, NOW);
      const [instanceId, deploymentId] = ["acme.other.1", "acme.other"];
      await committed(creation(1), placement(1, { ports }), creation(1, { id: instanceId, deploymentId }));
      await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 1, portsFreeAt: NOW + 60_000 });
      expect((await store.loadWorld()).releasedPorts).toEqual([
        { nodeId: "node-1", protocol: "tcp", hostPort: 20_000, deploymentId: "acme.web", freeAt: NOW + 60_000 },
      ]);
      const placed = placement(1, { ports, instanceId });
      expect(await commit(placed)).toMatchObject({ kind: "stale", because: expect.stringContaining("has to wait") });
      const later = { changes: [placed], wakeAt: undefined, basis: basisOf(await store.loadWorld(), [placed]) };
      expect(await store.commit(later, mandate(), NOW + 60_000)).toMatchObject({ kind: "committed" });
      await committed({ kind: "stop", instanceId, epoch: 1, because: "" });
      await committed({ kind: "forget-location", instanceId, epoch: 1, portsFreeAt: NOW + 70_000 });
      expect((await store.loadWorld()).releasedPorts).toMatchObject([{ deploymentId: "acme.other" }]);
      await committed(placement(1, { ports: [{ ...ports[0], hostPort: 20_001 }], epoch: 2 }));
      const moved = { ...(await locationOf("acme.web.1", 2))!, ports, state: "running" } as const;
      await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 2, portsFreeAt: NOW });
      expect(await store.restoreLocation(moved, mandate()), "it waits for acme.other").toBe(false);
      expect(await commit(placement(1, { ports, instanceId, epoch: 2 }))).toMatchObject({ kind: "committed" });
    });

    it("does not restore a location whose host port was given to another meanwhile", async () => {
      const ports = [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: 20_000 }] as const;
      await committed(creation(1), creation(2), placement(1, { ports }));
      const location = (await locationOf("acme.web.1"))!;
      await committed(
        { kind: "forget-location", instanceId: "acme.web.1", epoch: 1, portsFreeAt: NOW },
        placement(2, { ports }),
      );
      expect(await store.restoreLocation({ ...location, state: "running" }, mandate())).toBe(false);
      // One that is said to be over may run all the same.
      expect(await store.restoreLocation({ ...location, state: "failed" }, mandate())).toBe(false);
      expect((await store.loadWorld()).locations).toMatchObject([{ instanceId: "acme.web.2" }]);
    });
  });
}
