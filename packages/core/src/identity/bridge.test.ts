import { describe, expect, it } from "vitest";
import { claimsByDeployment, judgeClaim, type Bridge, type BridgeTerms } from "./bridge.ts";

const LEASE = 15_000;
const terms = (over: Partial<BridgeTerms> = {}): BridgeTerms => ({
  now: 1_000,
  leaseMs: LEASE,
  mayBegin: false,
  ...over,
});
const claim = (nodeId: string, epoch: number, isHeld: boolean, serial = 1) => ({
  ...{ nodeId, instanceId: `acme.db.${serial}`, epoch, isHeld },
});
const bridge = (nodeId: string, epoch: number, until: number): Bridge => ({
  ...{ deploymentId: "acme.db", nodeId, instanceId: "acme.db.1", epoch, until },
});

describe("while the records are not the fleet's, an exclusive copy", () => {
  it("goes on where its lease holds, whatever is recorded", () => {
    expect(judgeClaim(undefined, claim("node-1", 7, true), terms())).toEqual({
      isGranted: true,
      bridge: bridge("node-1", 7, 1_000 + LEASE),
    });
  });

  it("is refused while another one has its lease, though it says that it holds one", () => {
    const known = bridge("node-1", 1, 1_001);
    for (const mayBegin of [false, true]) {
      expect(judgeClaim(known, claim("node-2", 9, true), terms({ mayBegin }))).toEqual({
        isGranted: false,
        bridge: known,
      });
    }
    expect(judgeClaim(known, claim("node-1", 2, true), terms()).isGranted).toBe(false);
    expect(judgeClaim(known, claim("node-2", 9, true), terms({ now: 1_001 })).isGranted).toBe(true);
  });

  it("begins anew only when every lease from before has ended, and is known to have asked until then", () => {
    const asked = judgeClaim(undefined, claim("node-2", 2, false), terms());
    expect(asked).toEqual({ isGranted: false, bridge: bridge("node-2", 2, 0) });
    expect(judgeClaim(asked.bridge, claim("node-2", 2, false), terms()).isGranted).toBe(false);
    expect(judgeClaim(asked.bridge, claim("node-2", 2, false), terms({ mayBegin: true })).isGranted).toBe(true);
  });

  it("comes back by itself where its bridge ended and nobody else had one since", () => {
    const ended = bridge("node-1", 1, 900);
    expect(judgeClaim(ended, claim("node-1", 1, false), terms()).isGranted).toBe(true);
    expect(judgeClaim(ended, claim("node-2", 2, false), terms()).bridge).toEqual(bridge("node-2", 2, 0));
  });

  it("leaves the place to a later copy that has asked, on whatever node", () => {
    const later = bridge("node-2", 2, 0);
    expect(judgeClaim(later, claim("node-1", 1, false), terms({ mayBegin: true }))).toEqual({
      ...{ isGranted: false, bridge: later },
    });
    expect(judgeClaim(later, claim("node-1", 2, false), terms({ mayBegin: true })).isGranted).toBe(false);
    expect(judgeClaim(later, claim("node-1", 1, false, 2), terms({ mayBegin: true })).isGranted).toBe(true);
    expect(judgeClaim(later, claim("node-1", 1, true), terms()).isGranted).toBe(true);
  });

  it("is one of those that a node claims: the one that holds, then the latest", () => {
    const held = (...claims: readonly ReturnType<typeof claim>[]) => claimsByDeployment(claims).get("acme.db")?.epoch;
    expect(held(claim("n", 1, true), claim("n", 2, false))).toBe(1);
    expect(held(claim("n", 2, false), claim("n", 1, true))).toBe(1);
    expect(held(claim("n", 1, false), claim("n", 2, false))).toBe(2);
    expect(held(claim("n", 2, false), claim("n", 1, false))).toBe(2);
  });
});
