import { expect, test } from "vitest";
import type { Report } from "@skep/api/codec/report.ts";
import type { Examination } from "@skep/core/identity/strangers.ts";
import type { Store } from "../store/store.ts";
import { createRig } from "../testing/rig.ts";
import { createFindings } from "./findings.ts";

const ORPHAN = { instanceId: "acme.web.7", epoch: 1, because: "it may be from before the records were recovered" };
const OTHER = { ...ORPHAN, instanceId: "acme.web.10" };

/** Findings of a leader that has examined what node-1 runs: two copies that are left alone. */
async function examined() {
  const rig = createRig();
  const ports = rig.ports("s1");
  const leadership = (await ports.store.takeLease("s1", 600_000))!;
  const calls: string[] = [];
  const store: Store = {
    ...ports.store,
    listOrphans: () => (calls.push("list"), ports.store.listOrphans()),
    saveOrphans: (...args) => (calls.push("save"), ports.store.saveOrphans(...args)),
  };
  const options = {
    leadership,
    removals: { add: async () => [], done: () => false },
    hints: { tell: () => undefined },
  };
  const findings = createFindings({ ...ports, store }, options as never);
  const report = { nodeId: "node-1", full: true, statuses: [], gone: [], strangers: [] } as unknown as Report;
  const judged = [ORPHAN, OTHER].map(({ because, ...status }) => ({ status, verdict: { kind: "left", because } }));
  await findings.act(report, { judged, unheard: [] } as unknown as Examination);
  const settle = async (afterMs: number): Promise<void> => {
    await rig.clock.advance(afterMs);
    await findings.settle(["node-1"]);
  };
  const late = () => ports.store.saveOrphans("node-1", [], leadership, rig.clock.now());
  return { settle, late, calls, recorded: () => ports.store.listOrphans() };
}

test("What is left alone is recorded again where a late write has taken the place of it", async () => {
  const { settle, late, recorded } = await examined();
  await settle(0);
  await late();
  expect(await recorded()).toEqual([]);
  await settle(10_000);
  expect(await recorded()).toMatchObject([OTHER, ORPHAN]);
});

test("What is recorded as left alone is read back each ten seconds at most, and not written again", async () => {
  const { settle, calls } = await examined();
  await settle(0);
  for (let time = 0; time < 60; time++) await settle(1_000);
  expect(calls.filter(one => one === "list")).toHaveLength(6);
  expect(calls.filter(one => one === "save")).toHaveLength(1);
});
