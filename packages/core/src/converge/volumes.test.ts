import { expect, test } from "vitest";
import {
  aContainer,
  anAssignedInstance,
  anAssignment,
  anObserved,
  anObservedContainer,
  aSpec,
} from "../testing/builders.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { ToyNode } from "../testing/toy-node.ts";
import { containerHash } from "./spec-hash.ts";

const DATA = { name: "data", target: "/data", readOnly: false };
const CRASHED = { state: "exited", exitCode: 1 } as const;

test("a volume that was given up is removed by name and serial, and no other", () => {
  const node = new ToyNode(undefined);
  const volume = { tenantId: "acme", owner: "acme.db", name: "data", serial: 1 };
  const there = [1, 2].map(serial => ({ ...volume, serial, engineName: `skep-acme.db.data.${serial}` }));
  node.observed = anObserved({ volumes: there });
  expect(node.look().steps).toEqual([]);
  node.assignment = anAssignment();
  expect(node.look().steps).toEqual([]);
  node.assignment = anAssignment({ volumeRemovals: [volume, { ...volume, serial: 3 }] });
  expect(node.look().steps).toMatchObject([{ kind: "remove-volume", name: "skep-acme.db.data.1" }]);
  node.settle();
  expect(node.observed.volumes.map(one => one.serial)).toEqual([2]);
});

test("a container is made anew for another serial or owner of its volume, and not for a volume of its neighbour", () => {
  const [mine, other] = [
    aContainer({ volumes: [DATA] }),
    aContainer({ name: "other", volumes: [{ ...DATA, name: "logs" }] }),
  ];
  const spec = aSpec({ containers: [mine, other] });
  const hashed = (owner: string, serial: number, logs = 1): string => {
    const volumes = [
      { owner, name: "data", serial },
      { owner: "acme.web", name: "logs", serial: logs },
    ];
    return containerHash(anAssignedInstance({ spec, volumes }), mine, undefined);
  };
  expect(hashed("acme.web", 2)).not.toBe(hashed("acme.web", 1));
  expect(hashed("acme/web", 1)).not.toBe(hashed("acme.web", 1));
  expect(hashed("acme.web", 1, 2)).toBe(hashed("acme.web", 1, 1));
});

test("a single copy does not start while another one of its deployment has not ended here", () => {
  const spec = aSpec({ exclusive: undefined, containers: [aContainer({ volumes: [DATA] })] });
  const node = new ToyNode(spec, {
    instanceId: "acme.web.2",
    volumes: [{ owner: "acme.web", name: "data", serial: 1 }],
  });
  const old = anObservedContainer({ id: "old", instanceId: "acme.web.1" });
  node.observed = anObserved({ containers: [old] });
  const [waiting] = node.settle().statuses;
  expect(waiting).toMatchObject({ instanceId: "acme.web.2", state: "preparing" });
  expect(waiting?.message).toBe("only one copy may run, and acme.web.1 at epoch 1 has not ended here yet");
  node.observed = { ...node.observed, containers: [{ ...old, ...CRASHED }] };
  expect(node.settle().statuses[0]?.state).toBe("running");
  // An agent that finds both running ends neither by itself.
  node.observed = { ...node.observed, containers: [...node.observed.containers.filter(one => one.id !== "old"), old] };
  expect(node.settle().statuses[0]?.state).toBe("running");
});

test("an exclusive copy that nothing names is stopped once its lease has ended, and removed by a removal alone", () => {
  const node = new ToyNode(undefined);
  const there = (over: Partial<ObservedContainer>) =>
    void (node.observed = anObserved({ containers: [anObservedContainer(over)] }));
  const runsOn = (): boolean => node.look().steps.length === 0;
  there({ isExclusive: true });
  expect(runsOn()).toBe(true);
  node.leases = { "acme.web.1@1": { held: true, since: undefined } };
  expect(runsOn()).toBe(true);
  node.leases = { "acme.web.1@1": { held: false, since: 0 } };
  expect(node.look().steps).toMatchObject([{ kind: "stop-container", key: "stop-now:c1", graceMs: 3_000 }]);
  const [stopped] = node.settle().statuses;
  expect(stopped).toMatchObject({ state: "stopped", stranger: true });
  expect(stopped?.message).toMatch(/has no lease: it is stopped, and not removed/);
  expect(node.observed.containers.map(one => one.state)).toEqual(["exited"]);

  there({ isExclusive: false });
  expect(runsOn()).toBe(true);

  there({ isExclusive: true });
  const removal = { instanceId: "acme.web.1", epoch: 1, because: "no record explains it" };
  node.assignment = anAssignment({ removals: [removal] });
  expect(node.look().steps).toMatchObject([{ graceMs: 3_000, because: removal.because }]);
  node.settle();
  expect(node.observed.containers).toEqual([]);
});
