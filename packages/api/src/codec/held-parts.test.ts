import { describe, expect, it } from "vitest";
import { collectHeld, heldPart, type HeldPart } from "./held-parts.ts";

const whole = Uint8Array.from({ length: 5_000 }, (_, at) => at % 251);
const partAt = (offset: number): HeldPart => heldPart(whole, "s", offset, 3_000);

describe("a held state in parts", () => {
  it("is put together as it was, of parts that fit", async () => {
    const asked: number[] = [];
    const ask = async (_: string, offset: number) => (asked.push(offset), partAt(offset));
    expect(await collectHeld(partAt(0), ask)).toEqual(whole);
    expect(asked).toEqual([1_976, 3_952]);
  });

  it.each([
    ["of another state", { snapshot: "other" }],
    ["from another place", { offset: 0 }],
    ["of nothing", { data: new Uint8Array() }],
    ["beyond the whole", { data: new Uint8Array(4_000) }],
  ])("is not put together with a part %s", async (_, over) => {
    let asked = 0;
    const ask = async (_: string, offset: number) => {
      // Whoever takes it would ask for ever.
      if ((asked += 1) > 5) throw new Error("asked again and again");
      return { ...partAt(offset), ...over };
    };
    await expect(collectHeld(partAt(0), ask)).rejects.toMatchObject({ reason: "MALFORMED_MESSAGE" });
  });

  it("is not collected without an end", async () => {
    const endless = { ...partAt(0), totalBytes: 2 ** 31 };
    await expect(collectHeld(endless, async () => endless)).rejects.toThrow("2147483648 bytes");
  });
});
