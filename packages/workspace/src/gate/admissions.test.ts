import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import { createAdmissions } from "./admissions.ts";
import type { ConnectedDevice, DeviceClaim, GateApi } from "./gate-api.ts";
import { createRefusals } from "./refusals.ts";
import { createRoll } from "./roll.ts";

const NO_BROKERS = { note: () => undefined, of: () => undefined };
const device = (deviceId: string) => ({ workspaceId: "acme", deviceId });

/** Schedulers that know no device but those named. */
function schedulers(versions: Map<string, number>) {
  const asked: (readonly DeviceClaim[])[] = [];
  const reports: (readonly ConnectedDevice[])[] = [];
  const state = { isAway: false };
  const answer = async <T>(make: () => T): Promise<T> => {
    await Promise.resolve();
    if (state.isAway) throw new Error("away");
    return make();
  };
  const api: GateApi = {
    admit: claims => (
      asked.push(claims),
      answer(() => ({ versions: claims.map(one => versions.get(one.deviceId) ?? 0), brokers: [] }))
    ),
    place: () => Promise.resolve([]),
    report: devices => (
      reports.push(devices),
      answer(() => devices.map(one => versions.get(one.deviceId) === one.version))
    ),
  };
  return { api, asked, reports, state };
}

describe("admissions", () => {
  it("are asked for together while an answer is awaited, and each gets its own", async () => {
    const { api, asked } = schedulers(new Map([["d1", 4]]));
    const { admit } = createAdmissions(api, NO_BROKERS, createRecordingLog());
    const all = await Promise.all(["d0", "d1", "d2", "d1"].map(id => admit(device(id), "s")));
    expect(all.map(one => (one.kind === "admitted" ? one.version : one.kind))).toEqual(["refused", 4, "refused", 4]);
    expect(asked.map(one => one.length)).toEqual([1, 3]);
  });

  it("are remembered for the very secret while no scheduler answers, until they are forgotten", async () => {
    const { api, state } = schedulers(new Map([["d1", 4]]));
    const { admit, forget } = createAdmissions(api, NO_BROKERS, createRecordingLog());
    await admit(device("d1"), "s");
    state.isAway = true;
    expect(await admit(device("d1"), "s")).toEqual({ kind: "admitted", version: 4 });
    expect(await admit(device("d1"), "t")).toEqual({ kind: "unavailable" });
    expect(await admit(device("d2"), "s")).toEqual({ kind: "unavailable" });
    forget(device("d1"));
    expect(await admit(device("d1"), "s")).toEqual({ kind: "unavailable" });
  });
});

describe("the roll", () => {
  function start() {
    const versions = new Map([["d1", 1]]);
    const all = schedulers(versions);
    const clock = createVirtualClock();
    const forgotten: string[] = [];
    const roll = createRoll(all.api, clock, createRecordingLog(), one => void forgotten.push(one.deviceId));
    const revoked: string[] = [];
    const place = { serial: 0, broker: undefined };
    const ends = { revoke: () => void revoked.push("d1"), move: () => undefined };
    const live = { device: device("d1"), version: 1, place, ...ends };
    return { ...all, versions, clock, roll, live, revoked, forgotten };
  }

  it("ends whose right has ended, and nobody else", async () => {
    const { roll, live, versions, revoked, forgotten } = start();
    roll.enter(live);
    await roll.report();
    expect(revoked).toEqual([]);
    versions.set("d1", 2);
    await roll.report();
    expect([revoked, forgotten]).toEqual([["d1"], ["d1"]]);
  });

  it("tells denials once, also of a device that is gone, and none is lost while nobody answers", async () => {
    const { roll, live, reports, state } = start();
    roll.enter(live);
    roll.denied(live.device, "a");
    roll.denied(device("d9"), "b");
    state.isAway = true;
    await expect(roll.report()).rejects.toThrow("away");
    state.isAway = false;
    roll.denied(live.device, "c");
    await roll.report();
    expect(reports.at(-1)).toMatchObject([
      { deviceId: "d1", version: 1, denied: 2, deniedTopic: "c" },
      { deviceId: "d9", version: 0, denied: 1, deniedTopic: "b" },
    ]);
    await roll.report();
    expect(reports.at(-1)).toMatchObject([{ deviceId: "d1", denied: 0, seen: false }]);
  });
});

describe("refusals", () => {
  it("keep a guesser of one device out, and an address only after many more", () => {
    const refusals = createRefusals(() => 1_000_000);
    for (let n = 0; n < 10; n++) refusals.refused("203.0.113.7", "acme/devices/d1");
    expect(refusals.isBanned("203.0.113.7", "acme/devices/d1")).toBe(true);
    expect(refusals.isBanned("203.0.113.7", "acme/devices/d2")).toBe(false);
    expect(refusals.isBanned("203.0.113.8", "acme/devices/d1")).toBe(false);
    for (let n = 0; n < 290; n++) refusals.refused("203.0.113.7", `acme/devices/x${n}`);
    expect(refusals.isBanned("203.0.113.7", "acme/devices/d2")).toBe(true);
  });
});
