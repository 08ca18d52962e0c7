import { describe, expect, it } from "vitest";
import { deviceUser, readDeviceUser } from "./device.ts";

describe("the user name of a device", () => {
  it("is read as it is written", () => {
    const key = { workspaceId: "fleet", deviceId: "d:1.a_b-C" };
    expect(readDeviceUser(deviceUser(key))).toEqual(key);
  });

  it.each([
    "",
    "fleet",
    "fleet/devices/",
    "/devices/d",
    "a/b/devices/d",
    "fleet/devices/d/e",
    "fleet/devices/+",
    "fleet/devices/#",
  ])("is none of a device as %j", user => expect(readDeviceUser(user)).toBeUndefined());
});
