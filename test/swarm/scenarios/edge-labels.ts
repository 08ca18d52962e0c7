import { expect, it } from "vitest";
import { webApp } from "../apps.ts";
import type { Platform } from "../platform.ts";
import { answersEverywhere } from "./deploy.ts";

/**
 * One tenant's labels never keep another tenant's routes from an edge: all tenants share every
 * edge.
 */
export function edgeLabelScenarios(given: () => Platform): void {
  it("refuses the label that once stopped every edge, by its name, and records nothing", async () => {
    const platform = given();
    await platform.client.tenants.createTenant({ tenantId: "careless" });
    const door = "traefik.http.middlewares.door.basicauth";
    const file = webApp(platform, "locked", 1).replace(
      "    stop_grace_period: 3s",
      `      ${door}.realm: private\n      traefik.http.routers.locked.middlewares: door\n    stop_grace_period: 3s`,
    );
    const result = await platform.skep(["deploy", "-t", "careless", "-f", "-"], file);
    expect(result.code, result.stdout + result.stderr).toBe(2);
    expect(result.stderr).toContain(`${door}.users: the middleware has no users`);
    const labels = {
      "traefik.enable": "true",
      "traefik.http.routers.locked.rule": "Host(`locked.test`)",
      "traefik.http.routers.locked.middlewares": "door",
      [`${door}.realm`]: "private",
    };
    const container = {
      name: "app",
      image: platform.images["go-httpbin"] ?? "",
      ports: [{ containerPort: 8080 }],
      labels,
    };
    const spec = { name: "locked", containers: [container] };
    // The command reads labels itself; a request past the command meets the server's own refusal.
    await expect(platform.client.deployments.createDeployment({ tenantId: "careless", spec })).rejects.toMatchObject({
      issues: expect.arrayContaining([expect.objectContaining({ path: expect.stringContaining(`${door}.users`) })]),
    });
    expect((await platform.client.deployments.listDeployments({ tenantId: "careless" })).deployments).toEqual([]);
  });

  it("goes on applying: what another tenant routes afterwards is served by every node's Traefik", async () => {
    const platform = given();
    const result = await platform.skep(["deploy", "-f", "-"], webApp(platform, "later", 1));
    expect(result.code, result.stdout + result.stderr).toBe(0);
    await answersEverywhere(platform, "later.test", 1);
    expect((await platform.skep(["rm", "later-app"])).code).toBe(0);
  });
}
