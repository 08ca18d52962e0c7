import { describe, expect, it } from "vitest";
import { firstSerials, highestSerials, knownSerial, SERIAL_GAP, SERIALS_BELIEVED, skipBeyond } from "./serials.ts";

const given = { next: 5, gap: undefined, skipped: [] };

describe("numbers", () => {
  it("go on beyond one that was never given, and what they skip does not count as given", () => {
    const after = skipBeyond(given, 9);
    expect(after).toEqual({ next: 10 + SERIAL_GAP, gap: undefined, skipped: [{ from: 5, to: 10 + SERIAL_GAP }] });
    const known = (serial: number) => knownSerial(`acme.web.${serial}`, { ...after, next: after.next + 1 });
    expect([4, 5, 9, 9 + SERIAL_GAP, 10 + SERIAL_GAP, 11 + SERIAL_GAP].map(known)).toEqual([
      ...["given", "never", "never", "never", "given", "never"],
    ]);
    expect(skipBeyond(after, 9)).toBe(after);
  });

  it("skip at the next one too, and no further for one that was given", () => {
    expect(skipBeyond(given, 5).next).toBe(6 + SERIAL_GAP);
    expect(skipBeyond(given, 4)).toBe(given);
  });

  it("keep what was given between two skips", () => {
    const once = skipBeyond(given, 5);
    const twice = skipBeyond({ ...once, next: once.next + 2 }, once.next + 2);
    expect(twice.skipped).toEqual([
      { from: 5, to: once.next },
      { from: once.next + 2, to: twice.next },
    ]);
    expect(knownSerial(`acme.web.${once.next}`, twice)).toBe("given");
    expect(skipBeyond(once, once.next).skipped).toEqual([{ from: 5, to: once.next + 1 + SERIAL_GAP }]);
  });

  it("of a name without a record begin at the floor of a recovery, below which nothing counts as given", () => {
    expect(firstSerials(0)).toEqual({ next: 1, gap: undefined, skipped: [] });
    expect(knownSerial("acme.web.1999", firstSerials(2_000))).toBe("unsure");
  });

  it("are the highest of each name, but for those that nobody is believed", () => {
    const ids = ["acme.web.3", "acme.web.12", "acme.api.7", "by-hand", `acme.api.${SERIALS_BELIEVED}`];
    expect(highestSerials([...ids, `acme.web.${2 ** 31}`])).toEqual(
      new Map([
        ["acme.web", 12],
        ["acme.api", 7],
      ]),
    );
  });

  it("that are believed leave most of a name's numbers to its instances", () => {
    expect(SERIALS_BELIEVED + SERIAL_GAP).toBeLessThan(999_999_999 / 2);
  });
});
