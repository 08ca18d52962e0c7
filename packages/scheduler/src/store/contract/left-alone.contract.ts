import type { Recovery } from "@skep/core/identity/recovery-records.ts";
import { SERIAL_GAP, SERIALS_BELIEVED } from "@skep/core/identity/serials.ts";
import type { Removal } from "@skep/core/model/assignment.ts";
import { aSpec } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { creation } from "../testing/records.ts";
import { NOW, someone, type StoreSetting } from "./setting.ts";

const copy = (instanceId: string): Removal => ({ instanceId, epoch: 1, because: "no record explains it" });

/** No new instance gets the name of something that runs without a record. */
export function describeLeftAlone(setting: StoreSetting): void {
  const { store, commit, committed, mandate } = setting;
  const leave = (...ids: readonly string[]): Promise<void> =>
    store.saveOrphans("node-1", ids.map(copy), mandate(), NOW);
  const nextOf = async (id: string): Promise<number | undefined> =>
    (await store.loadWorld()).deployments.find(one => one.id === id)?.nextSerial;
  const create = async (name: string): Promise<number> =>
    (await store.createDeployment("acme", aSpec({ name }), [], someone, NOW)).deployment.nextSerial;

  describe("the numbers of a name", () => {
    it("go on beyond a copy that is left alone, and what they skip was not given", async () => {
      await committed(creation(1), creation(2));
      await leave("acme.web.7", "acme.web.5", "by-hand");
      const first = 8 + SERIAL_GAP;
      expect(await nextOf("acme.web")).toBe(first);
      expect(await commit(creation(3))).toMatchObject({ kind: "stale" });
      await committed(creation(first));
      const skipped = [{ from: 3, to: first }];
      expect(await store.loadSerials()).toEqual(new Map([["acme.web", { next: first + 1, gap: undefined, skipped }]]));
      await leave("acme.web.7", "acme.web.5", "acme.web.1");
      expect(await nextOf("acme.web")).toBe(first + 1);
      await leave(`acme.web.${first + 1}`);
      const { serials } = await store.loadEvidence("node-1", ["acme.web.1"]);
      const next = first + 2 + SERIAL_GAP;
      expect(serials.get("acme.web")).toMatchObject({ next, skipped: [...skipped, { from: first + 1, to: next }] });
    });

    it("stand still for a leader whose term is over", async () => {
      const late = store.saveOrphans("node-1", [copy("acme.web.7")], { ...mandate(), term: mandate().term + 1 }, NOW);
      await expect(late).rejects.toMatchObject({ reason: "LEASE_LOST" });
      expect(await nextOf("acme.web")).toBe(1);
    });

    it("stand still for one that nobody is believed", async () => {
      const highest = SERIALS_BELIEVED - 1;
      await leave(...[highest + 1, 999_999_999, 2 ** 31, 2 ** 53, 1e21].map(serial => `acme.web.${serial}`));
      expect(await nextOf("acme.web")).toBe(1);
      await leave(`acme.late.${highest + 1}`, `acme.late.${2 ** 31}`, `acme.late.${2 ** 53}`, `acme.latest.${highest}`);
      expect(await create("late")).toBe(1);
      await leave(`acme.web.${highest}`);
      expect(await nextOf("acme.web")).toBe(highest + 1 + SERIAL_GAP);
      await committed(creation(highest + 1 + SERIAL_GAP));
    });

    it("begin beyond it where the name is made later", async () => {
      await leave("acme.late.7", "acme.late.more.9", "acme.later.11");
      expect((await store.loadSerials()).has("acme.late")).toBe(false);
      expect(await create("late")).toBe(8 + SERIAL_GAP);
      const serials = (await store.loadSerials()).get("acme.late");
      expect(serials).toEqual({ next: 8 + SERIAL_GAP, gap: undefined, skipped: [{ from: 1, to: 8 + SERIAL_GAP }] });
      expect(await create("other")).toBe(1);
    });

    it("go on beyond it where the name was deleted and is made again", async () => {
      await committed(creation(1));
      await store.changeDeployment("acme.web", { desired: "deleted" }, undefined, someone, NOW);
      await committed(
        { kind: "forget-instance", instanceId: "acme.web.1" },
        { kind: "forget-deployment", deploymentId: "acme.web" },
      );
      await leave("acme.web.7");
      expect((await store.loadSerials()).get("acme.web")).toMatchObject({ next: 8 + SERIAL_GAP });
      await leave();
      expect(await create("web")).toBe(8 + SERIAL_GAP);
    });

    it("begin beyond what is still to be removed", async () => {
      await store.saveRemovals([{ nodeId: "node-1", ...copy("acme.late.7") }], mandate(), NOW);
      expect(await create("late")).toBe(8 + SERIAL_GAP);
    });

    it("leave out all below the floor of a recovery where the name is made later", async () => {
      const { incarnation } = await store.loadIdentity();
      const nothing = { items: [], tenants: [], deployments: [], releases: [], routes: [], instances: [] };
      const recovery: Recovery = {
        ...{ ...nothing, locations: [], dropped: [], serials: new Map(), placements: 0 },
        volumes: { items: [], written: [], dropped: [] },
        identity: { incarnation: "inc_new", succeeds: [incarnation], serialFloor: 2_000 },
      };
      await store.recover(recovery, incarnation, someone, NOW);
      expect(await create("late")).toBe(2_000);
      const serials = (await store.loadSerials()).get("acme.late");
      expect(serials).toEqual({ next: 2_000, gap: { from: 1, to: 2_000 }, skipped: [] });
    });
  });
}
