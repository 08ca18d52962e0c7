import { RecoveryAction } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { describe, expect, it } from "vitest";
import { recover } from "./recover.ts";
import { createTestPlatform } from "./testing/platform.ts";

const someone = { actor: "someone", idempotencyKey: undefined };

describe("a recovery", () => {
  it("waits for nodes that run something and have not reported to a new database", async () => {
    const platform = createTestPlatform();
    const deps = { ...platform.deps, heardNodes: () => ["node-1"] };
    const { incarnation } = await platform.store.loadIdentity();
    const status = {
      ...({ instanceId: "acme.web.1", epoch: 1, state: "running", health: "healthy", ports: [], message: "" } as const),
      containers: [],
    };
    const present = [{ status, tenantId: "acme", deploymentId: "acme.web", release: 1, boundPorts: [] }];
    const volume = { tenantId: "acme", owner: "acme.web", name: "data", serial: 9, inUse: true };
    const held = { assignment: undefined, epochs: {}, present, volumes: [volume], refused: "" };
    platform.answer("node-1", () => [{ kind: "held", held }]);
    const confirm = () => recover(deps, { confirm: true, incarnation }, someone);

    await platform.store.revokeNode("node-9", 1);
    const preview = await recover(deps, { confirm: false, incarnation: "" }, someone);
    expect(preview.nodes).toMatchObject([{ nodeId: "node-1", answered: true }]);
    expect(preview.revoked).toEqual(["node-9"]);
    expect(preview.volumes).toMatchObject([{ name: "data", serial: 9n, action: RecoveryAction.ADOPT }]);
    await expect(confirm()).rejects.toMatchObject({ reason: "NODES_UNRECORDED" });
    // The Swarm's list alone makes no node of it that anything may be placed on.
    const listed = { nodeId: "node-1", hostname: "host-1", role: "worker", availability: "active" } as const;
    await platform.store.saveSwarmNodes([{ ...listed, state: "ready", address: "", labels: {}, versionIndex: 1 }], 1);
    await expect(confirm()).rejects.toMatchObject({ reason: "NODES_UNRECORDED" });
    await platform.addNodes({ id: "node-1" });
    expect(await confirm()).toMatchObject({ items: [{ instanceId: "acme.web.1" }] });
    expect(await platform.store.listVolumes({})).toMatchObject([{ nodeId: "node-1", serial: 9, state: "kept" }]);
  });

  it("leaves out no node that did not answer, unless it has been silent for long", async () => {
    const platform = createTestPlatform();
    let silentMs = 14_000;
    const deps = { ...platform.deps, silentMs: () => silentMs };
    await platform.addNodes({ id: "node-1" });
    const { incarnation } = await platform.store.loadIdentity();
    const confirm = () => recover(deps, { confirm: true, incarnation }, someone);

    expect((await recover(deps, { confirm: false, incarnation: "" }, someone)).nodes).toMatchObject([
      { nodeId: "node-1", answered: false },
    ]);
    await expect(confirm()).rejects.toMatchObject({ reason: "NODES_UNANSWERED" });
    expect(await platform.store.loadIdentity()).toMatchObject({ incarnation });
    silentMs = 16_000;
    expect((await confirm()).newIncarnation).not.toBe("");
  });
});
