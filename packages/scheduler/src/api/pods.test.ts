import { createClient, type Client } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { InstanceService } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import { volumeKey } from "@skep/core/model/volume.ts";
import { aSpec, aVolume } from "@skep/core/testing/builders.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { podSpec } from "@skep/core/workspace/pod-spec.ts";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { reasonOf, serveHttp, type HttpApi } from "./testing/http.ts";
import { createTestPlatform, type TestPlatform } from "./testing/platform.ts";

const SETTINGS = {
  ...{ apiUrl: "http://10.0.0.1:7700", databaseHosts: [], webhookHosts: [] },
  images: { workspace: "workspace:1", mosquitto: "mosquitto:2", mongo: "mongo:6", versitygw: "versitygw:1" },
};
const SECRETS = {
  host: "secret-of-host",
  broker: "secret-of-broker",
  passwords: "secret-passwords",
  files: "secret-of-files",
};
const PATH = "/api/v1/deployments/default.ws_fleet";
const someone = { actor: "someone", idempotencyKey: undefined };

let platform: TestPlatform;
let http: HttpApi;
beforeEach(async () => {
  platform = createTestPlatform();
  http = await serveHttp(platform.deps);
  const spec = podSpec(aConnector({ id: "fleet" }, {}, {}, "standalone"), SETTINGS, SECRETS);
  await platform.store.createDeployment("default", spec, [], someone, 1);
});
afterEach(() => http.close());

const id = { deploymentId: "default.ws_fleet" };
const evil = { name: "ws_fleet", replicas: 1, containers: [{ name: "app", image: "evil" }] };
const refusalOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "taken",
    (error: unknown) => fromConnectError(error).message,
  );

describe("the pod of a workspace", () => {
  it.each([
    ["scaled", client => client.scaleDeployment({ ...id, replicas: 2 })],
    ["restarted", client => client.restartDeployment(id)],
    ["stopped", client => client.stopDeployment(id)],
    ["started", client => client.startDeployment(id)],
    ["deleted", client => client.deleteDeployment(id)],
    ["updated", client => client.updateDeployment({ ...id, spec: { ...evil, name: "web" } })],
  ] as readonly (readonly [string, (client: Client<typeof DeploymentService>) => Promise<unknown>])[])(
    "is not %s by a person, who is told of the workspace",
    async (_, change) => {
      const before = await platform.store.getDeployment(id.deploymentId);
      const refusal = await refusalOf(change(createClient(DeploymentService, platform.transport)));
      expect(refusal).toContain("is the pod of workspace fleet");
      expect(refusal).toContain("skep workspace show fleet");
      expect(await platform.store.getDeployment(id.deploymentId)).toEqual(before);
    },
  );

  it("is not made by a person", async () => {
    const body = { tenantId: "default", spec: { ...evil, name: "ws_other" } };
    expect(reasonOf(await http.send("POST", "/api/v1/deployments", body))).toBe("INVALID_REQUEST");
    expect(await platform.store.getDeployment("default.ws_other")).toBeUndefined();
  });

  it("runs no command of a person, since its environment has secrets", async () => {
    const client = createClient(InstanceService, platform.transport);
    const exec = client.execInstance({ instanceId: `${id.deploymentId}.1`, argv: ["env"], container: "host" });
    expect(await refusalOf(exec[Symbol.asyncIterator]().next())).toContain("is the pod of workspace fleet");
  });

  it("is shown without its secrets", async () => {
    const shown = [await http.send("GET", PATH), await http.send("GET", "/api/v1/deployments")];
    for (const { status, body } of shown) {
      expect(status).toBe(200);
      expect(JSON.stringify(body)).toContain("default.ws_fleet");
      expect(JSON.stringify(body)).not.toContain("secret-");
    }
  });

  it("leaves a tenant's own deployments alone", async () => {
    await platform.store.createDeployment("default", aSpec({ name: "ws-fleet" }), [], someone, 1);
    const client = createClient(DeploymentService, platform.transport);
    await client.stopDeployment({ deploymentId: "default.ws-fleet" });
    expect((await platform.store.getDeployment("default.ws-fleet"))?.deployment.desired).toBe("stopped");
  });
});

describe("a workspace with a pod", () => {
  const create = (body: object = {}) =>
    platform.store.createWorkspace(
      {
        ...{ tenantId: "default", purpose: aPurpose(), strategy: "least-loaded" },
        connector: aConnector({ id: "fleet" }, {}, {}, "standalone"),
        ...body,
      },
      someone,
      1,
    );

  it("shows what is wrong with its pod, and what to do", async () => {
    await create();
    const problem = "its pod default.ws_fleet cannot be made: there is no room; make some";
    await platform.store.savePodProblems(new Map([["fleet", problem]]));
    expect((await http.send("GET", "/api/v1/workspaces/fleet")).body).toMatchObject({
      workspace: { podProblem: problem },
    });
    const { body } = await http.send("GET", "/containers/fleet/diagnostics");
    expect(body).toMatchObject({
      ok: false,
      checks: expect.arrayContaining([expect.objectContaining({ name: "pod", found: problem })]),
    });
  });

  it("says as it is dropped which volumes stay where, or who removes them", async () => {
    await create();
    await platform.addNodes({ id: "node-1", hostname: "alpha" });
    for (const name of ["broker", "files"]) {
      const volume = aVolume({ tenantId: "default", owner: "default.ws_fleet", name });
      platform.database.records.volumes.set(volumeKey(volume), volume);
    }
    const drop = async (query = "") => (await http.send("DELETE", `/api/v1/workspaces/fleet${query}`)).body;
    expect(await drop()).toEqual({
      data: [
        "The volumes broker, files of its pod stay on alpha, for a standalone workspace of this id and tenant; " +
          "drop it with its data now, or remove one by skep volume rm default.ws_fleet/NAME.",
      ],
    });
    expect(await drop("?removeData=true")).toEqual({
      data: [
        "A shared host removes what shared hosts keep of its database and files.",
        "alpha removes the volumes broker, files of its pod once that is gone; where it is away, once it is back.",
      ],
    });
  });

  it("is refused where no pod can be made, before anything is written, and so is a move to one", async () => {
    const off = await serveHttp({ ...platform.deps, whyNoPods: "a setting is missing; set it" });
    onTestFinished(() => off.close());
    const body = (type: string) => ({
      tenantId: "default",
      connector: {
        ...{ id: "other", type: "IoT", name: "Other", workspace: { type: "developer" } },
        access: { secret: "sk_live_0123456789" },
        config: { protocol: "sio", resources: { type } },
      },
    });
    const refused = await off.send("POST", "/api/v1/workspaces", body("standalone"));
    expect(refused.body).toMatchObject({
      code: "failed_precondition",
      message: "Workspace other cannot be standalone here: a setting is missing; set it.",
    });
    expect(await platform.store.getWorkspace("other")).toBeUndefined();
    expect((await off.send("POST", "/api/v1/workspaces", body("shared"))).status).toBe(200);
    const move = (dryRun: boolean) =>
      off.send("POST", "/api/v1/workspaces/other:migrate", { to: "standalone", dryRun });
    expect((await move(true)).body).toMatchObject({ blocked: [expect.stringContaining("a setting is missing")] });
    expect(reasonOf(await move(false))).toBe("PODS_OFF");
    expect(await platform.store.getMove("other")).toBeUndefined();
  });
});
