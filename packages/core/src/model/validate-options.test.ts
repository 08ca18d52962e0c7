import { expect, test } from "vitest";
import { aContainer, aSpec } from "../testing/builders.ts";
import type { ContainerSpec } from "./deployment.ts";
import { validateSpec } from "./validate.ts";

const paths = (over: Partial<ContainerSpec>): string[] =>
  validateSpec(aSpec({ containers: [aContainer(over)] })).map(issue => issue.path);
const many = <T>(count: number, one: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => one(at));
const address = "192.0.2.7";

test.each<Partial<ContainerSpec>>([
  { init: true, hostname: "a".repeat(63), domainname: "my_db.example.org" },
  { shmBytes: 4096, tmpfs: [{ target: "/run", sizeBytes: 4096, mode: 0o7777, uid: 0, gid: 2 ** 31 - 1, exec: true }] },
  { ulimits: [{ name: "nofile", soft: 0, hard: 1_048_576 }] },
  { ulimits: [{ name: "memlock", soft: -1, hard: -1 }] },
  { ulimits: [{ name: "core", soft: 0, hard: -1 }] },
  { extraHosts: [{ name: "db.example", address: "2001:db8::7" }] },
  { dropCapabilities: ["ALL"] },
  { dropCapabilities: ["CHOWN", "KILL"] },
  { sysctls: { "net.ipv4.ip_local_port_range": "1024 65000", "net.core.somaxconn": "4096" } },
  { logging: { maxBytes: 10_000, maxFiles: 20 } },
  { logging: { maxBytes: 100_000_000, maxFiles: 2 } },
  { health: { probe: { kind: "image" }, intervalMs: 0, timeoutMs: 100, retries: 0, startPeriodMs: 0 } },
])("what harms nobody else is fine (%#)", over => {
  expect(paths(over)).toEqual([]);
});

test.each<[string, Partial<ContainerSpec>]>([
  ["hostname", { hostname: "" }],
  ["hostname", { hostname: "-a" }],
  ["hostname", { hostname: "a".repeat(64) }],
  ["domainname", { domainname: "a..b" }],
  ["shmBytes", { shmBytes: 4095 }],
  ["shmBytes", { shmBytes: 2 ** 50 }],
  ["tmpfs[0].sizeBytes", { tmpfs: [{ target: "/run", sizeBytes: 0 }] }],
  ["tmpfs[0].mode", { tmpfs: [{ target: "/run", mode: 0o10000 }] }],
  ["tmpfs[0].uid", { tmpfs: [{ target: "/run", uid: -1 }] }],
  ["tmpfs[0].gid", { tmpfs: [{ target: "/run", gid: 2 ** 31 }] }],
  ["ulimits[0]", { ulimits: [{ name: "nofile", soft: 1, hard: 1_048_577 }] }],
  ["ulimits[0]", { ulimits: [{ name: "nofile", soft: 1, hard: -1 }] }],
  ["ulimits[0]", { ulimits: [{ name: "nproc", soft: 2, hard: 1 }] }],
  ["ulimits[0]", { ulimits: [{ name: "core", soft: -1, hard: 1 }] }],
  ["ulimits[0]", { ulimits: [{ name: "rtprio", soft: 1, hard: 1 }] }],
  ["ulimits[0]", { ulimits: [{ name: "constructor", soft: 1, hard: 1 }] }],
  ["ulimits[1]", { ulimits: many(2, () => ({ name: "core", soft: 0, hard: 0 })) }],
  ["extraHosts[0].name", { extraHosts: [{ name: "a b", address }] }],
  ["extraHosts[0].address", { extraHosts: [{ name: "a", address: "host-gateway" }] }],
  ["extraHosts[0].address", { extraHosts: [{ name: "a", address: "192.0.2.7 evil" }] }],
  ["extraHosts", { extraHosts: many(65, at => ({ name: `a${at}`, address })) }],
  ["dropCapabilities[0]", { dropCapabilities: ["CAP_CHOWN"] }],
  ['sysctls["kernel.shmmax"]', { sysctls: { "kernel.shmmax": "1" } }],
  ['sysctls["net.ipv4.ip_forward"]', { sysctls: { "net.ipv4.ip_forward": "1" } }],
  ['sysctls["net.core.somaxconn"]', { sysctls: { "net.core.somaxconn": "1;2" } }],
  ["logging.maxBytes", { logging: { maxBytes: 9_999, maxFiles: 1 } }],
  ["logging.maxFiles", { logging: { maxBytes: 10_000, maxFiles: 0 } }],
  ["logging", { logging: { maxBytes: 100_000_000, maxFiles: 3 } }],
  [
    "health.timeoutMs",
    { health: { probe: { kind: "image" }, intervalMs: 0, timeoutMs: 50, retries: 0, startPeriodMs: 0 } },
  ],
])("a container's %s is refused (%#)", (path, over) => {
  expect(paths(over)).toEqual([`containers[0].${path}`]);
});

test("what belongs to the network is said by a pod's first container alone", () => {
  const network = {
    hostname: "h",
    domainname: "d",
    extraHosts: [{ name: "a", address }],
    sysctls: { "net.core.somaxconn": "1" },
  };
  const pod = (first: Partial<ContainerSpec>, second: Partial<ContainerSpec>): string[] =>
    validateSpec(aSpec({ containers: [aContainer(first), aContainer({ name: "side", ...second })] })).map(
      issue => issue.path,
    );
  expect(pod(network, { init: true })).toEqual([]);
  expect(pod({}, network)).toEqual(Object.keys(network).map(key => `containers[1].${key}`));
});
