import { expect, test } from "vitest";
import { createCalls } from "./docker-calls.ts";
import { engineErrorCode } from "./errors.ts";

const never = (): Promise<never> => new Promise(() => {});
const code = (promise: Promise<unknown>): Promise<string> => promise.then(() => "done", engineErrorCode);

test("a container that does not answer is left alone for a while, and only that one", async () => {
  let now = 0;
  const { call } = createCalls(() => now);
  expect(await code(call({ deadlineMs: 5, containerId: "a" }, never))).toBe("timeout");
  expect(await code(call({ deadlineMs: 5, containerId: "a" }, async () => 1))).toBe("hung");
  expect(await code(call({ deadlineMs: 5, containerId: "b" }, async () => 1))).toBe("done");
  now = 5_001;
  expect(await code(call({ deadlineMs: 5, containerId: "a" }, async () => 1))).toBe("done");
  expect(await code(call({ deadlineMs: 5, containerId: "a" }, async () => 1))).toBe("done");
});

test("the rest doubles while the container stays silent", async () => {
  let now = 0;
  const { call } = createCalls(() => now);
  await code(call({ deadlineMs: 1, containerId: "a" }, never));
  now = 5_001;
  await code(call({ deadlineMs: 1, containerId: "a" }, never));
  now += 9_000;
  expect(await code(call({ deadlineMs: 1, containerId: "a" }, async () => 1))).toBe("hung");
});

test.each([
  [{ statusCode: 404 }, "not_found"],
  [{ statusCode: 409 }, "conflict"],
  [{ statusCode: 403 }, "denied"],
  [{ statusCode: 500 }, "failed"],
  [{ statusCode: 304 }, "done"],
  [{ code: "ENOENT" }, "unavailable"],
  [{ statusCode: 500, json: { message: "Bind for 0.0.0.0:80 failed: port is already allocated" } }, "port_taken"],
  [{ statusCode: 403, json: { message: "Pool overlaps with other one on this address space" } }, "subnet_taken"],
  [{ statusCode: 403, json: { message: "network x has active endpoints" } }, "conflict"],
])("the answer %o is told as %s", async (fields, expected) => {
  const { call } = createCalls(() => 0);
  expect(
    await code(call({ deadlineMs: 100 }, async () => Promise.reject(Object.assign(new Error("HTTP"), fields)))),
  ).toBe(expected);
});
