import { createClient } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { specToProto } from "@skep/api/codec/spec.ts";
import { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { VolumeState } from "@skep/api/gen/skep/v1/volume_pb.ts";
import { VolumeService } from "@skep/api/gen/skep/v1/volume_service_pb.ts";
import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import { describe, expect, it } from "vitest";
import { createTestPlatform, LEADER } from "./testing/platform.ts";

const MOUNT = { name: "data", target: "/data", readOnly: false };
const DB = aSpec({ name: "db", containers: [aContainer({ volumes: [MOUNT] })] });

async function start() {
  const platform = createTestPlatform();
  await platform.addNodes(
    { id: "node1", hostname: "n1", address: "10.0.0.1" },
    { id: "node2", hostname: "n2", address: "10.0.0.2" },
  );
  const volumes = createClient(VolumeService, platform.transport);
  const tenants = createClient(TenantService, platform.transport);
  const deployments = createClient(DeploymentService, platform.transport);
  await tenants.createTenant({ tenantId: "acme" });
  await deployments.createDeployment({ tenantId: "acme", spec: specToProto(DB) });
  await platform.converge();
  const list = async () => (await volumes.listVolumes({})).volumes;
  const reasonOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => "done",
      (error: unknown) => fromConnectError(error).reason,
    );
  return { ...platform, volumes, tenants, deployments, list, reasonOf };
}

describe("volumes", () => {
  it("are shown with their node and what uses them", async () => {
    const { list, deployments, converge } = await start();
    const [volume] = await list();
    expect(volume).toMatchObject({ owner: "acme.db", name: "data", deploymentIds: ["acme.db"], nodeGone: false });
    expect(volume).toMatchObject({ instanceIds: ["acme.db.1"], state: VolumeState.KEPT });
    expect(["n1", "n2"]).toContain(volume?.nodeHostname);
    await deployments.deleteDeployment({ deploymentId: "acme.db" });
    await converge();
    expect(await list()).toMatchObject([{ instanceIds: [], deploymentIds: [], state: VolumeState.KEPT }]);
  });

  it("are removed only when nothing mounts them", async () => {
    const { volumes, deployments, converge, reasonOf, list } = await start();
    const of = { owner: "acme.db", name: "data" };
    expect(await reasonOf(volumes.deleteVolume(of))).toBe("VOLUME_IN_USE");
    expect(await reasonOf(volumes.deleteVolume({ ...of, force: true }))).toBe("VOLUME_IN_USE");
    expect(await reasonOf(volumes.deleteVolume({ ...of, name: "other" }))).toBe("VOLUME_NOT_FOUND");
    await deployments.stopDeployment({ deploymentId: "acme.db" });
    await converge();
    expect(await reasonOf(volumes.deleteVolume(of))).toBe("done");
    expect(await list()).toMatchObject([{ state: VolumeState.REMOVING }]);
    expect(await reasonOf(volumes.deleteVolume(of))).toBe("done");
  });

  it("of a project are in use by each service that mounts them, and listed with all of those", async () => {
    const { volumes, deployments, converge, reasonOf } = await start();
    for (const service of ["a", "b"]) {
      const spec = aSpec({ ...DB, name: `blog-${service}`, project: "blog", service });
      await deployments.createDeployment({ tenantId: "acme", spec: specToProto(spec) });
    }
    await converge();
    const shared = async () => (await volumes.listVolumes({ owner: "acme/blog" })).volumes;
    const users = { instanceIds: ["acme.blog-a.1", "acme.blog-b.1"], deploymentIds: ["acme.blog-a", "acme.blog-b"] };
    expect(await shared()).toMatchObject([{ owner: "acme/blog", name: "data", ...users }]);
    const of = { owner: "acme/blog", name: "data" };
    await deployments.deleteDeployment({ deploymentId: "acme.blog-a" });
    await converge();
    expect(await shared()).toMatchObject([{ instanceIds: ["acme.blog-b.1"], deploymentIds: ["acme.blog-b"] }]);
    expect(await reasonOf(volumes.deleteVolume(of))).toBe("VOLUME_IN_USE");
    await deployments.deleteDeployment({ deploymentId: "acme.blog-b" });
    await converge();
    expect(await reasonOf(volumes.deleteVolume(of))).toBe("done");
  });

  it("that were left behind are listed so, and go without force while their node is away", async () => {
    const { volumes, deployments, store, converge, reasonOf } = await start();
    const moving = aContainer({ volumes: [{ ...MOUNT, move: "empty" }] });
    const spec = aSpec({ name: "blog-a", project: "blog", service: "a", containers: [moving] });
    await deployments.createDeployment({ tenantId: "acme", spec: specToProto(spec) });
    await converge();
    const shared = async () => (await volumes.listVolumes({ owner: "acme/blog" })).volumes;
    const [before] = await shared();
    await store.saveLiveness(new Map([[before!.nodeId, "down"]]), await store.takeLease(...LEADER));
    await converge();
    const [left, fresh] = await shared();
    expect(left).toMatchObject({ serial: before!.serial, nodeId: before!.nodeId, state: VolumeState.LEFT });
    expect([left?.instanceIds, fresh?.instanceIds]).toEqual([[], ["acme.blog-a.1"]]);
    const of = { owner: "acme/blog", name: "data", node: before!.nodeHostname };
    expect(await reasonOf(volumes.deleteVolume(of))).toBe("done");
    expect((await shared()).map(one => one.state)).toEqual([VolumeState.REMOVING, VolumeState.KEPT]);
  });

  it("of which one node has two are told apart by their serial, and only the mounted one is in use", async () => {
    const { volumes, store, reasonOf, list } = await start();
    const [mounted] = await list();
    const { nodeId, owner, tenantId, name } = mounted!;
    const serial = Number(mounted!.serial);
    const reported = { tenantId, owner, name };
    const all = [
      { ...reported, serial, inUse: true },
      { ...reported, serial: serial + 4, inUse: false },
    ];
    await store.saveVolumes(nodeId, all, Date.now() + 60_000);
    expect((await list()).map(one => [one.serial, one.instanceIds, one.usedAt === undefined])).toEqual([
      [BigInt(serial), ["acme.db.1"], false],
      [BigInt(serial + 4), [], true],
    ]);
    const of = { owner, name };
    expect(await reasonOf(volumes.deleteVolume({ ...of, node: mounted!.nodeHostname }))).toBe("VOLUME_AMBIGUOUS");
    expect(await reasonOf(volumes.deleteVolume({ ...of, serial: BigInt(serial) }))).toBe("VOLUME_IN_USE");
    expect(await reasonOf(volumes.deleteVolume({ ...of, serial: 99n }))).toBe("VOLUME_NOT_FOUND");
    expect(await reasonOf(volumes.deleteVolume({ ...of, serial: BigInt(serial + 4) }))).toBe("done");
    expect((await list()).map(one => one.state)).toEqual([VolumeState.KEPT, VolumeState.REMOVING]);
  });

  it("of a node that is away go only when a person insists, and then what waits starts empty elsewhere", async () => {
    const { volumes, deployments, store, converge, reasonOf, list } = await start();
    const [before] = await list();
    const leader = await store.takeLease(...LEADER);
    await store.saveLiveness(new Map([[before!.nodeId, "down"]]), leader);
    await converge();
    expect((await store.loadWorld()).instances[0]?.refusal?.advice).toContain(`it waits for ${before?.nodeHostname}`);
    const { placements } = await deployments.explainPlacement({ deploymentId: "acme.db" });
    expect(placements).toMatchObject([{ hostname: before?.nodeHostname }]);
    expect(placements[0]?.refusal?.advice).toContain(`it waits for ${before?.nodeHostname}`);
    const of = { owner: "acme.db", name: "data", node: before!.nodeHostname };
    expect(await reasonOf(volumes.deleteVolume(of))).toBe("VOLUME_NODE_AWAY");
    expect(await reasonOf(volumes.deleteVolume({ ...of, force: true }))).toBe("done");
    await converge();
    const kept = (await list()).filter(one => one.state === VolumeState.KEPT);
    expect(kept).toMatchObject([{ instanceIds: ["acme.db.1"] }]);
    expect(kept[0]?.nodeId).not.toBe(before?.nodeId);
  });

  it("of a removed tenant are on their way out, and one of the same name gets others", async () => {
    const { tenants, deployments, converge, list } = await start();
    const [before] = await list();
    await deployments.deleteDeployment({ deploymentId: "acme.db" });
    await converge();
    await tenants.deleteTenant({ tenantId: "acme" });
    await tenants.createTenant({ tenantId: "acme" });
    await deployments.createDeployment({ tenantId: "acme", spec: specToProto(DB) });
    await converge();
    const after = await list();
    expect(after.find(one => one.serial === before?.serial)?.state).toBe(VolumeState.REMOVING);
    expect(after.filter(one => one.state === VolumeState.KEPT && one.serial > before!.serial).length).toBe(1);
  });

  it("keep a single copy from being scaled up", async () => {
    const { deployments, reasonOf } = await start();
    expect(await reasonOf(deployments.scaleDeployment({ deploymentId: "acme.db", replicas: 2 }))).toBe("SINGLE_COPY");
    expect(await reasonOf(deployments.scaleDeployment({ deploymentId: "acme.db", replicas: 0 }))).toBe("done");
  });
});
