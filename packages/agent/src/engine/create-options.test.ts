import { describe, expect, test } from "vitest";
import type { ContainerCreateOptions } from "dockerode";
import { SkepError } from "@skep/core/error.ts";
import { aContainer, anInstance, aSpec } from "../testing/builders.ts";
import { toCreateOptions, toSandboxOptions } from "./create-options.ts";
import { refuseUnsafe } from "./refusals.ts";

const node = { hostname: "node-1" };
const port = { container: "app", containerPort: 80, protocol: "tcp", hostPort: 20_001 } as const;

function create(
  over: Parameters<typeof aContainer>[0] = {},
  ports: readonly (typeof port)[] = [],
): ContainerCreateOptions {
  const container = aContainer(over);
  const instance = anInstance({ spec: aSpec({ containers: [container] }), ports });
  return toCreateOptions({ instance, container, specHash: "h", sandboxId: undefined }, node);
}

function refusalOf(run: () => unknown): { code: string; field: string | undefined } {
  try {
    run();
  } catch (error) {
    if (error instanceof SkepError) return { code: error.code, field: error.details["field"] };
    throw error;
  }
  return { code: "accepted", field: undefined };
}

describe("a container's options", () => {
  test("limit cpu, memory, swap, processes and log size of every container", () => {
    expect(
      create({
        resources: { cpuMillis: 250, memoryBytes: 1 << 26, pids: 64, reserveCpuMillis: 0, reserveMemoryBytes: 0 },
      }).HostConfig,
    ).toMatchObject({
      NanoCpus: 250_000_000,
      Memory: 1 << 26,
      MemorySwap: 1 << 26,
      PidsLimit: 64,
      SecurityOpt: ["no-new-privileges:true"],
      LogConfig: { Type: "json-file", Config: { "max-size": "10000000", "max-file": "3" } },
      RestartPolicy: { Name: "no" },
      NetworkMode: "skep-acme",
    });
  });

  test("say who the container is, and bear the user's labels beside it", () => {
    expect(create({ labels: { "traefik.enable": "true" } }).Labels).toEqual({
      "skep.tenant": "acme",
      "skep.deployment": "acme.web",
      "skep.instance": "acme.web.1",
      "skep.epoch": "1",
      "skep.release": "1",
      "skep.container": "app",
      "skep.role": "app",
      "skep.spec-hash": "h",
      "skep.ports": "",
      "cloud.obiente.deployment": "true",
      "traefik.enable": "true",
    });
  });

  test("tell the program where it runs, whatever its own environment claims", () => {
    expect(create({ env: { A: "1=2", SKEP_TENANT: "other" } }).Env).toEqual([
      "A=1=2",
      "SKEP_TENANT=acme",
      "SKEP_INSTANCE_ID=acme.web.1",
      "SKEP_NODE=node-1",
    ]);
  });

  test("bind one host port per published port on all addresses", () => {
    const options = create({}, [port]);
    expect(options.ExposedPorts).toEqual({ "80/tcp": {} });
    expect(options.HostConfig?.PortBindings).toEqual({ "80/tcp": [{ HostPort: "20001" }] });
  });

  test("keep a volume apart per tenant and deployment", () => {
    const options = create({ volumes: [{ name: "data", target: "/data", readOnly: true }] });
    expect(options.HostConfig?.Mounts).toEqual([
      {
        ...{ Type: "volume", Source: "skep-acme.web.data.1", Target: "/data", ReadOnly: true },
        VolumeOptions: {
          Labels: {
            ...{ "skep.tenant": "acme", "skep.volume-owner": "acme.web" },
            ...{ "skep.volume": "data", "skep.volume-serial": "1" },
          },
        },
      },
    ]);
  });

  test("name another volume for each serial, so that nobody finds the data of an earlier one", () => {
    const container = aContainer({ volumes: [{ name: "data", target: "/data", readOnly: false }] });
    const sources = [1, 2].map(serial => {
      const instance = anInstance({
        spec: aSpec({ containers: [container] }),
        volumes: [{ owner: "acme.web", name: "data", serial }],
      });
      return toCreateOptions({ instance, container, specHash: "h", sandboxId: undefined }, node).HostConfig?.Mounts?.[0]
        ?.Source;
    });
    expect(new Set(sources).size).toBe(2);
    const nameless = anInstance({ spec: aSpec({ containers: [container] }), volumes: [] });
    const make = (): unknown =>
      toCreateOptions({ instance: nameless, container, specHash: "h", sandboxId: undefined }, node);
    expect(refusalOf(make)).toEqual({ code: "permission_denied", field: "volumes" });
  });

  test("let a pod's container join its sandbox, which alone has the address and the ports", () => {
    const container = aContainer();
    const instance = anInstance({ ports: [port] });
    const joined = toCreateOptions({ instance, container, specHash: "h", sandboxId: "ab".repeat(32) }, node);
    expect(joined.HostConfig?.NetworkMode).toBe(`container:${"ab".repeat(32)}`);
    expect(joined.HostConfig?.PortBindings).toBeUndefined();
    expect(joined.Hostname).toBeUndefined();
    const sandbox = toSandboxOptions({ instance, image: "pause", specHash: "h" });
    expect(sandbox.Hostname).toBe("acme-web-1");
    expect(sandbox.HostConfig?.PortBindings).toEqual({ "80/tcp": [{ HostPort: "20001" }] });
    expect(sandbox.Labels?.["skep.ports"]).toBe("app:80/tcp=20001");
  });

  test("let neighbours find it by the name of its deployment, and by that of its service", () => {
    const of = aSpec({ name: "shop-db", project: "shop", service: "db" });
    for (const [spec, Aliases] of [
      [aSpec({ name: "web" }), ["web"]],
      [of, ["shop-db", "db"]],
    ] as const) {
      const options = toCreateOptions(
        { instance: anInstance({ spec }), container: aContainer(), specHash: "h", sandboxId: undefined },
        node,
      );
      expect(options.NetworkingConfig?.EndpointsConfig).toEqual({ "skep-acme": { Aliases } });
    }
  });

  test("hand a command probe to the engine, and switch the image's own off for a probe of the agent's", () => {
    const health = { intervalMs: 1_000, timeoutMs: 500, retries: 2, startPeriodMs: 0 };
    expect(
      create({ health: { ...health, probe: { kind: "docker", test: ["CMD-SHELL", "true"] } } }).Healthcheck,
    ).toEqual({
      Test: ["CMD-SHELL", "true"],
      Interval: 1e9,
      Timeout: 5e8,
      StartPeriod: 0,
      Retries: 2,
    });
    expect(create({ health: { ...health, probe: { kind: "tcp", port: 80 } } }).Healthcheck).toEqual({ Test: ["NONE"] });
    expect(create().Healthcheck).toBeUndefined();
  });
});

describe("what a spec asks for besides", () => {
  test("is given to a container that stands alone", () => {
    const options = create({
      ...{ init: true, hostname: "db", domainname: "example.org", shmBytes: 1 << 27, dropCapabilities: ["KILL"] },
      ulimits: [{ name: "nofile", soft: 1024, hard: 2048 }],
      extraHosts: [{ name: "a", address: "2001:db8::7" }],
      sysctls: { "net.core.somaxconn": "1024" },
      logging: { maxBytes: 1_000_000, maxFiles: 2 },
      tmpfs: [{ target: "/run", sizeBytes: 4096, mode: 0o1770, uid: 1, gid: 2, exec: true }, { target: "/tmp" }],
    });
    expect(options).toMatchObject({ Hostname: "db", Domainname: "example.org" });
    expect(options.HostConfig).toMatchObject({
      ...{ Init: true, ShmSize: 1 << 27, CapDrop: ["NET_RAW", "MKNOD", "AUDIT_WRITE", "SETFCAP", "KILL"] },
      Ulimits: [{ Name: "nofile", Soft: 1024, Hard: 2048 }],
      ExtraHosts: ["a:2001:db8::7"],
      Sysctls: { "net.core.somaxconn": "1024" },
      LogConfig: { Config: { "max-size": "1000000", "max-file": "2" } },
      Tmpfs: { "/run": "size=4096,mode=1770,uid=1,gid=2,exec", "/tmp": "" },
    });
    expect(create({ dropCapabilities: ["ALL"] }).HostConfig?.CapDrop).toEqual(["ALL"]);
    expect(create({ entrypoint: [] }).Entrypoint).toEqual([]);
  });

  test("is given to a pod's sandbox where it belongs to the network, and to its container where not", () => {
    const first = aContainer({ hostname: "h", sysctls: { "net.core.somaxconn": "9" }, init: true });
    const instance = anInstance({ spec: aSpec({ containers: [first, aContainer({ name: "side" })] }) });
    const sandbox = toSandboxOptions({ instance, image: "pause", specHash: "h" });
    expect(sandbox).toMatchObject({ Hostname: "h", HostConfig: { Sysctls: { "net.core.somaxconn": "9" } } });
    expect(sandbox.HostConfig?.Init).toBeUndefined();
    const request = { instance, container: first, specHash: "h", sandboxId: "ab".repeat(32) };
    const joined = toCreateOptions(request, node);
    expect([joined.Hostname, joined.HostConfig?.Sysctls, joined.HostConfig?.Init]).toEqual([
      undefined,
      undefined,
      true,
    ]);
  });

  test("is given to a sandbox on netd's network, whose name nobody knows otherwise", () => {
    const sandbox = (over: Parameters<typeof aContainer>[0]) => {
      const instance = anInstance({ spec: aSpec({ containers: [aContainer(over)] }) });
      return toSandboxOptions({ instance, image: "pause", specHash: "h", network: "netd" });
    };
    const extraHosts = [{ name: "a", address: "192.0.2.7" }];
    expect(sandbox({ hostname: "h", domainname: "d", extraHosts })).toMatchObject({
      ...{ Hostname: "h", Domainname: "d", HostConfig: { NetworkMode: "none", ExtraHosts: ["a:192.0.2.7"] } },
    });
    expect(sandbox({ domainname: "d" })).toMatchObject({ Domainname: "d" });
    expect(sandbox({}).Hostname).toBeUndefined();
  });

  test("leaves the test of a health check to the image, with the times that are said", () => {
    const health = { probe: { kind: "image" }, intervalMs: 1_000, timeoutMs: 0, retries: 0, startPeriodMs: 0 } as const;
    expect(create({ health }).Healthcheck).toEqual({ Interval: 1e9, Timeout: 0, StartPeriod: 0, Retries: 0 });
  });
});

describe("what a spec may not say", () => {
  test.each([
    ["a label that names another instance", "labels", { labels: { "skep.instance": "other.web.1" } }],
    ["a label that poses as a Swarm task", "labels", { labels: { "com.docker.swarm.task.id": "x" } }],
    ["a path of the node as a volume", "mounts", { volumes: [{ name: "/etc", target: "/x", readOnly: false }] }],
    ["a way out of its volumes", "mounts", { volumes: [{ name: "../../etc", target: "/x", readOnly: false }] }],
    ["the engine's socket", "mounts", { volumes: [{ name: "s", target: "/var/run/docker.sock", readOnly: false }] }],
    ["a volume over /proc", "mounts", { volumes: [{ name: "p", target: "/proc", readOnly: false }] }],
    ["a tmpfs over /sys", "tmpfs", { tmpfs: [{ target: "/sys/fs" }] }],
    [
      "no memory limit",
      "resources.memoryBytes",
      { resources: { cpuMillis: 1, memoryBytes: 0, pids: 1, reserveCpuMillis: 0, reserveMemoryBytes: 0 } },
    ],
    [
      "no cpu limit",
      "resources.cpuMillis",
      { resources: { cpuMillis: 0, memoryBytes: 1, pids: 1, reserveCpuMillis: 0, reserveMemoryBytes: 0 } },
    ],
    [
      "no process limit",
      "resources.pids",
      { resources: { cpuMillis: 1, memoryBytes: 1, pids: 0, reserveCpuMillis: 0, reserveMemoryBytes: 0 } },
    ],
  ] as const)("refuses %s", (_, field, over) => {
    expect(refusalOf(() => create(over))).toEqual({ code: "permission_denied", field });
  });

  test.each([
    [70_000, "does not exist"],
    [0, "does not exist"],
    [22, "is the machine's or the platform's"],
    [2377, "is the machine's or the platform's"],
    [4222, "is the machine's or the platform's"],
    [7700, "is the machine's or the platform's"],
  ])("refuses the host port %i, for a container and for a pod's sandbox: it %s", (hostPort, why) => {
    const ports = [{ ...port, hostPort: hostPort as 20_001 }];
    const sandbox = (): unknown => toSandboxOptions({ instance: anInstance({ ports }), image: "pause", specHash: "h" });
    for (const run of [() => create({}, ports), sandbox]) {
      expect(refusalOf(run)).toEqual({ code: "permission_denied", field: "ports" });
      expect(run).toThrow(why);
    }
  });
});

describe("the last look at the finished options", () => {
  test.each([
    ["privileged", { Privileged: true }],
    ["binds", { Binds: ["/:/host"] }],
    ["mounts", { Mounts: [{ Type: "bind", Source: "/", Target: "/host" }] }],
    ["mounts", { Mounts: [{ Type: "volume", Source: "skep-other.web.data", Target: "/data" }] }],
    [
      "mounts",
      {
        Mounts: [
          {
            Type: "volume",
            Source: "skep-acme.web.d",
            Target: "/d",
            VolumeOptions: { DriverConfig: { Name: "local" } },
          },
        ],
      },
    ],
    ["volumesFrom", { VolumesFrom: ["other"] }],
    ["networkMode", { NetworkMode: "host" }],
    ["networkMode", { NetworkMode: "skep-other" }],
    ["networkMode", { NetworkMode: "container:name" }],
    ["pidMode", { PidMode: "host" }],
    ["ipcMode", { IpcMode: "host" }],
    ["utsMode", { UTSMode: "host" }],
    ["usernsMode", { UsernsMode: "host" }],
    ["capAdd", { CapAdd: ["SYS_ADMIN"] }],
    ["devices", { Devices: [{ PathOnHost: "/dev/sda" }] }],
    ["devices", { DeviceRequests: [{ Count: -1 }] }],
    ["devices", { DeviceCgroupRules: ["a *:* rwm"] }],
    ["securityOpt", { SecurityOpt: ["no-new-privileges:true", "seccomp=unconfined"] }],
    ["securityOpt", { SecurityOpt: [] }],
    ["sysctls", { Sysctls: { "net.ipv4.ip_forward": "1" } }],
    ["sysctls", { Sysctls: { "net.core.somaxconn": "x" } }],
    ["capDrop", { CapDrop: ["MKNOD", "AUDIT_WRITE", "SETFCAP"] }],
    ["ulimits", { Ulimits: [{ Name: "rtprio", Soft: 1, Hard: 1 }] }],
    ["ulimits", { Ulimits: [{ Name: "nofile", Soft: 1, Hard: 2_000_000 }] }],
    ["extraHosts", { ExtraHosts: ["a:host-gateway"] }],
    ["shmBytes", { ShmSize: -1 }],
    ["tmpfs", { Tmpfs: { "/run": "size=1m,dev" } }],
    ["logging", { LogConfig: { Type: "syslog", Config: {} } }],
    ["logging", { LogConfig: { Type: "json-file", Config: {} } }],
    ["logging", { LogConfig: { Type: "json-file", Config: { "max-size": "1000000000", "max-file": "3" } } }],
    [
      "logging",
      { LogConfig: { Type: "json-file", Config: { "max-size": "10000", "max-file": "3", "gelf-address": "udp://x" } } },
    ],
    ["cgroupParent", { CgroupParent: "/" }],
    ["runtime", { Runtime: "other" }],
    ["publishAllPorts", { PublishAllPorts: true }],
    ["oomKillDisable", { OomKillDisable: true }],
    ["resources.memoryBytes", { MemorySwap: -1 }],
  ])("denies %s: %o", (field, bad) => {
    const good = create();
    const options = { ...good, HostConfig: { ...good.HostConfig, ...bad } } as ContainerCreateOptions;
    expect(refusalOf(() => refuseUnsafe(good))).toEqual({ code: "accepted", field: undefined });
    expect(refusalOf(() => refuseUnsafe(options))).toEqual({ code: "permission_denied", field });
  });
});
