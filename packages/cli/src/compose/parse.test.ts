import { describe, expect, it } from "vitest";
import { compose as read } from "../testing/compose.ts";
import type { Composed } from "./parse.ts";
import { formatIssue } from "./problems.ts";

function compose(text: string, env: Record<string, string> = {}, files: Record<string, string> = {}): Composed {
  return read(text, { env, files });
}

/** A service `web` with an image and these lines below it, each indented by four blanks. */
function service(...lines: string[]): Composed {
  return compose(["services:", "  web:", "    image: nginx", ...lines.map(line => `    ${line}`)].join("\n"));
}

function only(composed: Composed): Composed["deployments"][number] {
  expect(composed.issues.map(formatIssue)).toEqual([]);
  expect(composed.deployments).toHaveLength(1);
  return composed.deployments[0] as Composed["deployments"][number];
}

function container(composed: Composed): Composed["deployments"][number]["containers"][number] {
  return only(composed).containers[0] as Composed["deployments"][number]["containers"][number];
}

describe("a Compose file", () => {
  it("becomes one deployment per service, with every default said", () => {
    const composed = compose("services:\n  web:\n    image: nginx:1.27\n  db:\n    image: postgres:15\n");
    expect(composed.issues).toEqual([]);
    expect(composed.deployments.map(({ name }) => name)).toEqual(["app-web", "app-db"]);
    expect(composed.deployments[0]).toEqual({
      name: "app-web",
      project: "app",
      service: "web",
      replicas: 1,
      containers: [
        {
          name: "web",
          image: "nginx:1.27",
          entrypoint: undefined,
          command: undefined,
          env: {},
          labels: {},
          workingDir: undefined,
          user: undefined,
          readOnly: false,
          stopSignal: undefined,
          ports: [],
          volumes: [],
          tmpfs: [],
          resources: {
            cpuMillis: 1000,
            memoryBytes: 512 * 1024 * 1024,
            pids: 512,
            reserveCpuMillis: 0,
            reserveMemoryBytes: 0,
          },
          health: undefined,
        },
      ],
      placement: { strategy: "least-loaded", constraints: [], maxPerNode: undefined, antiAffinity: [] },
      restart: { condition: "on-failure", delayMs: 500, maxDelayMs: 30_000, maxAttempts: undefined, windowMs: 60_000 },
      update: { order: "start-first", parallelism: 1 },
      stopGraceMs: 10_000,
      source: undefined,
      dependsOn: [],
      mode: "replicated",
      job: undefined,
    });
  });

  it("takes all of deploy", () => {
    const spec = only(
      service(
        "deploy:",
        "  mode: replicated",
        "  replicas: 3",
        "  labels: { team: blue }",
        "  resources:",
        "    limits: { cpus: '0.5', memory: 64M, pids: 100 }",
        "    reservations: { cpus: 0.25, memory: 32M }",
        "  placement:",
        "    constraints: ['node.labels.compute == true']",
        "    max_replicas_per_node: 1",
        "  update_config: { parallelism: 2, order: stop-first }",
        "  restart_policy: { condition: on-failure, delay: 2s, max_attempts: 4, window: 1m30s }",
      ),
    );
    expect(spec.replicas).toBe(3);
    expect(spec.containers[0]?.labels).toEqual({ team: "blue" });
    expect(spec.containers[0]?.resources).toEqual({
      cpuMillis: 500,
      memoryBytes: 64 * 1024 * 1024,
      pids: 100,
      reserveCpuMillis: 250,
      reserveMemoryBytes: 32 * 1024 * 1024,
    });
    expect(spec.placement).toMatchObject({ constraints: ["node.labels.compute == true"], maxPerNode: 1 });
    expect(spec.update).toEqual({ order: "stop-first", parallelism: 2 });
    expect(spec.restart).toEqual({
      condition: "on-failure",
      delayMs: 2000,
      maxDelayMs: 30_000,
      maxAttempts: 4,
      windowMs: 90_000,
    });
  });

  it("lets a service join the pod of another, through a chain as well", () => {
    const spec = only(
      compose(
        [
          "services:",
          "  log:",
          "    image: fluent",
          '    network_mode: "service:side"',
          "  web:",
          "    image: nginx",
          "    deploy: { replicas: 2 }",
          "  side:",
          "    image: sidecar",
          '    network_mode: "service:web"',
        ].join("\n"),
      ),
    );
    expect(spec.service).toBe("web");
    expect(spec.replicas).toBe(2);
    expect(spec.containers.map(({ name, image }) => `${name}=${image}`)).toEqual([
      "web=nginx",
      "log=fluent",
      "side=sidecar",
    ]);
  });

  it.each([
    ["a list of words", "command: [serve, --port, '80']", ["serve", "--port", "80"]],
    [
      "one text, split as a shell splits",
      `command: serve --name "a b" --x='c d' e\\ f`,
      ["serve", "--name", "a b", "--x=c d", "e f"],
    ],
    ["nothing", "command:", undefined],
    ["an empty list", "command: []", undefined],
  ])("reads a command given as %s", (_, line, command) => {
    expect(container(service(line)).command).toEqual(command);
  });

  it("reads environment as a mapping and as a list, and env_file below it", () => {
    const text = (environment: string): string =>
      `services:\n  web:\n    image: nginx\n    env_file: [a.env, {path: no.env, required: false}]\n    environment: ${environment}\n`;
    const files = { "a.env": "# words\nexport A=file\nB='$not'\nC=\"x${HOME_DIR}\\ny\"\nD=plain # rest\n" };
    const env = { HOME_DIR: "/h", TAKEN: "here" };
    const expected = { A: "own", B: "$not", C: "x/h\ny", D: "plain", N: "1", TAKEN: "here" };
    expect(container(compose(text("{A: own, N: 1, TAKEN: , MISSING: }"), env, files)).env).toEqual(expected);
    expect(container(compose(text("[A=own, N=1, TAKEN, MISSING]"), env, files)).env).toEqual(expected);
  });

  it.each([
    ["'8080'", [[8080, "tcp", undefined]]],
    ["8080", [[8080, "tcp", undefined]]],
    ["'8000:8080'", [[8080, "tcp", 8000]]],
    ["'5353:53/udp'", [[53, "udp", 5353]]],
    [
      "'3000-3001:80-81'",
      [
        [80, "tcp", 3000],
        [81, "tcp", 3001],
      ],
    ],
    ["{target: 80, published: '8080', protocol: tcp, mode: host}", [[80, "tcp", 8080]]],
    ["{target: 80}", [[80, "tcp", undefined]]],
  ])("reads the port %s", (written, ports) => {
    expect(
      container(service(`ports: [${written}]`)).ports.map(port => [port.containerPort, port.protocol, port.hostPort]),
    ).toEqual(ports);
  });

  it("publishes what Traefik's labels lead to, once, and nothing for `expose`", () => {
    const rule = "traefik.http.routers.w.rule=Host(`w.example`)";
    const published = (...lines: string[]): unknown =>
      container(service(...lines)).ports.map(port => [port.containerPort, port.protocol, port.hostPort]);
    expect(published("expose: ['80', '53/udp', '3000-3009']")).toEqual([]);
    const named = `labels: ['${rule}', traefik.http.services.w.loadbalancer.server.port=9000]`;
    expect(published("expose: ['80']", "ports: ['8080:80']", named)).toEqual([
      [80, "tcp", 8080],
      [9000, "tcp", undefined],
    ]);
    const two = service("expose: [3000, 3001]", `labels: ['${rule}']`).issues.map(formatIssue);
    expect(two).toEqual([expect.stringContaining("web publishes no port to route to")]);
    // The edge reaches a container by a port of its node, and this is the only one there is.
    expect(published("expose: [3000, '53/udp']", `labels: ['${rule}']`)).toEqual([[3000, "tcp", undefined]]);
  });

  it.each([
    ["text", "healthcheck: { test: curl -f localhost }", ["CMD-SHELL", "curl -f localhost"]],
    ["words", "healthcheck: { test: [CMD, curl, x] }", ["CMD", "curl", "x"]],
    ["none", "healthcheck: { test: [NONE] }", ["NONE"]],
    ["disable", "healthcheck: { disable: true }", ["NONE"]],
  ])("reads a healthcheck given as %s", (_, line, test) => {
    expect(container(service(line)).health?.probe).toEqual({ kind: "docker", test });
  });

  it("reads the times of a healthcheck", () => {
    const line = "healthcheck: { test: x, interval: 1m30s, timeout: 500ms, retries: 5, start_period: 2s }";
    expect(container(service(line)).health).toMatchObject({
      intervalMs: 90_000,
      timeoutMs: 500,
      retries: 5,
      startPeriodMs: 2000,
    });
  });

  it("reads x-skep: what Compose cannot say", () => {
    const spec = only(
      service(
        "x-skep:",
        "  strategy: spread",
        "  antiAffinity: [db]",
        "  exclusive: true",
        "  probe: { http: { port: 8080, path: /health }, interval: 1s }",
        "  source: { repository: https://example.test/web, branch: main }",
      ),
    );
    expect(spec.placement).toMatchObject({ strategy: "spread", antiAffinity: ["db"] });
    expect(spec.source).toEqual({ repository: "https://example.test/web", branch: "main" });
    expect(spec.exclusive).toBe(true);
    expect(spec.containers[0]?.health).toEqual({
      probe: { kind: "http", port: 8080, path: "/health" },
      intervalMs: 1000,
      timeoutMs: 2000,
      retries: 3,
      startPeriodMs: 0,
    });
    const probed = container(service("x-skep: { probe: { tcp: 1883 } }"));
    expect(probed.health?.probe).toEqual({ kind: "tcp", port: 1883 });
    // The agent asks through the node's port, so a probed port has to be published.
    expect(probed.ports).toEqual([{ containerPort: 1883, protocol: "tcp", hostPort: undefined }]);
  });

  it("reads volumes, tmpfs and the small keys, and stops first where a volume has one writer", () => {
    const spec = only(
      compose(
        [
          "volumes: { data: , more: { driver: local } }",
          "services:",
          "  web:",
          "    image: nginx",
          "    volumes:",
          "      - data:/var/lib/data:ro",
          "      - { type: volume, source: more, target: /more }",
          "      - { type: tmpfs, target: /cache }",
          "    tmpfs: /run",
          "    user: 1000:1000",
          "    working_dir: /srv",
          "    read_only: true",
          "    stop_signal: SIGINT",
          "    stop_grace_period: 1m",
          "    restart: on-failure:3",
          "    privileged: false",
        ].join("\n"),
      ),
    );
    expect(spec.containers[0]).toMatchObject({
      volumes: [
        { name: "data", target: "/var/lib/data", readOnly: true },
        { name: "more", target: "/more", readOnly: false },
      ],
      tmpfs: [{ target: "/cache" }, { target: "/run" }],
      user: "1000:1000",
      workingDir: "/srv",
      readOnly: true,
      stopSignal: "SIGINT",
    });
    expect(spec).toMatchObject({ stopGraceMs: 60_000, update: { order: "stop-first" } });
    expect(spec.restart).toMatchObject({ condition: "on-failure", maxAttempts: 3 });
  });

  it("resolves anchors, aliases and merge keys, the service's own keys first", () => {
    const spec = compose(
      [
        "x-base: &base",
        "  image: nginx",
        "  environment: &env { A: base, B: base }",
        "x-more: &more { user: nobody, working_dir: /more }",
        "services:",
        "  one: *base",
        "  two:",
        "    <<: [*base, *more]",
        "    working_dir: /own",
        "    environment:",
        "      <<: *env",
        "      B: own",
      ].join("\n"),
    );
    expect(spec.issues).toEqual([]);
    expect(spec.deployments[0]?.containers[0]).toMatchObject({ image: "nginx", env: { A: "base", B: "base" } });
    expect(spec.deployments[1]?.containers[0]).toMatchObject({
      image: "nginx",
      user: "nobody",
      workingDir: "/own",
      env: { A: "base", B: "own" },
    });
  });

  it("replaces variables before it reads numbers and switches", () => {
    const text =
      "services:\n  web:\n    image: nginx:${TAG:-1.27}\n    command: echo $$HOME ${NAME}\n    read_only: ${RO:-true}\n    deploy: { replicas: '${N}' }\n";
    const spec = only(compose(text, { NAME: "x", N: "4" }));
    expect(spec.replicas).toBe(4);
    expect(spec.containers[0]).toMatchObject({ image: "nginx:1.27", readOnly: true, command: ["echo", "$HOME", "x"] });
  });
});
