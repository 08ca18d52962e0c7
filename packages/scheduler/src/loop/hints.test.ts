import { decodeEventNotice, type EventNotice, type EventValue } from "@skep/api/codec/notice.ts";
import type { Bus } from "@skep/kit/bus.ts";
import { expect, it } from "vitest";
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
  createHints(bus as Bus).tell(notice);
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
