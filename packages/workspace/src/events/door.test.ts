import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import { createBans } from "./bans.ts";
import { createDoor } from "./door.ts";

const size = { perSecond: 10, burst: 5 };

function door(most?: number): {
  clock: ReturnType<typeof createVirtualClock>;
  bans: ReturnType<typeof createBans>;
  knock: (address: string, times?: number) => number;
} {
  const clock = createVirtualClock();
  const bans = createBans(() => clock.monotonic());
  const made = createDoor(clock, bans, size, most);
  const knock = (address: string, times = 1): number =>
    Array.from({ length: times }, () => made.refuse(address)).filter(refusal => refusal === undefined).length;
  return { clock, bans, knock };
}

describe("the door of a host", () => {
  it("lets an address connect as often as it may, and no other pays for it", async () => {
    const { clock, knock } = door();
    expect(knock("192.0.2.1", 20)).toBe(5);
    expect(knock("192.0.2.2")).toBe(1);
    await clock.advance(200);
    expect(knock("192.0.2.1", 20)).toBe(2);
  });

  it("takes a storm of some seconds for honest, and bans who does not stop", async () => {
    const { clock, bans, knock } = door();
    for (let second = 0; second < 9; second++) {
      knock("192.0.2.1", 1_000);
      await clock.advance(1_000);
    }
    expect(bans.list()).toEqual([]);
    knock("192.0.2.1", 1_000);
    expect(bans.list()).toMatchObject([{ address: "192.0.2.1" }]);
    await clock.advance(5_000);
    expect(knock("192.0.2.1")).toBe(0);
    bans.unban("192.0.2.1");
    expect(knock("192.0.2.1")).toBe(1);
  });

  it("remembers a bounded number of addresses, the latest ones", () => {
    const { knock } = door(3);
    knock("192.0.2.1", 5);
    for (let i = 2; i < 5; i++) {
      expect(knock("192.0.2.1")).toBe(0);
      knock(`192.0.2.${i}`);
    }
    for (let i = 5; i < 9; i++) knock(`192.0.2.${i}`);
    expect(knock("192.0.2.1")).toBe(1);
  });
});
