import { beforeEach, expect, it } from "vitest";
import type { Decision } from "@skep/core/model/decision.ts";
import { createRig, type Rig } from "../testing/rig.ts";
import { createDecisionKeeper, type DecisionKeeper } from "./decision-keeper.ts";

let rig: Rig;
let keeper: DecisionKeeper;
let writes: string[][];
let write: () => Promise<void>;

const one = (sentence: string): Decision => ({
  ...{ at: 0, kind: "instance.placed", tenantId: undefined, deploymentId: undefined, instanceId: undefined },
  ...{ nodeId: undefined, epoch: undefined, sentence },
});

beforeEach(() => {
  rig = createRig();
  const ports = rig.ports("s1");
  writes = [];
  write = () => Promise.resolve();
  const saveDecisions = (decisions: readonly Decision[]): Promise<void> => {
    writes.push(decisions.map(({ sentence }) => sentence));
    return write();
  };
  keeper = createDecisionKeeper({ clock: ports.clock, store: { ...ports.store, saveDecisions } });
});

it("decisions are written at once, and those that follow share a write", async () => {
  await keeper.keep([one("a")]);
  expect(writes).toEqual([["a"]]);
  for (const sentence of ["b", "c"]) await keeper.keep([one(sentence)]);
  await rig.clock.advance(200);
  expect(writes).toEqual([["a"], ["b", "c"]]);
});

it("what is not written yet is written before its keeper ends", async () => {
  for (const sentence of ["a", "b"]) await keeper.keep([one(sentence)]);
  await keeper.close();
  expect(writes).toEqual([["a"], ["b"]]);
});

it("a failed write is told once, and those after it are written all the same", async () => {
  write = () => Promise.reject(new Error("away"));
  await keeper.keep([one("a")]);
  await rig.clock.advance(100);
  write = () => Promise.resolve();
  await expect(keeper.keep([one("b")])).rejects.toThrow("away");
  await keeper.keep([one("c")]);
  await rig.clock.advance(200);
  expect(writes).toEqual([["a"], ["b"], ["c"]]);
});

it("whoever decides waits where too many are unwritten", async () => {
  let end = (): void => undefined;
  write = () => new Promise(resolve => (end = resolve));
  await keeper.keep([one("a")]);
  let isKept = false;
  void keeper.keep(Array.from({ length: 1_001 }, () => one("b"))).then(() => (isKept = true));
  await rig.clock.advance(100);
  expect(isKept).toBe(false);
  write = () => Promise.resolve();
  end();
  await rig.clock.advance(200);
  expect(isKept).toBe(true);
});
