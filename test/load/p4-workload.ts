import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import { aContainer, anAssignedInstance, aSpec } from "@skep/core/testing/builders.ts";

/**
 * The given number of instances of one small container with one published port each, under names
 * that no other batch has.
 */
export function loadInstances(image: string, count: number, batch: number): readonly AssignedInstance[] {
  const resources = { ...DEFAULT_RESOURCES, memoryBytes: 32 * 2 ** 20 };
  const ports = [{ containerPort: 80, protocol: "tcp", hostPort: undefined } as const];
  const name = `b${batch}`;
  const spec = aSpec({ name, containers: [aContainer({ image, resources, ports })], stopGraceMs: 1 });
  return Array.from({ length: count }, (_, slot) =>
    anAssignedInstance({
      instanceId: `acme.${name}.${slot + 1}`,
      slot,
      spec,
      ports: [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: 20_000 + slot }],
    }),
  );
}
