import fc from "fast-check";
import { expect, test } from "vitest";
import { aContainer, aSpec } from "../testing/builders.ts";
import type { ContainerSpec, DeploymentSpec, NetworkMembership } from "./deployment.ts";
import { DEFAULT_RESOURCES } from "./resources.ts";
import { validateSpec } from "./validate.ts";

const HEALTH = { intervalMs: 1000, timeoutMs: 1000, retries: 3, startPeriodMs: 0 };

function paths(spec: DeploymentSpec): string[] {
  return validateSpec(spec).map(issue => issue.path);
}

test("a plain spec is fine", () => {
  expect(validateSpec(aSpec())).toEqual([]);
});

test("a service of a project is fine under both names", () => {
  expect(validateSpec(aSpec({ name: "shop-web", project: "shop", service: "web" }))).toEqual([]);
});

test.each<[string, Parameters<typeof aSpec>[0]]>([
  ["name", { name: "Web" }],
  ["name", { name: "../web" }],
  ["name", { name: "w".repeat(41) }],
  ["project", { name: "my_shop-web", project: "my_shop", service: "web" }],
  ["service", { name: "shop-web_1", project: "shop", service: "web_1" }],
  ["service", { name: "shop-web", project: "shop" }],
  ["project", { name: "shop-web", service: "web" }],
  ["name", { name: "web", project: "shop", service: "web" }],
  ["replicas", { replicas: -1 }],
  ["replicas", { replicas: 1.5 }],
  ["replicas", { replicas: 10_001 }],
  ["stopGraceMs", { stopGraceMs: -1 }],
  ["containers", { containers: [] }],
  ["placement.constraints[0]", { placement: { constraints: ["node.labels.x = y"] } }],
  ["placement.maxPerNode", { placement: { maxPerNode: 0 } }],
  ["placement.antiAffinity[0]", { placement: { antiAffinity: ["web"] } }],
  ["restart.delayMs", { restart: { delayMs: 499 } }],
  ["restart.maxDelayMs", { restart: { maxDelayMs: 9_999 } }],
  ["update.parallelism", { update: { parallelism: -1 } }],
  ["containers[1].name", { containers: [aContainer(), aContainer()] }],
])("%s is refused", (path, over) => {
  expect(paths(aSpec(over))).toContain(path);
});

const network: NetworkMembership = { name: "back", aliases: [], isInternal: false };

test("networks and the names in them are fine as hosts have them", () => {
  const aliases = ["db", "My_Db", "db.internal", "a".repeat(63)];
  expect(validateSpec(aSpec({ networks: [{ ...network, name: "Shop_back.2", aliases }] }))).toEqual([]);
});

test.each<[string, readonly NetworkMembership[]]>([
  ["networks", Array.from({ length: 9 }, (_, at) => ({ ...network, name: `n${at}` }))],
  ["networks[0].name", [{ ...network, name: "-back" }]],
  ["networks[0].name", [{ ...network, name: "a b" }]],
  ["networks[0].name", [{ ...network, name: "n".repeat(81) }]],
  ["networks[1].name", [network, network]],
  ["networks[0].aliases", [{ ...network, aliases: Array.from({ length: 17 }, (_, at) => `a${at}`) }]],
  ...["", "a b", "-a", "a..b", "a.", "db.acme.skep", "DB.Acme.SKEP", "a".repeat(64), "a.".repeat(60) + "b"].map(
    (alias): [string, readonly NetworkMembership[]] => ["networks[0].aliases[0]", [{ ...network, aliases: [alias] }]],
  ),
])("%s of %j is refused", (path, networks) => {
  expect(paths(aSpec({ networks }))).toContain(path);
});

test.each<[string, Partial<ContainerSpec>]>([
  ["name", { name: "a/b" }],
  ["image", { image: "" }],
  ["image", { image: "UPPER" }],
  ["image", { image: "a:b:c" }],
  ["image", { image: "../a" }],
  ["user", { user: "root; rm" }],
  ["stopSignal", { stopSignal: "kill" }],
  ["workingDir", { workingDir: "app" }],
  ['env["A B"]', { env: { "A B": "c" } }],
  ['env["1A"]', { env: { "1A": "c" } }],
  ['env["__proto__"]', { env: JSON.parse('{"__proto__":"c"}') as Record<string, string> }],
  ['labels["__proto__"]', { labels: JSON.parse('{"__proto__":"c"}') as Record<string, string> }],
  ["env", { env: { A: "x".repeat(300_000) } }],
  ["ports[0].containerPort", { ports: [{ containerPort: 0, protocol: "tcp", hostPort: undefined }] }],
  ["ports[0].hostPort", { ports: [{ containerPort: 80, protocol: "tcp", hostPort: 70_000 }] }],
  ["volumes[0].name", { volumes: [{ name: "/etc", target: "/data", readOnly: false }] }],
  ["volumes[0].name", { volumes: [{ name: "..", target: "/data", readOnly: false }] }],
  ["volumes[0].target", { volumes: [{ name: "data", target: "/a/../b", readOnly: false }] }],
  ["volumes[0].target", { volumes: [{ name: "data", target: "data", readOnly: false }] }],
  ["volumes[0].target", { volumes: [{ name: "data", target: "/var/run/docker.sock", readOnly: false }] }],
  ["volumes[0].target", { volumes: [{ name: "data", target: "/./proc", readOnly: false }] }],
  ["volumes[0].target", { volumes: [{ name: "data", target: "/proc/sys", readOnly: false }] }],
  ["tmpfs[0].target", { tmpfs: [{ target: "//dev/shm" }] }],
  ["tmpfs[0].target", { tmpfs: [{ target: "//" }] }],
  ["tmpfs[1].target", { tmpfs: [{ target: "/tmp" }, { target: "/tmp" }] }],
  ["tmpfs[1].target", { tmpfs: [{ target: "/tmp" }, { target: "/tmp/" }] }],
  ["tmpfs[1].target", { tmpfs: [{ target: "/tmp/a" }, { target: "//tmp//a" }] }],
  ["tmpfs[0].target", { tmpfs: [{ target: "/data/" }], volumes: [{ name: "data", target: "/data", readOnly: false }] }],
  ["image", { image: "a".repeat(64) }],
  ["image", { image: `sha256:${"a".repeat(64)}` }],
  ["user", { user: "-1" }],
  ["user", { user: "0:2147483648" }],
  ["user", { user: "a:b:c" }],
  ["stopSignal", { stopSignal: "0" }],
  ["stopSignal", { stopSignal: "65" }],
  ["stopSignal", { stopSignal: "SIGFOO" }],
  ["stopSignal", { stopSignal: "SIGRTMIN+16" }],
  ['env["A"]', { env: { A: "x".repeat(128 * 1024 - 2) } }],
  ['env["A"]', { env: { A: "\u6f22".repeat(44_000) } }],
  ["command", { command: ["x".repeat(128 * 1024)] }],
  ["entrypoint", { entrypoint: ["sh", "\u{10348}".repeat(32 * 1024)] }],
  ['labels["skep.tenant"]', { labels: { "skep.tenant": "other" } }],
  ['labels["com.docker.swarm.task.id"]', { labels: { "com.docker.swarm.task.id": "x" } }],
  ["resources.memoryBytes", { resources: { ...DEFAULT_RESOURCES, memoryBytes: 1024 } }],
  ["resources.reserveCpuMillis", { resources: { ...DEFAULT_RESOURCES, reserveCpuMillis: 2000 } }],
  ["health.retries", { health: { ...HEALTH, retries: 0, probe: { kind: "docker", test: ["CMD", "true"] } } }],
  ["health.probe.test", { health: { ...HEALTH, probe: { kind: "docker", test: ["true"] } } }],
  ["health.probe.port", { health: { ...HEALTH, probe: { kind: "tcp", port: 80 } } }],
  ["health.probe.path", { health: { ...HEALTH, probe: { kind: "http", port: 80, path: "up" } } }],
  ["health.probe.path", { health: { ...HEALTH, probe: { kind: "http", port: 80, path: "/a b" } } }],
  ["health.probe.path", { health: { ...HEALTH, probe: { kind: "http", port: 80, path: "/\u65e5" } } }],
])("a container's %s is refused", (path, over) => {
  expect(paths(aSpec({ containers: [aContainer(over)] }))).toContain(`containers[0].${path}`);
});

test.each([
  "nginx",
  "nginx:1.27-alpine",
  "library/nginx",
  "registry.example.com:5000/team/app:v1.2",
  "127.0.0.1:5000/a/b",
  "localhost/app",
  `nginx@sha256:${"a".repeat(64)}`,
])("the image %s is fine", image => {
  expect(paths(aSpec({ containers: [aContainer({ image })] }))).toEqual([]);
});

test.each<Partial<ContainerSpec>>([
  { env: { A: "\u6f22".repeat(43_689) } },
  { command: ["\u{10348}".repeat(32 * 1024 - 1)] },
  { stopSignal: "SIGTERM" },
  { stopSignal: "USR1" },
  { stopSignal: "64" },
  { stopSignal: "SIGRTMAX-14" },
  { user: "2147483647:www-data" },
  { tmpfs: [{ target: "/tmp" }, { target: "/tmp/a" }] },
])("what engines and the kernel take is fine (%#)", over => {
  expect(paths(aSpec({ containers: [aContainer(over)] }))).toEqual([]);
});

test("containers of a pod may not share a port, and a probe may use a port of any of them", () => {
  const ports = [{ containerPort: 80, protocol: "tcp" as const, hostPort: 8080 }];
  const side = aContainer({ name: "side", health: { ...HEALTH, probe: { kind: "http", port: 80, path: "/" } } });
  expect(paths(aSpec({ containers: [aContainer({ ports }), side] }))).toEqual([]);
  expect(paths(aSpec({ containers: [aContainer({ ports }), { ...side, ports }] }))).toEqual([
    "containers[1].ports[0]",
    "containers[1].ports[0].hostPort",
  ]);
});

test("it never throws, whatever the texts are", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (name, image, text) => {
      const container = aContainer({
        name,
        image,
        env: { [text]: text },
        labels: { [text]: name },
        user: text,
        tmpfs: [{ target: text }],
      });
      for (const { path, problem, advice } of validateSpec(
        aSpec({ name: text, containers: [container], placement: { constraints: [text] } }),
      )) {
        expect([path, problem, advice]).not.toContain("");
      }
    }),
  );
});
