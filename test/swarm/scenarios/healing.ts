import { expect, it } from "vitest";
import { docker } from "@skep/devswarm/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { seenContainers } from "../apps.ts";
import { answersEverywhere } from "./deploy.ts";
import type { Platform } from "../platform.ts";

/** What is broken by hand comes right by itself. */
export function healingScenarios(given: () => Platform): void {
  it("replaces a container that was removed by hand within 2 seconds", async () => {
    const platform = given();
    const [victim] = await seenContainers(platform, "default.web-app");
    if (!victim) throw new Error("web has no container");
    await docker(platform.fleet, victim.node, ["rm", "-f", victim.id]);
    const removedAt = performance.now();
    await eventually(
      async () => {
        const again = (await seenContainers(platform, "default.web-app")).filter(
          one => one.instance === victim.instance && one.state === "running",
        );
        expect(again.map(one => one.id !== victim.id)).toEqual([true]);
      },
      10_000,
      50,
    );
    expect(performance.now() - removedAt).toBeLessThan(2_000 + 500);
    await answersEverywhere(platform, "web.test", 3);
  });

  it("makes a container anew that was disconnected from its tenant's network", async () => {
    const platform = given();
    const [victim] = await seenContainers(platform, "default.web-app");
    if (!victim) throw new Error("web has no container");
    await docker(platform.fleet, victim.node, ["network", "disconnect", "--force", "skep-default", victim.id]);
    await eventually(async () => {
      const again = (await seenContainers(platform, "default.web-app")).filter(one => one.instance === victim.instance);
      expect(again.map(one => [one.id !== victim.id, one.state])).toEqual([[true, "running"]]);
    }, 40_000);
    await answersEverywhere(platform, "web.test", 3);
  });

  it("repairs a row that was deleted from Postgres by hand", async () => {
    const platform = given();
    const query =
      "SELECT instance_id, epoch, node_id, status FROM deployment_locations WHERE deployment_id = 'default.web-app' ORDER BY instance_id";
    const before = await platform.sql(query);
    const instance = String(before[0]?.["instance_id"]);
    const deleted = await platform.sqlRun(
      `DELETE FROM deployment_locations WHERE instance_id = '${instance}' RETURNING instance_id`,
    );
    expect(deleted.trim()).toBe(instance);
    const containers = (await seenContainers(platform, "default.web-app")).map(one => one.id).toSorted();
    await eventually(async () => expect(await platform.sql(query)).toEqual(before), 90_000);
    expect((await seenContainers(platform, "default.web-app")).map(one => one.id).toSorted()).toEqual(containers);
  });

  it("removes a stray container that bears our labels but that no record explains, and says so", async () => {
    const platform = given();
    const [model] = await seenContainers(platform, "default.web-app");
    if (!model) throw new Error("web has no container");
    const image = platform.images["go-httpbin"] ?? "";
    const labels = [
      "skep.tenant=default",
      "skep.deployment=default.ghost",
      "skep.instance=default.ghost.1",
      "skep.epoch=1",
      "skep.release=1",
      "skep.container=ghost",
      "skep.role=app",
      "skep.spec-hash=none",
    ];
    await docker(platform.fleet, model.node, [
      "run",
      "-d",
      "--name",
      "ghost",
      ...labels.flatMap(label => ["--label", label]),
      image,
    ]);
    await eventually(async () => expect(await seenContainers(platform, "default.ghost")).toEqual([]), 90_000);
    // The reason is written after the deed was told.
    await eventually(async () => {
      const decisions = await platform.sql("SELECT * FROM decisions WHERE instance_id = 'default.ghost.1'");
      expect(decisions.length).toBeGreaterThan(0);
    }, 20_000);
  });
}
