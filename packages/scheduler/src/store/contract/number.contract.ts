import type { Change } from "@skep/core/world/plan.ts";
import { NO_BASIS } from "@skep/core/world/basis.ts";
import { aSpec } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { creation, placement, someFacts } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

const port = (protocol: "tcp" | "udp"): Extract<Change, { kind: "place" }>["ports"] => [
  { container: "app", containerPort: 80, protocol, hostPort: 20_000 },
];

/** Numbers that a commit takes, each from one row of which two plans might take it. */
export function describeNumbers({ store, commit, committed, mandate }: StoreSetting): void {
  describe("numbers that a commit takes", () => {
    it("are the next serials without a gap, though nobody has what is ahead", async () => {
      expect(await commit(creation(2))).toMatchObject({ kind: "stale" });
      await committed(creation(1), creation(2));
      expect(await commit(creation(4))).toMatchObject({ kind: "stale" });
      expect(await commit(creation(3, { id: "acme.web.1" }))).toMatchObject({ kind: "stale" });
      expect(await commit({ kind: "forget-instance", instanceId: "acme.web.9" })).toMatchObject({ kind: "stale" });
      expect((await store.loadWorld()).instances).toHaveLength(2);
    });

    it("never become less: neither the placements of all nor those of a node", async () => {
      await committed(creation(1), creation(2), placement(1, { placement: 7 }));
      await committed(placement(2, { placement: 3 }));
      const world = await store.loadWorld();
      expect(world.placements).toBe(7);
      expect(world.nodes[0]?.lastPlaced).toBe(7);
    });

    it("are a node's own where they are host ports, and one of each protocol", async () => {
      await store.saveFacts(someFacts({ nodeId: "node-2" }), NOW);
      await store.createDeployment("acme", aSpec({ name: "other" }), [], someone, NOW);
      const of = { instanceId: "acme.other.1" };
      await committed(creation(1), creation(2), creation(1, { id: of.instanceId, deploymentId: "acme.other" }));
      await committed(placement(1, { ports: port("tcp") }), placement(2, { ports: port("udp") }));
      await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 1, portsFreeAt: NOW + 60_000 });
      expect(await commit(placement(3, { ...of, ports: port("tcp") }))).toMatchObject({ kind: "stale" });
      expect(await commit(placement(3, { ...of, ports: port("udp") }))).toMatchObject({ kind: "stale" });
      await committed({ kind: "forget-location", instanceId: "acme.web.2", epoch: 1, portsFreeAt: NOW });
      await committed(placement(3, { ...of, ports: port("udp") }));
      await committed({ kind: "lose", ...of, epoch: 1, because: "a test" });
      await committed(placement(4, { ...of, epoch: 2, nodeId: "node-2", ports: port("tcp") }));
    });

    it("wait for the later of two times where a host port was released twice, and are noted no longer", async () => {
      const released = async (): Promise<readonly unknown[]> =>
        (await store.loadWorld()).releasedPorts.map(one => [one.nodeId, one.freeAt]);
      const forget = (epoch: number, portsFreeAt: number): Promise<unknown> =>
        committed({ kind: "forget-location", instanceId: "acme.web.1", epoch, portsFreeAt });
      await committed(creation(1), placement(1, { ports: port("tcp") }));
      await forget(1, NOW + 60_000);
      await committed(placement(1, { epoch: 2, ports: port("tcp") }));
      await forget(2, NOW + 30_000);
      expect(await released()).toEqual([["node-1", NOW + 60_000]]);
      await committed(placement(1, { epoch: 3, ports: port("tcp") }));
      const plan = { changes: [], wakeAt: undefined, basis: NO_BASIS };
      const last = { kind: "forget-location", instanceId: "acme.web.1", epoch: 3, portsFreeAt: NOW + 80_000 } as const;
      await store.commit({ ...plan, changes: [last] }, mandate(), NOW + 70_000);
      await committed(creation(2), placement(2, { ports: port("udp") }));
      const other = { kind: "forget-location", instanceId: "acme.web.2", epoch: 1, portsFreeAt: NOW } as const;
      await store.commit({ ...plan, changes: [other] }, mandate(), NOW + 90_000);
      expect(await released()).toEqual([["node-1", NOW]]);
    });

    it("count a location that was given up once, also when it is forgotten", async () => {
      await committed(creation(1), creation(2), placement(1), placement(2));
      await committed({ kind: "lose", instanceId: "acme.web.1", epoch: 1, because: "a test" });
      await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 1, portsFreeAt: NOW });
      expect(await store.listNodes()).toMatchObject([{ instances: 1 }]);
    });

    it("are not taken by a location that is written back and is over", async () => {
      await committed(creation(1), creation(2), placement(1, { ports: port("tcp") }));
      const [location] = (await store.loadWorld()).locations;
      await committed({ kind: "forget-location", instanceId: "acme.web.1", epoch: 1, portsFreeAt: NOW });
      expect(await store.restoreLocation({ ...location!, state: "failed" }, mandate())).toBe(true);
      expect(await store.listNodes()).toMatchObject([{ instances: 0 }]);
      await committed(placement(2, { ports: port("tcp") }));
    });

    it("say that a node's assignment has changed where what runs there is to stop", async () => {
      await store.saveFacts(someFacts({ nodeId: "node-2" }), NOW);
      await committed(creation(1), placement(1));
      const stopped = await committed({ kind: "stop-instance", instanceId: "acme.web.1", because: "a test" });
      expect([...stopped]).toEqual([["node-1", 2]]);
    });

    it("stand still while a stopped instance is stopped again", async () => {
      await committed(creation(1), placement(1));
      const stop = { kind: "stop-instance", instanceId: "acme.web.1", because: "a test" } as const;
      await committed(stop);
      const [before] = (await store.loadWorld()).locations;
      const again = { changes: [stop], wakeAt: undefined, basis: NO_BASIS };
      expect(await store.commit(again, mandate(), NOW + 1_000)).toMatchObject({ kind: "committed" });
      expect((await store.loadWorld()).locations).toEqual([before]);
    });
  });
}
