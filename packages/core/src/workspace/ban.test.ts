import { expect, test } from "vitest";
import { DEFAULT_BANS, isBanned, isForgotten, NO_OFFENDER, offend, type Offender } from "./ban.ts";

/** Offends so often at once. */
const after = (times: number, now: number, offender: Offender = NO_OFFENDER): Offender =>
  Array.from({ length: times }).reduce<Offender>(one => offend(one, DEFAULT_BANS, now), offender);

test("Ten offences within a minute ban, nine do not", () => {
  expect(isBanned(after(9, 1_000), 1_000)).toBe(false);
  const banned = after(10, 1_000);
  expect([isBanned(banned, 60_999), isBanned(banned, 61_000)]).toEqual([true, false]);
});

test("Offences from more than a minute ago do not count", () => {
  expect(isBanned(after(1, 61_000, after(9, 1_000)), 61_000)).toBe(false);
  expect(isBanned(after(1, 60_999, after(9, 1_000)), 60_999)).toBe(true);
});

test("Each ban lasts four times as long as the one before, up to a day", () => {
  let offender = NO_OFFENDER;
  const lasted: number[] = [];
  for (let now = 1_000; lasted.length < 8; now = offender.bannedUntil) {
    offender = after(10, now, offender);
    lasted.push((offender.bannedUntil - now) / 60_000);
  }
  expect(lasted).toEqual([1, 4, 16, 64, 256, 1024, 1440, 1440]);
});

test("What a banned address does makes nothing longer", () => {
  const banned = after(10, 1_000);
  expect(after(100, 2_000, banned)).toEqual(banned);
});

test("After a day without an offence the next ban is the first again", () => {
  const banned = after(10, 1_000);
  const day = banned.bannedUntil + DEFAULT_BANS.forgiveMs;
  expect(after(10, day, banned).bannedUntil - day).toBe(60_000);
  expect(after(10, day - 1, banned).bannedUntil - (day - 1)).toBe(240_000);
});

test("Only who is neither banned, watched nor on a ladder is forgotten", () => {
  const forgotten = (offender: Offender, now: number) => isForgotten(offender, DEFAULT_BANS, now);
  expect(forgotten(NO_OFFENDER, 0)).toBe(true);
  const seen = after(1, 1_000);
  expect([forgotten(seen, 60_999), forgotten(seen, 61_000)]).toEqual([false, true]);
  const banned = after(10, 1_000);
  expect(forgotten(banned, banned.bannedUntil - 1)).toBe(false);
  expect(forgotten(banned, banned.bannedUntil + DEFAULT_BANS.forgiveMs - 1)).toBe(false);
  expect(forgotten(banned, banned.bannedUntil + DEFAULT_BANS.forgiveMs)).toBe(true);
});
