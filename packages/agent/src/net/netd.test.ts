import { expect, test } from "vitest";
import { createConnectNetd } from "./connect-netd.ts";
import { createMemoryNetd } from "./memory-netd.ts";
import { netdContract } from "./netd.contract.ts";

netdContract("the twin in memory", async () => {
  const netns = "/run/docker/netns/0123456789ab";
  return { netd: createMemoryNetd(path => path === netns), netns, noNetns: "/gone", close: async () => {} };
});

test("a netd that is not there is an error, and not a wait", async () => {
  await expect(createConnectNetd("/nowhere/netd.sock").apply({})).rejects.toThrow(/ENOENT|unavailable/);
});
