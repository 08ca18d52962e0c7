import { expect, test } from "vitest";
import type { ContainerInfo, ContainerInspectInfo } from "dockerode";
import { toLifetime, toObservedContainer } from "./observed.ts";

function aRow(over: Partial<ContainerInfo> = {}): ContainerInfo {
  return {
    Id: "c1",
    Names: ["/skep-acme.web.1-e2-app"],
    Image: "nginx",
    ImageID: "sha256:1",
    Command: "x",
    Created: 1_700_000_000,
    Ports: [],
    Labels: {
      "skep.tenant": "acme",
      "skep.deployment": "acme.web",
      "skep.instance": "acme.web.1",
      "skep.epoch": "2",
      "skep.release": "3",
      "skep.container": "app",
      "skep.role": "app",
      "skep.spec-hash": "h",
      "skep.ports": "app:80/tcp=20001",
    },
    State: "running",
    Status: "Up 3 seconds (health: starting)",
    HostConfig: { NetworkMode: "skep-acme" },
    NetworkSettings: { Networks: {} },
    Mounts: [],
    ...over,
  };
}

const lifetime = { exitCode: 137, oomKilled: true, startedAt: 5, finishedAt: 9 };

test("a row with our labels becomes an observed container with its identity, ports and health", () => {
  expect(toObservedContainer(aRow(), lifetime)).toMatchObject({
    id: "c1",
    name: "app",
    role: "app",
    instanceId: "acme.web.1",
    deploymentId: "acme.web",
    tenantId: "acme",
    epoch: 2,
    release: 3,
    specHash: "h",
    state: "running",
    exitCode: undefined,
    engineHealth: "starting",
    createdAt: 1_700_000_000_000,
    ports: [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: 20_001 }],
  });
});

test.each([
  ["running", "skep-acme", { "skep-acme": {} }, false],
  ["running", "skep-acme", {}, true],
  ["exited", "skep-acme", {}, true],
  ["created", "skep-acme", {}, false],
  ["running", "container:c0", {}, false],
])("a %s container of network mode %s whose networks are %o is detached: %s", (state, mode, networks, isDetached) => {
  const row = aRow({
    State: state,
    HostConfig: { NetworkMode: mode },
    NetworkSettings: { Networks: networks as ContainerInfo["NetworkSettings"]["Networks"] },
  });
  expect(toObservedContainer(row, lifetime)?.isDetached).toBe(isDetached);
});

test("a row without our instance label is nobody's business of ours", () => {
  expect(toObservedContainer(aRow({ Labels: { "com.docker.compose.project": "x" } }), lifetime)).toBeUndefined();
});

test.each(["many", "2147483648", "999999999999999"])("a container made by hand at epoch %s is still seen", epoch => {
  expect(
    toObservedContainer(aRow({ Labels: { "skep.instance": "acme.web.9", "skep.epoch": epoch } }), lifetime),
  ).toMatchObject({
    instanceId: "acme.web.9",
    tenantId: "acme",
    deploymentId: "acme.web",
    epoch: 0,
  });
});

test.each([
  ["Up 2 minutes (healthy)", "healthy"],
  ["Up 2 minutes (unhealthy)", "unhealthy"],
  ["Up 2 minutes", "none"],
])("reads health from the status %s", (status, health) => {
  expect(toObservedContainer(aRow({ Status: status }), lifetime)?.engineHealth).toBe(health);
});

test("an ended container has its exit code, and no health", () => {
  expect(toObservedContainer(aRow({ State: "exited", Status: "Exited (137)" }), lifetime)).toMatchObject({
    state: "exited",
    exitCode: 137,
    oomKilled: true,
    engineHealth: "none",
  });
});

test("the engine's zero time means never", () => {
  const zero = "0001-01-01T00:00:00Z";
  const inspect = {
    State: { ExitCode: 0, OOMKilled: false, StartedAt: zero, FinishedAt: zero },
  } as ContainerInspectInfo;
  expect(toLifetime(inspect)).toEqual({
    exitCode: undefined,
    oomKilled: false,
    startedAt: undefined,
    finishedAt: undefined,
  });
});
