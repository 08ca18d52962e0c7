import type { Location, ReleasedPort } from "../model/instance.ts";

/**
 * Ports in quarantine after the records of locations were dropped; those whose time is over fall
 * out, and one that is released again waits for the later time.
 */
export function releasePorts(
  known: readonly ReleasedPort[],
  gone: readonly Location[],
  freeAt: number,
  now: number,
): readonly ReleasedPort[] {
  const waiting = new Map(known.map(one => [keyOf(one), one.freeAt]));
  const released = gone.flatMap(({ nodeId, deploymentId, ports }) =>
    ports.map(({ protocol, hostPort }) => {
      const before = waiting.get(keyOf({ nodeId, protocol, hostPort })) ?? freeAt;
      return { nodeId, deploymentId, protocol, hostPort, freeAt: Math.max(before, freeAt) };
    }),
  );
  if (released.length === 0) return known;
  const again = new Set(released.map(keyOf));
  return [...known.filter(one => one.freeAt > now && !again.has(keyOf(one))), ...released];
}

function keyOf({ nodeId, protocol, hostPort }: Pick<ReleasedPort, "nodeId" | "protocol" | "hostPort">): string {
  return `${nodeId} ${hostPort}/${protocol}`;
}
