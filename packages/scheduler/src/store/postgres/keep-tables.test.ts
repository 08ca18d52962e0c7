import { SkepError } from "@skep/core/error.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import { keepTables } from "./keep-tables.ts";

describe("the tables of a scheduler that runs", () => {
  async function looked(reason: string, fails = 0): Promise<number> {
    const clock = createVirtualClock(0);
    const ending = new AbortController();
    let tries = 0;
    const readLease = (): Promise<undefined> =>
      tries > fails ? Promise.resolve(undefined) : Promise.reject(new SkepError("unavailable", reason, "no"));
    const migrate = async (): Promise<void> => {
      tries += 1;
      if (tries <= fails) throw new Error("the database went away");
    };
    const keeping = keepTables({ store: { readLease }, clock, log: createRecordingLog(), migrate }, ending.signal);
    await clock.advance(20_000);
    ending.abort();
    await clock.advance(2_000);
    await keeping;
    return tries;
  }

  it("are made again once when they are gone", async () => {
    expect(await looked("DATABASE_NOT_READY")).toBe(1);
  });

  it("are tried again where they could not be made", async () => {
    expect(await looked("DATABASE_NOT_READY", 2)).toBe(3);
  });

  it("are not touched while the database is away", async () => {
    expect(await looked("DATABASE_UNAVAILABLE")).toBe(0);
  });
});
