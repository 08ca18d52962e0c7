import { describe, expect, it } from "vitest";
import { compose, noted, notes, refusals, web } from "../testing/compose.ts";

type Spec = ReturnType<typeof compose>["deployments"][number];

function read(text: string): Spec {
  const { deployments, issues } = compose(text);
  expect(issues).toEqual([]);
  return deployments[0] as Spec;
}

const container = (...lines: readonly string[]) => read(web(...lines)).containers[0];

describe("what the kernel and the engine give a container", () => {
  it.each([
    ["init: true", { init: true }],
    ["hostname: db-1.example", { hostname: "db-1.example" }],
    ["domainname: example.org", { domainname: "example.org" }],
    ["shm_size: 256m", { shmBytes: 256 * 1024 ** 2 }],
    ["shm_size: 268435456", { shmBytes: 256 * 1024 ** 2 }],
    ["ulimits: { nofile: 65535 }", { ulimits: [{ name: "nofile", soft: 65_535, hard: 65_535 }] }],
    ["ulimits: { memlock: { soft: -1, hard: -1 } }", { ulimits: [{ name: "memlock", soft: -1, hard: -1 }] }],
    ["extra_hosts: ['a:192.0.2.7']", { extraHosts: [{ name: "a", address: "192.0.2.7" }] }],
    ["extra_hosts: ['a=2001:db8::7']", { extraHosts: [{ name: "a", address: "2001:db8::7" }] }],
    ["extra_hosts: { a: '[::1]' }", { extraHosts: [{ name: "a", address: "::1" }] }],
    ["sysctls: { net.core.somaxconn: 1024 }", { sysctls: { "net.core.somaxconn": "1024" } }],
    ["sysctls: ['net.ipv4.tcp_syncookies=0']", { sysctls: { "net.ipv4.tcp_syncookies": "0" } }],
    ["cap_drop: [ALL]", { dropCapabilities: ["ALL"] }],
    ["cap_drop: [CAP_KILL, net_raw]", { dropCapabilities: ["KILL"] }],
    ["logging: { options: { max-size: 200k, max-file: '5' } }", { logging: { maxBytes: 200_000, maxFiles: 5 } }],
    ["logging: { driver: local, options: { max-size: 1m } }", { logging: { maxBytes: 1_000_000, maxFiles: 3 } }],
    ["logging: { options: { max-file: 1 } }", { logging: { maxBytes: 10_000_000, maxFiles: 1 } }],
  ])("is what the file says: %s", (line, wanted) => {
    expect(container(line)).toMatchObject(wanted);
    expect(noted(web(line))).toEqual([]);
  });

  it("is absent where the file says nothing, or the default", () => {
    const plain = JSON.stringify(container());
    for (const line of ["init: false", "shm_size: 0", "cap_drop: [NET_RAW]", "logging: { driver: json-file }"])
      expect(JSON.stringify(container(line))).toBe(plain);
  });

  it("lacks all capabilities but those that are added back", () => {
    expect(container("cap_drop: [ALL]", "cap_add: [NET_BIND_SERVICE, CAP_CHOWN]")?.dropCapabilities).toEqual([
      ...["DAC_OVERRIDE", "FSETID", "FOWNER", "SETGID", "SETUID", "SETPCAP", "SYS_CHROOT", "KILL"],
    ]);
    expect(refusals(web("cap_drop: [ALL]", "cap_add: [NET_RAW]"))).toEqual([
      expect.stringMatching(/^c\.yaml:5:15: .*`NET_RAW` would weaken the wall/),
    ]);
  });

  it.each([
    ["hostname: '-x'", "4:5", "is no host name"],
    ["hostname: '{{.Node.Hostname}}'", "4:5", "is no host name"],
    ["shm_size: 1k", "4:5", "out of range"],
    ["ulimits: { rtprio: 99 }", "4:16", "the limit `rtprio` cannot be set. Use nofile"],
    ["ulimits: { nofile: -1 }", "4:24", "is not a whole number from 0 to 1048576"],
    ["ulimits: { nofile: { soft: 9, hard: 8 } }", "4:24", "above the hard one"],
    ["ulimits: { nofile: { soft: 9 } }", "4:24", "has no `hard`"],
    ["ulimits: 5", "4:14", "where limits belong"],
    ["extra_hosts: ['host.docker.internal:host-gateway']", "4:19", "leads to the node itself"],
    ["extra_hosts: ['a:b']", "4:19", '"b" is no address'],
    ["extra_hosts: [a]", "4:19", "gives no address to a name"],
    ["sysctls: { net.ipv4.ip_forward: 1 }", "4:16", "this kernel parameter cannot be set"],
    ["sysctls: ['net.core.somaxconn=many']", "4:15", "no value of it"],
    ["cap_drop: [EVERYTHING]", "4:16", "is none that Linux knows"],
    ["logging: { driver: gelf }", "4:24", "the output is not sent to `gelf`"],
    ["logging: { options: { max-size: much } }", "4:37", "not an amount of output"],
    ["platform: windows/amd64", "4:15", "no node has the platform"],
    ["platform: linux/vax", "4:15", "no node has the platform"],
  ])("is refused at its line where it may not be: %s", (line, place, words) => {
    expect(refusals(web(line))).toEqual([expect.stringContaining(`c.yaml:${place}: `)]);
    expect(refusals(web(line))[0]).toContain(words);
  });

  it("is bounded, and the note says how", () => {
    expect(container("logging: { options: { max-size: 1g, max-file: 10 } }")?.logging).toEqual({
      maxBytes: 100_000_000,
      maxFiles: 2,
    });
    expect(noted(web("logging: { options: { max-size: 1g } }"))).toEqual([
      expect.stringMatching(/^c\.yaml:4:27: .*keeps 2 files of 100000000 bytes/),
    ]);
    expect(noted(web("logging: { driver: none, options: { tag: x } }"))).toHaveLength(2);
  });

  it("says where its memory is less than what it may hold in files", () => {
    const note = /^c\.yaml:2:3: .*`web` may hold 1024 MiB in \/dev\/shm and its tmpfs, and its memory is 512 MiB/;
    expect(notes(web("shm_size: 512m", "tmpfs: ['/run:size=512m']"))).toContainEqual(expect.stringMatching(note));
    expect(notes(web("shm_size: 1g", "mem_limit: 1g")).join()).not.toContain("/dev/shm");
  });

  it("belongs to the first service of a pod where it belongs to the network", () => {
    const side = "  side: { image: b, network_mode: 'service:web', hostname: x, sysctls: { net.core.somaxconn: 1 } }\n";
    expect(refusals(`${web("hostname: h")}${side}`)).toEqual([
      expect.stringMatching(/^c\.yaml:5:\d+: .*hostname: this belongs to the whole pod/),
      expect.stringMatching(/^c\.yaml:5:\d+: .*sysctls: this belongs to the whole pod/),
    ]);
  });
});

describe("a platform", () => {
  it.each([
    ["linux/amd64", ["node.platform.os == linux", "node.platform.arch == amd64"]],
    ["linux/arm64/v8", ["node.platform.os == linux", "node.platform.arch == arm64"]],
    ["linux/arm/v7", ["node.platform.os == linux", "node.platform.arch == armv7l"]],
    ["amd64", ["node.platform.os == linux", "node.platform.arch == amd64"]],
    ["linux", ["node.platform.os == linux"]],
  ])("says which nodes it means: %s", (platform, constraints) => {
    expect(read(web(`platform: ${platform}`)).placement.constraints).toEqual(constraints);
  });

  it("stands beside the constraints of the file, and is one for a pod", () => {
    const placement = "deploy: { placement: { constraints: [node.role == worker] } }";
    const side = "  side: { image: b, network_mode: 'service:web', platform: linux/amd64 }\n";
    expect(read(`${web("platform: linux/amd64", placement)}${side}`).placement.constraints).toEqual([
      "node.role == worker",
      "node.platform.os == linux",
      "node.platform.arch == amd64",
    ]);
  });
});

describe("a tmpfs", () => {
  it.each([
    "tmpfs: '/run:size=64m,mode=1777'",
    "tmpfs: ['/run:rw,noexec,nosuid,size=67108864,mode=01777']",
    "volumes: [{ type: tmpfs, target: /run, tmpfs: { size: 64m, mode: 01777 } }]",
    "volumes: [{ type: tmpfs, target: /run, tmpfs: { size: 67108864, mode: 0o1777 } }]",
  ])("has the size and the mode of the file: %s", line => {
    expect(container(line)?.tmpfs).toEqual([{ target: "/run", sizeBytes: 64 * 1024 ** 2, mode: 0o1777 }]);
    expect(noted(web(line))).toEqual([]);
  });

  it("may belong to somebody, and start programs", () => {
    expect(container("tmpfs: ['/run:uid=1000,gid=100,exec', '/tmp:size=0']")?.tmpfs).toEqual([
      { target: "/run", uid: 1000, gid: 100, exec: true },
      { target: "/tmp" },
    ]);
  });

  it.each([
    ["tmpfs: ['/run:ro']", "the option `ro` of a tmpfs"],
    ["tmpfs: ['/run:size=50%']", "not an amount of memory"],
    ["tmpfs: ['/run:size=1k']", "no size of a tmpfs"],
    ["tmpfs: ['/run:mode=9']", "no mode of a directory"],
    ["tmpfs: ['/run:mode=77777']", "no mode of a directory"],
    ["tmpfs: ['/run:uid=x']", "not a whole number"],
    ["volumes: [{ type: tmpfs, target: run }]", "no path of a tmpfs"],
    ["volumes: [{ type: tmpfs, target: /run, tmpfs: { sise: 1m } }]", "Did you mean `size`"],
  ])("is refused at its line: %s", (line, words) => {
    expect(refusals(web(line))).toEqual([expect.stringMatching(/^c\.yaml:4:\d+: /)]);
    expect(refusals(web(line))[0]).toContain(words);
  });
});
