import { aLocation, anInstance, aRelease, aSpec, aWorld } from "@skep/core/testing/builders.ts";
import { leaseWait } from "@skep/core/model/lease.ts";
import { DEFAULT_SETTINGS } from "@skep/core/world/world.ts";
import { describe, expect, it } from "vitest";
import { createMissingRows, MISSING_ROW_GRACE_MS } from "./missing-rows.ts";

const placed = aWorld({ instances: [anInstance({ epoch: 1 })], locations: [aLocation()] });
const vanished = { ...placed, locations: [] };

describe("an instance whose row has vanished", () => {
  it("waits for its agent before it is placed anew, and no longer", () => {
    const rows = createMissingRows(DEFAULT_SETTINGS);
    expect(rows.withhold(placed, 0)).toEqual({ world: placed, isWaiting: false });
    const first = rows.withhold(vanished, 1_000);
    expect(first.isWaiting).toBe(true);
    expect(first.world.unseen?.get("acme.web.1")).toBe(1_000 + MISSING_ROW_GRACE_MS);
    expect(rows.withhold(vanished, 1_000 + MISSING_ROW_GRACE_MS)).toEqual({ world: vanished, isWaiting: false });
  });

  it("waits anew when the row came back and vanishes again", () => {
    const rows = createMissingRows(DEFAULT_SETTINGS);
    rows.withhold(vanished, 0);
    rows.withhold(placed, 5_000);
    expect(rows.withhold(vanished, 50_000).isWaiting).toBe(true);
  });

  it("does not concern instances that were never placed", () => {
    const instances = [anInstance({ epoch: 0 })];
    expect(createMissingRows(DEFAULT_SETTINGS).withhold(aWorld({ instances }), 0).isWaiting).toBe(false);
  });

  it("concerns one that is to end: its copy may run beside what replaces it", () => {
    const instances = [anInstance({ epoch: 1, desired: "stop" })];
    expect(createMissingRows(DEFAULT_SETTINGS).withhold(aWorld({ instances }), 0).isWaiting).toBe(true);
  });

  it("waits until its lease has surely ended where one copy alone may run", () => {
    const rows = createMissingRows(DEFAULT_SETTINGS);
    const exclusive = { ...vanished, releases: [aRelease({ spec: aSpec({ exclusive: true }) })] };
    const until = 1_000 + leaseWait(DEFAULT_SETTINGS.exclusiveLeaseMs);
    expect(rows.withhold(exclusive, 1_000).world.unseen?.get("acme.web.1")).toBe(until);
    expect(rows.withhold(exclusive, until - 1).isWaiting).toBe(true);
    expect(rows.withhold(exclusive, until).isWaiting).toBe(false);
  });
});
