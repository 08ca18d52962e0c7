import { describe, expect, test } from "vitest";
import type { ObservedContainer } from "../model/observed.ts";
import {
  aContainer,
  aSpec,
  anAssignedInstance,
  anAssignment,
  anObserved,
  anObservedContainer,
} from "../testing/builders.ts";
import { converge } from "./converge.ts";
import { EMPTY_MEMORY, NEW_CONTAINER, type ConvergeMemory } from "./memory.ts";
import { restartDelay } from "./restart.ts";
import { stepKey } from "./step.ts";
import { containerHash } from "./spec-hash.ts";

const spec = aSpec({ containers: [aContainer()] });

function assigned(tenantId: string, serial: number): ReturnType<typeof anAssignedInstance> {
  return anAssignedInstance({ instanceId: `${tenantId}.web.${serial}`, tenantId, spec });
}

/** Which of these instances are started; all are made and none is running. */
function started(
  instances: readonly ReturnType<typeof anAssignedInstance>[],
  startLimit: number,
  options: { readonly starting?: readonly string[]; readonly failures?: Readonly<Record<string, number>> } = {},
): readonly string[] {
  const containers = instances.map((instance): ObservedContainer => {
    const { instanceId, tenantId, epoch } = instance;
    const specHash = containerHash(instance, spec.containers[0]!, undefined);
    return anObservedContainer({ id: `of-${instanceId}`, instanceId, tenantId, epoch, specHash, state: "created" });
  });
  const memory: ConvergeMemory = {
    ...EMPTY_MEMORY,
    containers: Object.fromEntries(
      Object.entries(options.failures ?? {}).map(([id, failures]) => [`${id}@1/app`, { ...NEW_CONTAINER, failures }]),
    ),
  };
  const tenants = [...new Set(instances.map(one => one.tenantId))];
  const networks = tenants.map(tenantId => ({ id: `network-${tenantId}`, name: `skep-${tenantId}`, tenantId }));
  const { steps } = converge({
    assignment: anAssignment({ instances }),
    observed: anObserved({ containers, networks }),
    memory,
    inFlight: (options.starting ?? []).map(id => stepKey.start(`of-${id}`)),
    confirmed: true,
    policy: { startLimit, sandboxImage: "sandbox:1" },
    now: 1_000_000,
  });
  return steps.flatMap(step => (step.kind === "start-container" ? [step.instanceId] : []));
}

const six = [1, 2, 3, 4, 5, 6].map(serial => assigned("aaa", serial));

describe("turns", () => {
  test("go round the tenants, however many instances one of them has", () => {
    expect(started([...six, assigned("mmm", 1), assigned("zzz", 1)], 4)).toEqual([
      "aaa.web.1",
      "mmm.web.1",
      "zzz.web.1",
      "aaa.web.2",
    ]);
  });

  test("that become free go to a tenant that holds none", () => {
    expect(started([...six, assigned("mmm", 1)], 3, { starting: ["aaa.web.5", "aaa.web.6"] })).toEqual(["mmm.web.1"]);
  });

  test("come later for what ended again and again, among tenants and within one", () => {
    const failures = { "aaa.web.1": 4, "bbb.web.1": 2 };
    const looping = [assigned("aaa", 1), assigned("bbb", 1), assigned("ccc", 1)];
    expect(started(looping, 2, { failures })).toEqual(["ccc.web.1", "bbb.web.1"]);
    expect(started([...six.slice(0, 3)], 2, { failures })).toEqual(["aaa.web.2", "aaa.web.3"]);
  });
});

test("the wait between starts begins and grows, whatever the spec says", () => {
  const eager = { condition: "any", delayMs: 0, maxDelayMs: 0, maxAttempts: undefined, windowMs: 0 } as const;
  expect([1, 2, 3, 10].map(failures => restartDelay(eager, failures))).toEqual([500, 1_000, 2_000, 10_000]);
  const asked = { ...eager, delayMs: 5_000, maxDelayMs: 60_000 };
  expect([1, 10].map(failures => restartDelay(asked, failures))).toEqual([5_000, 60_000]);
});
