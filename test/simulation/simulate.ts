import { Adversary } from "./adversary.ts";
import { drawDisaster, suffer, type DisasterShares } from "./disasters.ts";
import { Edge } from "./edge.ts";
import { HERD } from "./engine-rule.ts";
import { missing } from "./goal.ts";
import { hasProject, liveAsProject, type OrderShares } from "./order/projects.ts";
import { beginHosting, type HostingShares } from "./hosting/begin.ts";
import { beginLife, createPlatform, type Platform } from "./platform.ts";
import { startAgent, startScheduler } from "./processes.ts";
import { giveUpVolumes, liveAsUsers } from "./users.ts";
import { watchTold } from "./told-rule.ts";
import { checkNow, recordsOf } from "./watch.ts";
import { LATEST_MS, setWeather } from "./weather.ts";

/** What one seed came to. */
export interface Outcome {
  readonly seed: number;
  /** What did not hold; `undefined` when everything did. */
  readonly violation: string | undefined;
  /** Equal for two runs of one seed. */
  readonly hash: string;
  readonly events: number;
  /** Virtual ms from the end of the faults to the goal. */
  readonly recoveredMs: number;
  readonly trace: readonly string[];
}

/** What only some seeds have, each by chance of its own; none of it by default. */
export interface Shares extends DisasterShares, HostingShares, OrderShares {}

/**
 * How long things go wrong, and how long the fleet may then take to be as it was told to be;
 * virtual ms.
 */
export interface SimulationOptions extends Shares {
  readonly faultsMs?: number;
  readonly recoverMs?: number;
  readonly echo?: (line: string) => void;
}

const SETTLED_MS = 5_000;

/** Runs three schedulers and five agents through everything that the seed has in store for them. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<Outcome> {
  const { faultsMs = 60_000, recoverMs = 60_000 } = options;
  const platform = createPlatform(seed, options.echo);
  const { clock } = platform;
  setWeather(platform);
  const disaster = drawDisaster(platform, options);
  // Older records know an earlier stage of a move, and its pods are no deployments here.
  const hosting = beginHosting(platform, { ...options, ...(disaster === undefined ? {} : { moves: 0 }) });
  const revival = {
    startScheduler: (name: string) => startScheduler(platform, name, beginLife(platform, name)),
    startAgent: (node: Platform["nodes"][number]) => startAgent(platform, node, beginLife(platform, node.id)),
  };
  for (const name of platform.schedulers) revival.startScheduler(name);
  for (const node of platform.nodes) revival.startAgent(node);

  platform.edges.push(new Edge(platform, "edge-1"), new Edge(platform, "edge-2"));
  for (const edge of platform.edges) void edge.run();
  const adversary = new Adversary(platform, revival);
  let calm = false;
  hosting?.begin(() => calm);
  const users = liveAsUsers(platform, () => calm);
  let wishing = true;
  // Older records know an earlier run of a job.
  const project =
    disaster === undefined && hasProject(platform, options) ? liveAsProject(platform, () => calm) : undefined;
  void Promise.all([users, project])
    .then(() => (wishing = false))
    .catch((error: unknown) => platform.violate(`the users' program failed: ${String(error)}`));
  await clock.advance(3_000);
  void adversary.rage();
  hosting?.rage();
  if (disaster !== undefined)
    void suffer(platform, disaster, revival).catch((error: unknown) =>
      platform.violate(`the person who restores the records failed: ${String(error)}`),
    );
  await clock.runUntil(() => platform.violation() !== undefined, faultsMs);

  calm = true;
  const isLate = (platform.mischief?.late ?? 0) + (platform.mischief?.storeLate ?? 0) > 0;
  const { lost, drained } = adversary.calm();
  hosting?.calm();
  const calmAt = clock.now();
  void giveUpVolumes(platform, lost).catch((error: unknown) => platform.violate(`a person failed: ${String(error)}`));
  void watchTold(platform);
  function* gaps(): Generator<string, void> {
    const up = new Set(platform.nodes.filter(node => node.on()).map(node => node.id));
    const running = platform.nodes.flatMap(node => node.running());
    // The brake is the whole fleet's: while a herd is somewhere, be it stopped, a lone stray stays,
    // too.
    const isHerded = platform.nodes.some(node =>
      node.engine.containers().some(({ labels }) => labels["skep.instance"]?.startsWith(HERD)),
    );
    // What no record explains after a restore is left to people.
    const orphans = new Set(
      platform.wasReplaced ? [...platform.database.records.orphans.values()].map(one => one.instanceId) : [],
    );
    const leftAlone = (instanceId: string): boolean =>
      orphans.has(instanceId) || (isHerded && /^acme\.(herd|stray)\./.test(instanceId));
    const world = recordsOf(platform);
    const routes = [...platform.database.records.routes.values()];
    yield* missing(world, { up, drained, running, leftAlone });
    for (const edge of platform.edges) yield* edge.missing(world, routes);
  }
  let [judged, reached] = ["", false];
  const isReached = (): boolean => {
    // A person who lets a drained node work again changes what is wanted before any row changes.
    const version = [platform.changes.version(), lost.size, drained.size].join();
    if (judged !== version && !wishing) [judged, reached] = [version, gaps().next().done === true];
    return reached && (hosting === undefined || hosting.gaps().length === 0);
  };
  // What is late is still under way when the faults have ended, and the last of them when it
  // arrives.
  const deadline = calmAt + recoverMs + (isLate ? LATEST_MS : 0);
  const isBroken = (): boolean => platform.violation() !== undefined;
  let recoveredMs: number;
  do {
    await clock.runUntil(() => isBroken() || isReached(), deadline - clock.now());
    recoveredMs = clock.now() - calmAt;
    // Reaching the goal is not enough: it has to stay reached.
    await clock.runUntil(isBroken, SETTLED_MS);
  } while (!isBroken() && !isReached() && clock.now() < deadline);
  if (!isBroken()) await hosting?.movesEnd();
  checkNow(platform);
  const open = [...gaps(), ...(hosting?.gaps() ?? [])];
  for (const sentence of hosting?.lost() ?? []) platform.violate(sentence);
  if (open.length > 0)
    platform.violate(
      `not as desired ${clock.now() - calmAt} ms after the last fault (lost: ${[...lost].join()}): ${open.slice(0, 5).join("; ")}`,
    );
  return {
    seed,
    violation: platform.violation(),
    hash: platform.trace.hash(),
    events: platform.trace.count(),
    recoveredMs,
    trace: platform.violation() === undefined ? [] : platform.trace.last(4_000),
  };
}
