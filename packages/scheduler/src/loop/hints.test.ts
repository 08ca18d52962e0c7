import { decodeEventNotice, type EventNotice, type EventValue } from "@skep/api/codec/notice.ts";
import { SUBJECTS } from "@skep/api/subjects.ts";
import type { Bus } from "@skep/kit/bus.ts";
import { expect, it } from "vitest";
import { createRig } from "../testing/rig.ts";
import { createHints } from "./hints.ts";

const nobody = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, nodeId: undefined };
const event = (sentence: string): EventValue => ({ ...nobody, at: 1, kind: "a.test", epoch: undefined, sentence });

/** What everybody is told of these, by a bus that takes `maxBytes`. */
function heardOf(notice: Partial<EventNotice>, maxBytes: number): EventNotice {
  const sent: Uint8Array[] = [];
  const nothing = { close: (): void => undefined };
  const bus: Partial<Bus> = {
    ...{ subscribe: () => nothing, onStatus: () => nothing, maxPayload: () => maxBytes },
    publish: (_, bytes) => void sent.push(bytes),
  };
  createHints(bus as Bus, { timer: () => () => undefined }).tell(notice);
  expect(sent).toHaveLength(1);
  expect(sent[0]!.byteLength).toBeLessThanOrEqual(maxBytes);
  return decodeEventNotice(sent[0]!);
}

it("a notice does without what happened where no message could carry it", () => {
  const events = [event("long ".repeat(1_000))];
  expect(heardOf({ events, deploymentIds: ["acme.web"] }, 1_000)).toEqual({
    ...{ events: [], deploymentIds: ["acme.web"], nodeIds: [] },
  });
  expect(heardOf({ events }, 10_000).events).toEqual(events);
});

it("a notice names each record once, and only so many", () => {
  const many = Array.from({ length: 1_000 }, (_, at) => `acme.app-${at}`);
  const { deploymentIds, events } = heardOf(
    { deploymentIds: [...many, ...many], events: many.map(event), nodeIds: [] },
    1_000_000,
  );
  expect(deploymentIds).toEqual(many.slice(0, 200));
  expect(events).toHaveLength(200);
});

it("hints go out at once, and those that follow go out as one", async () => {
  const rig = createRig();
  const { bus, clock } = rig.ports("s1");
  const hints = createHints(bus, clock);
  const heard: string[][] = [];
  let rung = 0;
  hints.subscribe(() => (rung += 1));
  rig.network
    .connect("s2")
    .subscribe(SUBJECTS.events, message => heard.push([...decodeEventNotice(message.data).nodeIds]));

  hints.tell({ nodeIds: ["a"] });
  await rig.clock.advance(1);
  expect(heard).toEqual([["a"]]);
  for (const id of ["b", "c", "b"]) hints.tell({ nodeIds: [id] });
  expect(rung).toBeGreaterThanOrEqual(4);
  await rig.clock.advance(100);
  expect(heard).toEqual([["a"], ["b", "c"]]);
  hints.tell({ nodeIds: ["d"] });
  hints.tell({ nodeIds: ["e"] });
  await hints.close();
  await rig.clock.advance(100);
  expect(heard.slice(2)).toEqual([["d"], ["e"]]);
});
