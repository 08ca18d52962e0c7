import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import type { Health } from "@skep/core/model/instance.ts";
import type { Observed, ObservedContainer } from "@skep/core/model/observed.ts";
import { beforeEach, expect, test } from "vitest";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createKeptSet, createMemoryMemo, type KeptSet } from "./memo.ts";
import { createHealthWatch, type HealthWatch } from "./health-watch.ts";
import type { ProbeTarget } from "./prober.ts";
import { aContainer, anInstance, aSpec } from "../testing/builders.ts";

const check = {
  probe: { kind: "http", port: 80, path: "/up" } as const,
  intervalMs: 5_000,
  timeoutMs: 500,
  retries: 2,
  startPeriodMs: 3_000,
};
const instance = anInstance({ spec: aSpec({ containers: [aContainer({ health: check })] }) });

function seen(over: Partial<ObservedContainer> = {}): Observed {
  const container: ObservedContainer = {
    id: "c1",
    name: "app",
    role: "app",
    instanceId: "acme.web.1",
    tenantId: "acme",
    deploymentId: "acme.web",
    release: 1,
    epoch: 1,
    specHash: "h",
    isExclusive: false,
    state: "running",
    exitCode: undefined,
    oomKilled: false,
    isDetached: false,
    mounts: [],
    imageId: "i",
    engineHealth: "none",
    createdAt: 0,
    startedAt: 1,
    finishedAt: undefined,
    labels: {},
    ports: [
      {
        container: "app",
        containerPort: 80,
        protocol: "tcp",
        hostPort: 20001,
      },
    ],
    ...over,
  };
  return { containers: [container], networks: [], volumes: [], images: [] };
}

let clock: ReturnType<typeof createVirtualClock>;
let answers: boolean;
let asked: ProbeTarget[];
let changes: number;
let watch: HealthWatch;
let kept: KeptSet;

beforeEach(() => {
  kept = createKeptSet(createMemoryMemo(), [], createRecordingLog());
  clock = createVirtualClock();
  [answers, asked, changes] = [true, [], 0];
  watch = createHealthWatch({
    clock,
    host: () => "10.0.0.1",
    prober: async target => {
      asked.push(target);
      return { ok: answers, answered: true, detail: answers ? "" : "refused" };
    },
    healthy: kept,
    onChange: () => changes++,
  });
});
const health = (observed: Observed): Health | undefined =>
  watch.apply(observed, [instance]).containers[0]?.engineHealth;

test("asks the published port on the node's address and says healthy as soon as it answers", async () => {
  expect(health(seen())).toBe("starting");
  await clock.settle();
  expect(asked).toEqual([{ kind: "http", host: "10.0.0.1", port: 20_001, path: "/up" }]);
  expect(changes).toBe(1);
  expect(health(seen())).toBe("healthy");
});

test("failures in the start period do not count, later ones do after so many retries", async () => {
  answers = false;
  health(seen());
  await clock.advance(2_900);
  expect(health(seen())).toBe("starting");
  expect(watch.notes()["c1"]).toBe("refused");
  await clock.advance(12_000);
  expect(health(seen())).toBe("unhealthy");
  answers = true;
  await clock.advance(5_000);
  expect(health(seen())).toBe("healthy");
  expect(watch.notes()["c1"]).toBeUndefined();
});

test("a container that was started again begins anew", async () => {
  health(seen());
  await clock.settle();
  answers = false;
  expect(health(seen({ startedAt: 2 }))).toBe("starting");
});

test("stops asking when the container stops or goes", async () => {
  health(seen());
  await clock.settle();
  expect(health(seen({ state: "exited" }))).toBe("none");
  await clock.advance(60_000);
  expect(asked).toHaveLength(1);
});

test("a port that is not published leaves the container short of healthy, with the advice to publish it", () => {
  expect(health(seen({ ports: [] }))).toBe("starting");
  expect(watch.notes()["c1"]).toContain("publish it");
});

test("a container of an older epoch, or of nobody, is left as the engine sees it", () => {
  expect(health(seen({ epoch: 0 }))).toBe("none");
  expect(health(seen({ instanceId: "x.y.1" }))).toBe("none");
});
