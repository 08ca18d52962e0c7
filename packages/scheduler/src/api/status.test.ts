import { expect, test } from "vitest";
import { platformHandlers } from "./platform.ts";
import { createTestPlatform } from "./testing/platform.ts";

test("the status names an agent whose claim nobody believes, and what can be done", async () => {
  const { deps } = createTestPlatform();
  const { getStatus } = platformHandlers({ ...deps, unproven: () => ["node-9"] });
  const { warnings } = await getStatus({} as never, {} as never);
  expect(warnings).toContainEqual(expect.stringMatching(/node-9.*skep node revoke/));
});
