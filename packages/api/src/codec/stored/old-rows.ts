/** Rows as version 1 wrote them: core's shapes as JSON. They are never changed, only read. */
const SPEC = {
  name: "web",
  replicas: 2,
  containers: [
    {
      name: "app",
      image: "nginx:alpine",
      command: ["nginx", "-g", "daemon off;"],
      env: { A: "1" },
      labels: { "traefik.enable": "true" },
      workingDir: "/srv",
      readOnly: true,
      ports: [
        { containerPort: 80, protocol: "tcp" },
        { containerPort: 53, protocol: "udp", hostPort: 20_053 },
      ],
      volumes: [{ name: "data", target: "/data", readOnly: false }],
      tmpfs: ["/tmp"],
      resources: {
        ...{ cpuMillis: 1000, memoryBytes: 536_870_912, pids: 512 },
        ...{ reserveCpuMillis: 100, reserveMemoryBytes: 1024 },
      },
      health: {
        probe: { kind: "http", port: 80, path: "/healthz" },
        ...{ intervalMs: 5000, timeoutMs: 2000, retries: 3, startPeriodMs: 0 },
      },
    },
    {
      name: "side",
      image: "busybox",
      env: {},
      labels: {},
      readOnly: false,
      ports: [],
      volumes: [],
      tmpfs: [],
      resources: { cpuMillis: 0, memoryBytes: 0, pids: 512, reserveCpuMillis: 0, reserveMemoryBytes: 0 },
      health: {
        probe: { kind: "docker", test: ["CMD", "true"] },
        ...{ intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 10 },
      },
    },
  ],
  placement: { strategy: "resource-based", constraints: ["node.role == worker"], maxPerNode: 1, antiAffinity: ["db"] },
  restart: { condition: "on-failure", delayMs: 500, maxDelayMs: 30_000, maxAttempts: 5, windowMs: 60_000 },
  update: { order: "stop-first", parallelism: 2 },
  stopGraceMs: 7_000,
  source: { repository: "https://git.example/web", branch: "main" },
};

/** One row of each kind that is stored as JSON. */
export const OLD_ROWS = {
  spec: SPEC,
  deployment: {
    deployment: {
      ...{ id: "acme.web", tenantId: "acme", name: "web", desired: "stopped", replicas: 2, release: 3 },
      ...{ resourceVersion: 4, nextSerial: 9, createdAt: 1_700_000_000_123 },
    },
    release: { deploymentId: "acme.web", number: 3, spec: SPEC },
  },
  tenant: { id: "acme", quota: { instances: 3, memoryBytes: 5_000_000_000 } },
} as const;
