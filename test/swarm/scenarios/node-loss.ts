import { expect, it } from "vitest";
import { docker, killNode, startNode } from "@skep/devswarm/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { seenContainers } from "../apps.ts";
import { askEdge } from "../edge-client.ts";
import { nodeOf, type Platform } from "../platform.ts";

/** A node that dies, all its processes at once, and comes back. */
export function nodeLossScenarios(given: () => Platform): void {
  let lost: readonly string[] = [];

  it("answers from replacements, and routes nothing to the dead node", async () => {
    const platform = given();
    const victim = nodeOf(platform.fleet, "node-2");
    lost = (await seenContainers(platform, "default.web-app"))
      .filter(one => one.node === victim.name)
      .map(one => one.id);
    expect(lost.length).toBeGreaterThan(0);
    await killNode(platform.fleet, victim.name);
    await eventually(async () => {
      const rows = await platform.sql(
        "SELECT node_id, status FROM deployment_locations WHERE deployment_id = 'default.web-app'",
      );
      expect(rows.filter(row => row["status"] === "running" && row["node_id"] !== victim.swarmId)).toHaveLength(3);
      expect(rows.filter(row => row["status"] === "running" && row["node_id"] === victim.swarmId)).toEqual([]);
    }, 60_000);
    for (const name of ["node-1", "node-3"]) {
      const { address } = nodeOf(platform.fleet, name);
      await eventually(async () => {
        const answers = await Promise.all(
          Array.from({ length: 20 }, () => askEdge(address, "web.test", "/status/200")),
        );
        expect(answers.map(answer => answer.status)).toEqual(answers.map(() => 200));
      }, 15_000);
    }
  });

  it("removes the old copies before they serve when the node comes back", async () => {
    const platform = given();
    await startNode(platform.fleet, "node-2");
    let served = false;
    await eventually(
      async () => {
        const ids = (
          await docker(platform.fleet, "node-2", ["ps", "-aq", "--no-trunc", "--filter", "label=skep.instance"])
        )
          .split("\n")
          .filter(Boolean);
        const states = await docker(platform.fleet, "node-2", [
          "ps",
          "-q",
          "--no-trunc",
          "--filter",
          "label=skep.instance",
        ]);
        served ||= lost.some(id => states.includes(id));
        expect(ids.filter(id => lost.includes(id))).toEqual([]);
      },
      120_000,
      100,
    );
    expect(served).toBe(false);
    await eventually(async () => {
      const { nodes } = await platform.client.nodes.listNodes({});
      expect(new Set(nodes.map(node => node.liveness)).size).toBe(1);
    }, 60_000);
    expect((await seenContainers(platform, "default.web-app")).filter(one => one.state === "running")).toHaveLength(3);
  });
}
