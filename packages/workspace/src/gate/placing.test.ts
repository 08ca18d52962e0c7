import type { GateReport } from "@skep/core/workspace/broker.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { expect, it } from "vitest";
import { createBrokers, type Broker, type ToldBroker } from "./brokers.ts";
import { createPlacing } from "./placing.ts";
import { createRoll, type Live } from "./roll.ts";

const at = (host: string): Broker => ({ host, port: 1883, login: { username: "gate", password: "g" } });
const told = (serial: number, broker: ToldBroker["broker"], more: Partial<ToldBroker> = {}): ToldBroker => ({
  ...{ workspaceId: "acme", serial, broker, isSwitched: false },
  ...more,
});

/** A gate whose schedulers answer what a test says. */
function start() {
  const reports: (GateReport & { readonly isLeaving?: boolean })[] = [];
  let answer: readonly ToldBroker[] = [];
  const api = {
    admit: () => Promise.reject(new Error("nobody wants in")),
    report: () => Promise.resolve([]),
    place: (report: GateReport) => (reports.push(report), Promise.resolve(answer)),
  };
  const brokers = createBrokers(at("shared"));
  const roll = createRoll(api, createVirtualClock(), createRecordingLog(), () => undefined);
  const placing = createPlacing({ gateId: "gate_a", api, roll, brokers, log: createRecordingLog() });
  const moved: string[] = [];
  const enter = (deviceId: string, serial: number, broker: Broker): Live => {
    const place = { serial, broker };
    const device = { workspaceId: "acme", deviceId };
    const live = { device, version: 1, place, revoke: () => undefined, move: () => void moved.push(deviceId) };
    roll.enter(live);
    return live;
  };
  const report = async (next: readonly ToldBroker[] = answer) => {
    answer = next;
    await placing.report();
    return reports.at(-1)!.places;
  };
  return { brokers, roll, placing, reports, moved, enter, report };
}

it("tells of each workspace the lowest serial of what is open", async () => {
  const { enter, report, roll } = start();
  const old = enter("d1", 3, at("shared"));
  enter("d2", 4, at("own"));
  expect(await report()).toEqual([{ workspaceId: "acme", serial: 3, connections: 2 }]);
  roll.leave(old);
  expect(await report()).toEqual([{ workspaceId: "acme", serial: 4, connections: 1 }]);
});

it("tells of a workspace that was switched lately also when nobody is connected, and of no other", async () => {
  const { report } = start();
  await report([told(5, at("own"), { isSwitched: true }), told(9, "shared", { workspaceId: "other" })]);
  expect(await report([])).toEqual([{ workspaceId: "acme", serial: 5, connections: 0 }]);
  expect(await report()).toEqual([]);
});

it("ends those who are to be elsewhere: by the serial, the address or the password, and nobody else", async () => {
  const { enter, report, moved } = start();
  enter("d1", 0, at("shared"));
  enter("d2", 1, at("own"));
  enter("d3", 1, at("elsewhere"));
  enter("d4", 1, { ...at("own"), login: { username: "gate", password: "old" } });
  // It was there before they were sent away and back again: what it told of itself is out of date.
  enter("d5", 0, at("own"));
  await report([told(1, at("own"))]);
  expect(moved).toEqual(["d1", "d3", "d4", "d5"]);
});

it("leaves devices alone while their broker runs nowhere, and while nothing is said of it", async () => {
  const { enter, report, moved } = start();
  enter("d1", 1, at("own"));
  await report([]);
  await report([told(2, "nowhere")]);
  expect(moved).toEqual([]);
});

it("lets nobody in by an older answer that comes later", () => {
  const { brokers } = start();
  brokers.note([told(2, at("own"))]);
  brokers.note([told(1, "shared")]);
  expect(brokers.of("acme")).toEqual({ serial: 2, broker: at("own") });
  brokers.note([told(2, at("own2")), told(2, "nowhere", { workspaceId: "other" })]);
  expect(brokers.of("acme")?.broker?.host).toBe("own2");
  expect(brokers.of("other")).toEqual({ serial: 2, broker: undefined });
  expect(brokers.of("none")).toBeUndefined();
});

it("tells when it leaves, with a later number", async () => {
  const { placing, report, reports } = start();
  await report();
  await placing.leave();
  expect(reports.at(-1)).toEqual({ gateId: "gate_a", seq: 2, places: [], isLeaving: true });
});
