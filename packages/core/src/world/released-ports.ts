import type { Location, ReleasedPort } from "../model/instance.ts";

/**
 * Ports in quarantine after the records of locations were dropped; those whose time is over fall
 * out.
 */
export function releasePorts(
  known: readonly ReleasedPort[],
  gone: readonly Location[],
  freeAt: number,
  now: number,
): readonly ReleasedPort[] {
  const released = gone.flatMap(({ nodeId, deploymentId, ports }) =>
    ports.map(({ protocol, hostPort }) => ({ nodeId, deploymentId, protocol, hostPort, freeAt })),
  );
  if (released.length === 0) return known;
  const again = new Set(released.map(keyOf));
  return [...known.filter(one => one.freeAt > now && !again.has(keyOf(one))), ...released];
}

function keyOf({ nodeId, protocol, hostPort }: ReleasedPort): string {
  return `${nodeId} ${hostPort}/${protocol}`;
}
