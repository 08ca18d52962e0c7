import { expect, it } from "vitest";
import { docker } from "@skep/devswarm/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { seenContainers } from "../apps.ts";
import { askSteadily } from "../edge-client.ts";
import { nodeOf, type Platform } from "../platform.ts";
import { answersEverywhere } from "./deploy.ts";

/** Swarm's own drain moves tenants before anything of theirs stops. */
export function drainScenarios(given: () => Platform): void {
  it("moves the instances of a drained worker without one failed request", async () => {
    const platform = given();
    await answersEverywhere(platform, "web.test", 3);
    const there = (await seenContainers(platform, "default.web-app")).filter(one => one.node === "node-3");
    expect(there.length).toBeGreaterThan(0);
    const client = askSteadily(nodeOf(platform.fleet, "node-1").address, "web.test", "/status/200");
    await docker(platform.fleet, "node-1", ["node", "update", "--availability", "drain", "node-3"]);
    await eventually(
      async () => expect((await seenContainers(platform)).filter(one => one.node === "node-3")).toEqual([]),
      90_000,
    );
    const { asked, failures } = await client.stop();
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(50);
    expect((await seenContainers(platform, "default.web-app")).filter(one => one.state === "running")).toHaveLength(3);
  });

  it("lets the node take work again when it is activated", async () => {
    const platform = given();
    await docker(platform.fleet, "node-1", ["node", "update", "--availability", "active", "node-3"]);
    await eventually(async () => {
      const { nodes } = await platform.client.nodes.listNodes({});
      expect(nodes.filter(node => node.hostname === "node-3").map(node => [node.liveness, node.availability])).toEqual(
        nodes.filter(node => node.hostname === "node-2").map(node => [node.liveness, node.availability]),
      );
    }, 60_000);
    expect((await platform.skep(["restart", "web-app"])).code).toBe(0);
    await eventually(
      async () =>
        expect(new Set((await seenContainers(platform, "default.web-app")).map(one => one.node)).size).toBe(3),
      90_000,
    );
    await answersEverywhere(platform, "web.test", 3, 60_000);
  });
}
