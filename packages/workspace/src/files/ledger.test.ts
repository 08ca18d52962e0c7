import { describe, expect, it } from "vitest";
import { Ledger } from "./ledger.ts";

const QUOTA = { bytes: 100, files: 2 };
const refused = (reason: string): unknown => expect.objectContaining({ code: "resource_exhausted", reason });

describe("the ledger of a workspace's files", () => {
  it("counts what is kept, and what is on its way only while it is", () => {
    const ledger = new Ledger(QUOTA);
    const hold = ledger.hold(10, true);
    hold.grow(20);
    expect(ledger.usage()).toEqual({ bytes: 0, files: 0, heldBytes: 30, heldFiles: 1 });
    hold.keep(30, undefined);
    hold.free();
    expect(ledger.usage()).toEqual({ bytes: 30, files: 1, heldBytes: 0, heldFiles: 0 });
    const other = ledger.hold(70, true);
    other.free();
    other.free();
    other.keep(70, undefined);
    ledger.remove(30);
    expect(ledger.usage()).toEqual({ bytes: 0, files: 0, heldBytes: 0, heldFiles: 0 });
  });

  it("lets no two holds have the same room", () => {
    const ledger = new Ledger(QUOTA);
    const hold = ledger.hold(60, true);
    expect(() => ledger.hold(41, true)).toThrow(refused("FILE_QUOTA_BYTES"));
    const other = ledger.hold(40, true);
    expect(() => other.grow(1)).toThrow(refused("FILE_QUOTA_BYTES"));
    expect(() => ledger.hold(0, true)).toThrow(refused("FILE_QUOTA_COUNT"));
    hold.free();
    other.grow(1);
    ledger.hold(0, true);
  });

  it("needs no place for a file that takes another's", () => {
    const ledger = new Ledger(QUOTA);
    ledger.set({ bytes: 50, files: 2 });
    const hold = ledger.hold(50, false);
    hold.keep(50, 20);
    expect(ledger.usage()).toMatchObject({ bytes: 80, files: 2 });
  });

  it("keeps nothing more once its quota is lower than what is there", () => {
    const ledger = new Ledger(QUOTA);
    ledger.set({ bytes: 50, files: 1 });
    ledger.quota = { bytes: 10, files: 9 };
    expect(() => ledger.hold(1, true)).toThrow(refused("FILE_QUOTA_BYTES"));
  });
});
