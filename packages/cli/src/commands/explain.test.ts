import { LEADER } from "@skep/scheduler/api/testing/platform.ts";
import { expect, it } from "vitest";
import { startCommandTest } from "../testing/command.ts";

const KEEPER = `
services:
  keeper: { image: "busybox:1.37", volumes: ["data:/data"] }
volumes: { data: }
`;

it("says of an instance that has a node what it waits for there", async () => {
  await using test = await startCommandTest();
  test.write("compose.yaml", KEEPER);
  expect((await test.skep("deploy")).code).toBe(0);
  const [placed] = (await test.platform.store.loadWorld()).locations;
  const before = (await test.skep("explain app-keeper")).out;
  expect(before).toMatch(/^app-keeper\.1: node n\d/);
  expect(before).not.toContain("  But ");
  await test.platform.store.saveLiveness(
    new Map([[placed?.nodeId ?? "", "down"]]),
    await test.platform.store.takeLease(...LEADER),
  );
  await test.platform.converge();
  expect((await test.skep("explain app-keeper")).out).toMatch(
    /^app-keeper\.1: node (n\d).*\n {2}But it waits for \1, which has its volume data and is down since /,
  );
});
