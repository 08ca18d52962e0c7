import { describe, expect, it } from "vitest";
import { createBans } from "./bans.ts";

const policy = { offences: 2, windowMs: 1_000, firstBanMs: 100, longestBanMs: 10_000, forgiveMs: 10_000 };

describe("bans", () => {
  it("keep an address out, longer each time, and say which ones", () => {
    let now = 0;
    const bans = createBans(() => now, policy);
    expect(bans.offend("192.0.2.1")).toBe(false);
    expect(bans.offend("::ffff:192.0.2.1")).toBe(true);
    expect(bans.list()).toEqual([{ address: "192.0.2.1", until: 100, bans: 1 }]);
    now = 100;
    expect(bans.bannedUntil("192.0.2.1")).toBe(0);
    bans.offend("192.0.2.1");
    bans.offend("192.0.2.1");
    expect(bans.bannedUntil("192.0.2.1")).toBe(500);
    expect(bans.bannedUntil("192.0.2.2")).toBe(0);
    expect(bans.unban("192.0.2.1")).toBe(true);
    expect(bans.unban("192.0.2.1")).toBe(false);
    expect(bans.list()).toEqual([]);
  });

  it("count the addresses of one IPv6 network together, and lift them together", () => {
    const bans = createBans(() => 0, policy);
    bans.offend("2001:db8:1:2::1");
    expect(bans.offend("2001:db8:1:2::99")).toBe(true);
    expect(bans.list().map(ban => ban.address)).toEqual(["2001:db8:1:2::/64"]);
    expect(bans.unban("2001:db8:1:2::/64")).toBe(true);
    expect(bans.bannedUntil("2001:db8:1:2::5")).toBe(0);
  });

  it("stay when a sender with many addresses fills the memory", () => {
    const bans = createBans(() => 0, policy, 3);
    bans.offend("192.0.2.1");
    bans.offend("192.0.2.1");
    for (let i = 0; i < 100; i++) bans.offend(`198.51.100.${i}`);
    expect(bans.bannedUntil("192.0.2.1")).toBe(100);
  });
});
