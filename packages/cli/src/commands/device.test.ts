import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCommandTest, type CommandTest, type Outcome } from "../testing/command.ts";

let test: CommandTest;
beforeAll(async () => {
  test = await startCommandTest();
  expectOk(await test.skep("workspace create fleet"));
});
afterAll(() => test[Symbol.asyncDispose]());

function expectOk(outcome: Outcome): string {
  expect(outcome.err).toBe("");
  expect(outcome.code).toBe(0);
  return outcome.out;
}

describe("skep device", () => {
  it("makes devices and shows their secrets once, and changes what they may", async () => {
    const made = expectOk(await test.skep("device add fleet car-1 car-2"));
    const secret = /^fleet\/devices\/car-1\s+(\S{43})$/m.exec(made)?.[1] ?? "";
    expect(secret).not.toBe("");
    const listed = expectOk(await test.skep("device list fleet"));
    expect(listed).toMatch(/^fleet\/devices\/car-2\s+enabled\s+\d+s\s+never\s+0$/m);
    expect(listed).not.toContain(secret);
    expect(expectOk(await test.skep("device rotate fleet car-1"))).not.toContain(secret);
    expect(expectOk(await test.skep("device disable fleet car-1"))).toMatch(/car-1\s+disabled/);
    expect(expectOk(await test.skep("device enable fleet car-1"))).toMatch(/car-1\s+enabled/);
    expect(expectOk(await test.skep("device rm fleet car-1"))).toContain("car-1: is deleted");
    expect((await test.skep("device show fleet car-1")).code).toBe(5);
  });

  it("says what a device was denied", async () => {
    expectOk(await test.skep("device add fleet car-9"));
    const sighting = { workspaceId: "fleet", deviceId: "car-9", seenAt: 1, denied: 3, deniedTopic: "other/devices/x" };
    await test.platform.store.noteDevices([sighting]);
    const shown = expectOk(await test.skep("device show fleet car-9"));
    expect(shown).toMatch(/car-9\s+enabled\s+\S+\s+\S+\s+3, .* ago/);
    expect(shown).toContain('Denied last: "other/devices/x".');
  });

  it("makes those of a file, more than one request takes", async () => {
    test.write("ids.txt", Array.from({ length: 1100 }, (_, index) => `d${index}`).join("\n"));
    const made = expectOk(await test.skep("device add fleet -f ids.txt"));
    expect(made.match(/fleet\/devices\/d\d+/g)).toHaveLength(1100);
  });

  it.each([
    ["device add fleet", 2, "Name devices"],
    ["device add fleet a/b", 2, "device_ids"],
    ["device add other a", 5, "There is no workspace other"],
    ["device disable fleet none", 5, "has no device none"],
  ])("refuses `%s`", async (line, exit, told) => {
    const { code, err } = await test.skep(line);
    expect(err).toContain(told);
    expect(code).toBe(exit);
  });
});
