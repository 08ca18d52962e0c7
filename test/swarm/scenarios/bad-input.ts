import { expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { webApp } from "../apps.ts";
import type { Platform } from "../platform.ts";

/** What is wrong gets a clear answer, and nothing is half done. */
export function badInputScenarios(given: () => Platform): void {
  const create = async (body: Record<string, unknown>): Promise<{ status: number; text: string }> => {
    const { apiUrl, token } = given();
    const answer = await fetch(`${apiUrl}/api/v1/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    return { status: answer.status, text: await answer.text() };
  };

  it("says in the engine's words that an image is unknown, and goes on trying", async () => {
    const platform = given();
    const image = `${platform.fleet.registry}/skep/nowhere:none`;
    await platform.client.deployments.createDeployment({ projectId: "default", name: "nowhere", image });
    await eventually(async () => {
      const { deployment } = await platform.client.deployments.getDeployment({ deploymentId: "default.nowhere" });
      expect(deployment?.status?.troubles.map(trouble => trouble.sentence).join(" ")).toMatch(
        /not found|manifest unknown/,
      );
    }, 20_000);
    await platform.client.deployments.deleteDeployment({ deploymentId: "default.nowhere" });
  });

  it.each([
    ["privileged: true", /privileged/],
    ["volumes: ['/etc:/etc']", /path of the node/],
    ["volumes: ['/var/run/docker.sock:/var/run/docker.sock']", /docker\.sock|socket/i],
    ["network_mode: host", /host/],
    ["cap_add: [NET_ADMIN]", /cap_add|capabilit/],
    ["devices: ['/dev/kvm:/dev/kvm']", /device/],
  ])("refuses `%s` with its line", async (line, reason) => {
    const platform = given();
    const file = webApp(platform, "hostile", 1).replace("    stop_grace_period: 3s", `    ${line}`);
    const result = await platform.skep(["deploy", "-f", "-"], file);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/:\d+:\d+/);
    expect(result.stderr).toMatch(reason);
    await expect(platform.client.deployments.getDeployment({ deploymentId: "default.hostile-app" })).rejects.toThrow();
  });

  it("explains what removed each node when none fits", async () => {
    const platform = given();
    const file = webApp(platform, "picky", 1).replace(
      "      replicas: 1",
      "      replicas: 1\n      placement: { constraints: ['node.labels.gpu == true'] }",
    );
    expect((await platform.skep(["deploy", "-f", "-", "--no-wait"], file)).code).toBe(0);
    await eventually(async () => expect((await platform.skep(["explain", "picky-app"])).stdout).toMatch(/gpu/), 15_000);
    expect((await platform.skep(["rm", "picky-app"])).code).toBe(0);
  });

  it("refuses a domain that another tenant routes", async () => {
    const platform = given();
    await platform.client.tenants.createTenant({ tenantId: "rival" });
    const answer = await create({
      project_id: "rival",
      name: "thief",
      image: platform.images["go-httpbin"],
      port: 8080,
      domain: "web.test",
    });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/web\.test/);
    expect((await platform.client.deployments.listDeployments({ tenantId: "rival" })).deployments).toEqual([]);
  });

  it("refuses an update that is based on an old version", async () => {
    const platform = given();
    const { deployment } = await platform.client.deployments.getDeployment({ deploymentId: "default.web-app" });
    const stale = (deployment?.resourceVersion ?? 0n) - 1n;
    await expect(
      platform.client.deployments.scaleDeployment({
        deploymentId: "default.web-app",
        replicas: 9,
        resourceVersion: stale,
      }),
    ).rejects.toThrow(/version/);
  });

  it("answers the same to the same idempotency key", async () => {
    const platform = given();
    const request = {
      projectId: "default",
      name: "once",
      image: platform.images["go-httpbin"] ?? "",
      idempotencyKey: `once-${Date.now()}`,
    };
    const first = await platform.client.deployments.createDeployment(request);
    const second = await platform.client.deployments.createDeployment(request);
    expect(second.deployment?.createdAt).toEqual(first.deployment?.createdAt);
    await platform.client.deployments.deleteDeployment({ deploymentId: "default.once" });
  });

  it("refuses 10 MB, a name with ../, a bad label and a source without an image", async () => {
    const platform = given();
    const image = platform.images["go-httpbin"];
    expect(
      (await create({ project_id: "default", name: "big", image, env_vars: { BIG: "x".repeat(10 * 1024 * 1024) } }))
        .status,
    ).toBe(413);
    const climbing = await create({ project_id: "default", name: "../etc", image });
    expect(climbing).toMatchObject({ status: 400 });
    expect(climbing.text).toContain("name");
    const built = await create({
      project_id: "default",
      name: "built",
      git_repo: "https://git.test/x",
      branch: "main",
    });
    expect(built.status).toBeGreaterThanOrEqual(400);
    expect(built.text).toMatch(/image/);
    const labelled = webApp(platform, "labelled", 1).replace("Host(`labelled.test`)", "Host(labelled.test");
    const result = await platform.skep(["deploy", "-f", "-"], labelled);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/rule/);
  });
}
