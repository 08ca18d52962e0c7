import { askEngine } from "@skep/devswarm/engine-api.ts";
import { docker, type FleetNode } from "@skep/devswarm/fleet.ts";
import type { Platform } from "./platform.ts";

/** What a container without any orchestrator is made from. */
export interface RawWish {
  readonly image: string;
  readonly command: readonly string[];
  /** Whether each gets a bridge of its own, or all share the engine's. */
  readonly isApart: boolean;
}

/** Callers per engine; more of them than cores only make each call longer. */
const AT_ONCE = 2;

/**
 * Makes and starts one container per name, dealt out to the engines in turn, by callers that do
 * nothing else: what the engines themselves take, whoever asks them.
 */
export async function startRaw({ fleet }: Platform, names: readonly string[], wish: RawWish): Promise<void> {
  const perNode = fleet.nodes.map(async (node, index) => {
    const waiting = names.filter((_, nth) => nth % fleet.nodes.length === index);
    const caller = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await startOne(node, name, wish);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, caller));
  });
  await Promise.all(perNode);
}

async function startOne({ socket }: FleetNode, name: string, { image, command, isApart }: RawWish): Promise<void> {
  if (isApart) await askEngine(socket, "POST", "/networks/create", { Name: name, Driver: "bridge" });
  await askEngine(socket, "POST", `/containers/create?name=${name}`, {
    Image: image,
    Entrypoint: command,
    HostConfig: { NetworkMode: isApart ? name : "bridge", NanoCpus: 500_000_000, Memory: 64 * 2 ** 20 },
  });
  await askEngine(socket, "POST", `/containers/${name}/start`);
}

/** Removes them and their bridges. */
export async function removeRaw({ fleet }: Platform, names: readonly string[], isApart: boolean): Promise<void> {
  for (const [index, node] of fleet.nodes.entries()) {
    const own = names.filter((_, nth) => nth % fleet.nodes.length === index);
    await docker(fleet, node.name, ["rm", "--force", ...own]);
    if (isApart) await docker(fleet, node.name, ["network", "rm", ...own]);
  }
}
