import { createClient } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { InstanceService } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import { NodeService } from "@skep/api/gen/skep/v1/node_service_pb.ts";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { describe, expect, it } from "vitest";
import { createTestPlatform } from "./testing/platform.ts";

/** A platform with node `n1`, on which one instance runs. */
async function start() {
  const platform = createTestPlatform();
  const { transport } = platform;
  await platform.addNodes({ id: "node1", hostname: "n1", role: "manager" });
  await createClient(TenantService, transport).createTenant({ tenantId: "acme" });
  await createClient(DeploymentService, transport).createDeployment({ projectId: "acme", image: "web" });
  await platform.converge();
  return {
    ...platform,
    instances: createClient(InstanceService, transport),
    nodes: createClient(NodeService, transport),
    platform: createClient(PlatformService, transport),
  };
}

const reasonOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "done",
    (error: unknown) => fromConnectError(error).reason,
  );

describe("the filter by node", () => {
  it("takes a hostname as every other call does", async () => {
    const { instances } = await start();
    for (const nodeId of ["n1", "node1"]) {
      expect((await instances.listInstances({ nodeId })).instances).toHaveLength(1);
      expect((await instances.listLocations({ nodeId })).locations).toHaveLength(1);
    }
  });

  it("finds the events of a node by its hostname", async () => {
    const { platform, store, deps } = await start();
    const nobody = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined };
    const at = deps.clock.now();
    await store.saveDecisions([{ ...nobody, at, kind: "node.ready", nodeId: "node1", sentence: "It is ready." }]);
    const kinds: string[] = [];
    for await (const page of platform.watchEvents({ nodeId: "n1" })) kinds.push(...page.events.map(one => one.kind));
    expect(kinds).toEqual(["node.ready"]);
  });

  it("says that there is no such node, and shows what is kept of one that has left", async () => {
    const { instances, platform } = await start();
    expect(await reasonOf(instances.listInstances({ nodeId: "n9" }))).toBe("NODE_NOT_FOUND");
    const events = async (nodeId: string): Promise<void> => {
      for await (const _ of platform.watchEvents({ nodeId }));
    };
    expect(await reasonOf(events("n9"))).toBe("NODE_NOT_FOUND");
    expect(await reasonOf(events("z9k2".padEnd(25, "a")))).toBe("done");
  });
});

describe("labels of a node", () => {
  it.each([
    ["none at all", {}],
    ["one that is set and removed", { set: { a: "1" }, remove: ["a"] }],
    ["a word about the control plane that says nothing", { set: { "skep.control": "yes" } }],
  ])("are refused where they are %s", async (_, labels) => {
    const { nodes } = await start();
    expect(await reasonOf(nodes.labelNode({ nodeId: "n1", ...labels }))).toBe("LABELS_INVALID");
  });

  it("go on to a manager otherwise", async () => {
    const { nodes } = await start();
    const control = { nodeId: "n1", set: { "skep.control": "true" } };
    expect(await reasonOf(nodes.labelNode(control))).toBe("NO_MANAGER_AGENT");
    const odd = { nodeId: "n1", set: { a: "" }, remove: ["constructor"] };
    expect(await reasonOf(nodes.labelNode(odd))).toBe("NO_MANAGER_AGENT");
  });
});
