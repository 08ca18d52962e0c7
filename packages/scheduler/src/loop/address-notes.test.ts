import { expect, it } from "vitest";
import { createRig } from "../testing/rig.ts";
import { createAddressNotes } from "./address-notes.ts";

const HALF_HOUR_MS = 30 * 60_000;

it("says each difference once in a window, counts those of a flood, and never falls silent for good", async () => {
  const rig = createRig();
  const notes = createAddressNotes(rig.ports("s1"));
  const said = (): readonly string[] =>
    rig.lines.filter(line => line.event === "node.address").map(line => line.sentence);
  for (let at = 0; at < 3_000; at += 1) notes.tell("node-1", `10.0.0.${at}`, "10.1.1.1");
  notes.tell("node-1", "10.0.0.0", "10.1.1.1");
  const first = said().length;
  expect(first).toBeLessThan(500);
  await rig.clock.advance(HALF_HOUR_MS);
  expect(said().at(-1)).toContain(`${3_001 - first} more`);
  notes.tell("node-2", "10.0.0.2", "10.1.1.2");
  expect(said().at(-1)).toContain("node-2 is reached at 10.1.1.2");
  await rig.clock.advance(1);
  expect(rig.database.records.decisions.at(-1)?.decision.nodeId).toBe("node-2");
  notes.close();
});

it("counts nothing any more once it is closed", async () => {
  const rig = createRig();
  const notes = createAddressNotes(rig.ports("s1"));
  for (const _ of [1, 2]) notes.tell("node-1", "10.0.0.1", "10.1.1.1");
  notes.close();
  await rig.clock.advance(HALF_HOUR_MS);
  expect(rig.lines.filter(line => line.event === "node.address")).toHaveLength(1);
});

it("says nothing where the two are the same or one is not known", () => {
  const rig = createRig();
  const notes = createAddressNotes(rig.ports("s1"));
  notes.tell("node-1", "10.0.0.1", "10.0.0.1");
  notes.tell("node-1", "", "10.0.0.1");
  notes.tell("node-1", "10.0.0.1", "");
  expect(rig.lines).toEqual([]);
});

it("says again what could not be recorded", async () => {
  const rig = createRig();
  const ports = rig.ports("s1");
  const saveDecisions = (): Promise<never> => Promise.reject(new Error("the database is away"));
  const notes = createAddressNotes({ ...ports, store: { ...ports.store, saveDecisions } });
  for (const _ of [1, 2]) {
    notes.tell("node-1", "10.0.0.1", "10.1.1.1");
    await rig.clock.advance(1);
  }
  expect(rig.lines.filter(line => line.event === "node.address")).toHaveLength(2);
  notes.close();
});
