import { describe, expect, it } from "vitest";
import type { Composed } from "./parse.ts";
import { compose, noted, notes, refusals, web } from "../testing/compose.ts";

function container(text: string): Composed["deployments"][number]["containers"][number] {
  const { deployments, issues } = compose(text);
  expect(issues).toEqual([]);
  return deployments[0]?.containers[0] as Composed["deployments"][number]["containers"][number];
}
describe("the program", () => {
  it.each([
    ["entrypoint: ''", "command: run --now", ["run", "--now"]],
    ["entrypoint: []", "command: [sh]", ["sh"]],
    ["entrypoint: ['']", "command: [sh]", ["sh"]],
  ])("is the command where the image's entrypoint is cleared: %s", (entrypoint, command, words) => {
    expect(container(web(entrypoint, command))).toMatchObject({ entrypoint: [], command: words });
    expect(noted(web(entrypoint, command))).toEqual([]);
  });

  it("is the image's command where nothing else is left, and noted there and where an empty command leaves it", () => {
    expect(container(web("entrypoint: ''"))).toMatchObject({ entrypoint: [], command: undefined });
    for (const more of [[], ["command: []"]])
      expect(noted(web("entrypoint: ''", ...more))).toEqual([
        expect.stringMatching(/^c\.yaml:4:17: .*its own command is the program/),
      ]);
    expect(noted(web("command: ''"))).toEqual([expect.stringMatching(/^c\.yaml:4:14: .*leaves the image's own/)]);
    expect(noted(web("entrypoint: [a]", "command: []"))).toEqual([]);
  });
});

describe("a health check", () => {
  it("is the image's own without a test, at the times of the file", () => {
    expect(container(web("healthcheck: { disable: false }")).health).toBeUndefined();
    const image = { probe: { kind: "image" }, timeoutMs: 0, retries: 0, startPeriodMs: 0 };
    for (const rest of ["", ", test: []", ", test:", ", disable: false"]) {
      const text = web(`healthcheck: { interval: 10s${rest} }`);
      expect(container(text).health).toEqual({ ...image, intervalMs: 10_000 });
      expect(noted(text)).toEqual([]);
    }
    expect(container(web("healthcheck: { interval: 10s, disable: true }")).health?.probe).toEqual({
      kind: "docker",
      test: ["NONE"],
    });
  });

  it("may have words after a shell's command, which the shell does not run", () => {
    const text = web("healthcheck: { test: [CMD-SHELL, pg_isready, -d, x] }");
    expect(container(text).health?.probe).toEqual({ kind: "docker", test: ["CMD-SHELL", "pg_isready", "-d", "x"] });
    expect(noted(text)).toEqual([expect.stringMatching(/^c\.yaml:4:26: .*only `pg_isready` is run/)]);
  });

  it("is asked as often as the platform itself lets it, and 0 is Docker's default", () => {
    const check = (rest: string): string => web(`healthcheck: { test: [CMD, x], ${rest} }`);
    expect(container(check("retries: 1000, interval: 100ms, timeout: 24h")).health).toMatchObject({
      retries: 1000,
      intervalMs: 100,
      timeoutMs: 86_400_000,
    });
    expect(container(check("retries: 0, interval: 0, timeout: 0s")).health).toMatchObject({
      retries: 3,
      intervalMs: 30_000,
      timeoutMs: 30_000,
    });
    expect(refusals(check("timeout: 50ms, retries: 1001, interval: 25h, start_period: 1500m"))).toEqual([
      expect.stringMatching(/^c\.yaml:4:45: .*`50ms` is too short\. Write at least 100ms/),
      expect.stringMatching(/^c\.yaml:4:60: .*`1001` is not a whole number from 0 to 1000/),
      expect.stringMatching(/^c\.yaml:4:76: .*`25h` is too long\. Write at most 24h/),
      expect.stringMatching(/^c\.yaml:4:95: .*`1500m` is too long/),
    ]);
  });
});

describe("ports", () => {
  it("take the address of all interfaces for none, and no other", () => {
    expect(container(web("ports: ['0.0.0.0:8080:80', { target: 81, host_ip: 0.0.0.0 }]")).ports).toMatchObject([
      { containerPort: 80, hostPort: 8080 },
      { containerPort: 81 },
    ]);
    expect(refusals(web("ports: ['127.0.0.1:8080:80']"))).toHaveLength(1);
  });

  it("are as many as the server takes, at the line of the range", () => {
    expect(container(web("ports: ['10000-10063:10000-10063']")).ports).toHaveLength(64);
    for (const range of ["10000-10064:10000-10064", "20000-29999"])
      expect(refusals(web(`ports: ['${range}']`))).toEqual([
        expect.stringMatching(/^c\.yaml:4:13: .*a container publishes at most 64/),
      ]);
    expect(refusals(web("ports: ['10000-10040', '20000-20040']"))).toEqual([
      expect.stringMatching(/^c\.yaml:4:5: .*publishes 82 ports/),
    ]);
    expect(refusals(web("ports: ['8000-8010:80']"))).toEqual([
      expect.stringContaining("cannot be chosen out of a range"),
    ]);
  });

  it("say where Swarm's mesh is missed", () => {
    const ports = "ports: ['8080:80', { target: 81, published: 8081, mode: host }]";
    expect(noted(web(ports, "deploy: { replicas: 2 }"))).toEqual([
      expect.stringMatching(/^c\.yaml:4:13: .*no mesh leads to this port/),
    ]);
    expect(noted(web(ports))).toEqual([]);
    expect(noted(web("ports: [{ target: 80, published: 8080, mode: ingress }]"))).toHaveLength(1);
  });

  it("say what start-first means beside a port of the node, and a volume", () => {
    const first = "deploy: { update_config: { order: start-first } }";
    expect(noted(web("ports: ['8080:80']", first))).toEqual([
      expect.stringMatching(/^c\.yaml:5:39: .*both need port 8080 of it/),
    ]);
    expect(noted(`${web("volumes: ['d:/d']", first)}volumes: { d: }\n`)).toEqual([
      expect.stringMatching(/^c\.yaml:5:39: .*the old one is stopped first/),
    ]);
    expect(noted(web("ports: ['80']", first))).toEqual([]);
  });
});

describe("limits", () => {
  it("are the platform's where none is written, which is said once", () => {
    const text =
      "services:\n  a: { image: a }\n  b: { image: a, mem_limit: 1g }\n  c: { image: a, cpus: 2, mem_limit: 1g, pids_limit: 5 }\n";
    expect(notes(text)).toEqual([
      expect.stringMatching(/^c\.yaml:2:3: .*512 MiB of memory \(a\), 1 core \(a, b\), 512 processes \(a, b\)/),
    ]);
    expect(notes("services:\n  c: { image: a, cpus: 2, mem_limit: 1g, pids_limit: 5 }\n")).toEqual([]);
  });

  it("are lifted by a larger reservation, unless the file says them", () => {
    const reserved = "reservations: { memory: 1G, cpus: 2 }";
    expect(container(web(`deploy: { resources: { ${reserved} } }`)).resources).toMatchObject({
      memoryBytes: 1024 ** 3,
      cpuMillis: 2000,
    });
    expect(container(web("mem_reservation: 1g")).resources).toMatchObject({ memoryBytes: 1024 ** 3, cpuMillis: 1000 });
    expect(refusals(web(`deploy: { resources: { limits: { memory: 512M, cpus: 2 }, ${reserved} } }`))).toEqual([
      expect.stringMatching(/^c\.yaml:4:\d+: .*more memory is reserved than the limit allows/),
    ]);
  });

  it.each([
    "mem_limit: 0",
    "mem_limit: 0b",
    "cpus: 0.0",
    "pids_limit: -1",
    "pids_limit: 0",
    "deploy: { resources: { limits: { memory: 0 } } }",
  ])("cannot be nothing at all: %s", line =>
    expect(refusals(web(line))).toEqual([expect.stringContaining("asks for no limit")]),
  );

  it("reserve nothing where 0 is reserved", () => {
    const zero = "deploy: { resources: { reservations: { memory: 0, cpus: '0' } } }";
    expect(container(web(zero)).resources).toMatchObject({ reserveMemoryBytes: 0, reserveCpuMillis: 0 });
  });

  it("are those of the server", () => {
    expect(container(web("cpus: 0.01", "mem_limit: 6m")).resources).toMatchObject({ cpuMillis: 10 });
    expect(refusals(web("cpus: 0.005", "mem_limit: 5m"))).toEqual([
      expect.stringMatching(/^c\.yaml:4:11: .*cores are out of range\. Write a number from 0\.01 to 1024/),
      expect.stringMatching(/^c\.yaml:5:5: .*out of range/),
    ]);
  });
});

describe("what a container has anyway", () => {
  it.each([
    "security_opt: ['no-new-privileges:true']",
    "security_opt: [no-new-privileges]",
    "cap_drop: [NET_RAW, CAP_MKNOD, SYS_ADMIN]",
    "cap_add: [CHOWN, NET_BIND_SERVICE]",
    "privileged: false",
    "init: false",
    "tty: false",
    "devices: []",
  ])("is taken without a word: %s", line => {
    expect([refusals(web(line)), noted(web(line))]).toEqual([[], []]);
  });

  it.each(["security_opt: ['no-new-privileges:false']", "cap_add: [NET_RAW]", "cap_add: [SYS_ADMIN]"])(
    "is all: %s",
    line => {
      expect(refusals(web(line))).toEqual([expect.stringMatching(/^c\.yaml:4:\d+: /)]);
    },
  );
});

describe("keys", () => {
  it("that build are noted beside an image", () => {
    expect(noted(web("build: ."))).toEqual([expect.stringMatching(/^c\.yaml:4:5: .*`build` has no effect/)]);
    expect(refusals("services:\n  web: { build: . }\n")).toEqual([
      expect.stringContaining("images are not built here"),
    ]);
  });

  it.each([
    ["labels: { com.docker.lb.port: 80 }", "belongs to the platform"],
    ["labels: ['skep.tenant=other']", "belongs to the platform"],
    ["cpu_quota: 5000", "Write `cpus: 0.5`"],
  ])("that cannot be honoured yet are refused with the way: %s", (line, words) => {
    expect(refusals(web(line))).toEqual([expect.stringMatching(/^c\.yaml:4:\d+: /)]);
    expect(refusals(web(line))[0]).toContain(words);
  });

  it.each(["stdin_open: true", "memswap_limit: 1g", "cpu_shares: 5"])("without effect are noted: %s", line =>
    expect(noted(web(line))).toEqual([expect.stringMatching(/^c\.yaml:4:5: .*has no effect/)]),
  );
});

describe("what stands there", () => {
  it.each([
    ["mem_limit: 1g", "deploy: { resources: { limits: { memory: 2g } } }"],
    ["cpus: 1", "deploy: { resources: { limits: { cpus: 2 } } }"],
    ["pids_limit: 5", "deploy: { resources: { limits: { pids: 6 } } }"],
    ["mem_reservation: 1g", "deploy: { resources: { reservations: { memory: 2g } } }"],
    ["scale: 2", "deploy: { replicas: 3 }"],
  ])("twice has to be the same: %s, %s", (one, other) => {
    expect(refusals(web(one, other))).toEqual([
      expect.stringMatching(/^c\.yaml:5:\d+: .*says this twice, and not the same/),
    ]);
    expect(refusals(web(one, other.replace(/2g/, "1g").replace(/[236] }/, `${one.at(-1)} }`)))).toEqual([]);
  });

  it("empty is not there", () => {
    const keys = [
      "ports",
      "volumes",
      "environment",
      "env_file",
      "labels",
      "deploy",
      "healthcheck",
      "depends_on",
      "tmpfs",
    ];
    expect(refusals(web(...keys.map(key => `${key}:`)))).toEqual([]);
    expect(refusals("services:\n  web: { image: }\n")).toHaveLength(1);
    expect(refusals(web("imagee:"))).toEqual([expect.stringContaining("Did you mean `image`?")]);
  });

  it("wrong is said once, by whoever reads it first", () => {
    expect(
      refusals(web("stop_grace_period: 11m", "deploy: { placement: { max_replicas_per_node: -1 } }")),
    ).toHaveLength(2);
    expect(refusals("services:\n  web: { image: a b }\n")).toEqual([expect.stringContaining("no blanks")]);
  });

  it("in small letters is a signal too, and no bound where it is 0", () => {
    expect(container(web("stop_signal: sigint")).stopSignal).toBe("SIGINT");
    expect(compose(web("restart: on-failure:0")).deployments[0]?.restart.maxAttempts).toBeUndefined();
  });
});
