import { askEngine } from "@skep/devswarm/engine-api.ts";
import type { Platform } from "./platform.ts";

/** What a Swarm service of one task is made from. */
export interface ServiceWish {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: readonly string[];
  /**
   * Overlay that it joins, with `endpoint_mode: dnsrr`; none by default, as `docker service create`
   * does.
   */
  readonly network?: string;
}

const MEMORY_BYTES = 64 * 2 ** 20;
const NANO_CPUS = 500_000_000;

/**
 * What `docker service create --detach` asks of the engine, without the time that the client itself
 * takes.
 */
export async function createService({ manager }: Platform, wish: ServiceWish): Promise<void> {
  await askEngine(manager.socket, "POST", "/services/create", {
    Name: wish.name,
    Labels: wish.labels ?? {},
    Mode: { Replicated: { Replicas: 1 } },
    TaskTemplate: {
      ContainerSpec: {
        Image: wish.image,
        ...(wish.command === undefined ? {} : { Command: wish.command }),
        ...(wish.env === undefined ? {} : { Env: wish.env }),
        StopGracePeriod: 1_000_000,
      },
      Resources: { Limits: { MemoryBytes: MEMORY_BYTES, NanoCPUs: NANO_CPUS } },
      ...(wish.network === undefined ? {} : { Networks: [{ Target: wish.network }] }),
    },
    ...(wish.network === undefined ? {} : { EndpointSpec: { Mode: "dnsrr" } }),
  });
}

/** What `docker network create --driver overlay` asks of the engine. */
export async function createOverlay({ manager }: Platform, name: string): Promise<void> {
  await askEngine(manager.socket, "POST", "/networks/create", { Name: name, Driver: "overlay", CheckDuplicate: true });
}

/** Removes networks that tasks may be leaving still. */
export async function removeNetworks(platform: Platform, names: readonly string[]): Promise<void> {
  const deadlineAt = performance.now() + 60_000;
  for (const name of names) {
    while (
      !(await platform.docker(["network", "rm", name]).then(
        () => true,
        () => false,
      ))
    ) {
      if (performance.now() > deadlineAt) throw new Error(`the network ${name} is still in use after a minute`);
      await new Promise(resolve => setTimeout(resolve, 500));
    }
  }
}

/** How many tasks of services with this prefix run. */
export async function runningTasks({ manager }: Platform, prefix: string): Promise<number> {
  const filters = encodeURIComponent(JSON.stringify({ "desired-state": ["running"], name: [prefix] }));
  const tasks = await askEngine<readonly { readonly Status: { readonly State: string } }[]>(
    manager.socket,
    "GET",
    `/tasks?filters=${filters}`,
  );
  return tasks.filter(task => task.Status.State === "running").length;
}

/** Removes the services and waits until no engine has a container of theirs. */
export async function removeServices(platform: Platform, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await platform.docker(["service", "rm", ...names]);
  await untilGone(platform, "com.docker.swarm.service.name", new Set(names));
}

/** A container as an engine lists it, with the socket of that engine. */
export interface Listed {
  readonly socket: string;
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** Containers of all engines that bear the label, whatever their state. */
export async function listContainers({ fleet }: Platform, label: string): Promise<readonly Listed[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const perNode = fleet.nodes.map(async ({ socket }) => {
    const list = await askEngine<readonly Listed[]>(socket, "GET", `/containers/json?all=1&filters=${filters}`);
    return list.map(one => ({ ...one, socket }));
  });
  return (await Promise.all(perNode)).flat();
}

/** Waits until no container on any engine bears the label with one of these values. */
export async function untilGone(platform: Platform, label: string, values: ReadonlySet<string>): Promise<void> {
  const deadlineAt = performance.now() + 180_000;
  for (;;) {
    const left = (await listContainers(platform, label)).filter(one => values.has(one.Labels[label] ?? ""));
    if (left.length === 0) return;
    if (performance.now() > deadlineAt) throw new Error(`${left.length} containers are still there after 3 minutes`);
    await new Promise(resolve => setTimeout(resolve, 250));
  }
}

/** When the engine started a container's process, ms since the epoch. */
export async function startedAt(container: Listed): Promise<number> {
  const seen = await askEngine<{ readonly State: { readonly StartedAt: string } }>(
    container.socket,
    "GET",
    `/containers/${container.Id}/json`,
  );
  return Date.parse(seen.State.StartedAt);
}
