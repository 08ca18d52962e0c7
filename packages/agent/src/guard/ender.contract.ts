import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Ender } from "./ender.ts";

/** What the suite needs to know of the ender it runs against. */
export interface EnderUnderTest {
  readonly ender: Ender;
  /** Runs a container with our labels, whose program ignores its stop signal; answers its id. */
  runOurs(): Promise<string>;
  /** Runs a container without our labels. */
  runForeign(): Promise<string>;
  isRunning(containerId: string): Promise<boolean>;
  /** Lets time pass until the promise ends. */
  within<T>(promise: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The contract of the Ender port: the twin and the real one both pass it. */
export function enderContract(name: string, open: () => Promise<EnderUnderTest>): void {
  describe(`the ender contract: ${name}`, () => {
    let under: EnderUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under?.close());

    test("ends a container of ours, and says whether it ran", async () => {
      const id = await under.runOurs();
      expect(await under.within(under.ender.end(id))).toBe(true);
      expect(await under.isRunning(id)).toBe(false);
      expect(await under.within(under.ender.end(id))).toBe(false);
    });

    test("leaves what is not ours, and says so", async () => {
      const id = await under.runForeign();
      await expect(under.within(under.ender.end(id))).rejects.toThrow("is not ours");
      expect(await under.isRunning(id)).toBe(true);
    });

    test("is content with a container that is not there", async () => {
      expect(await under.within(under.ender.end("ab".repeat(32)))).toBe(false);
    });
  });
}
