import { fleetOf } from "@skep/core/placement/fleet-of-world.ts";
import { placeBatch } from "@skep/core/placement/place.ts";
import type { Measurement } from "./measurement.ts";
import { naivePlacements } from "./p1-naive.ts";
import { balanceOf, p1Requests, p1World } from "./p1-workload.ts";
import { rate, significant, type Result } from "./result.ts";
import { interleave, ratios } from "./rounds.ts";
import { median, worst } from "./statistics.ts";

const LEAST_LOADED = 100_000;
const RESOURCE_BASED = 40_000;
const NAIVE_FACTOR = 10;
const NAIVE_DECISIONS = 100;

/**
 * Placement decisions of core, through the entry that `decide` uses, against filtering and sorting
 * all nodes anew.
 */
export const p1: Measurement = {
  name: "P1",
  title: "placement decisions per second at 5,000 nodes with 3 constraints, on one core",
  run: async bench => {
    const world = p1World();
    const leastLoaded = p1Requests("least-loaded", 100);
    const resourceBased = p1Requests("resource-based", 100);
    const ours = (requests: typeof leastLoaded) => (): number => {
      const startedAt = performance.now();
      const { placed } = placeBatch(fleetOf(world, 0), requests);
      const ms = performance.now() - startedAt;
      if (placed.length !== requests.length) throw new Error(`only ${placed.length} of ${requests.length} were placed`);
      return (placed.length / ms) * 1_000;
    };
    const naive = (requests: typeof leastLoaded) => (): number => {
      const few = requests.filter((_, index) => index % (requests.length / NAIVE_DECISIONS) === 0);
      const startedAt = performance.now();
      naivePlacements(world.nodes, few);
      return (few.length / (performance.now() - startedAt)) * 1_000;
    };
    const seen = await interleave(
      bench.rounds(10),
      {
        "least-loaded": ours(leastLoaded),
        "naive least-loaded": naive(leastLoaded),
        "resource-based": ours(resourceBased),
        "naive resource-based": naive(resourceBased),
      },
      true,
    );
    for (const [name, samples] of Object.entries(seen))
      bench.say(`${name}: median ${rate(median(samples))}, worst ${rate(worst(samples, "higher"))}`);
    for (const sizes of [1, 10_000]) {
      const one = await interleave(bench.rounds(5), { rate: ours(p1Requests("least-loaded", sizes)) }, true);
      bench.say(`least-loaded where ${sizes} sizes differ: median ${rate(median(one.rate))}`);
    }
    const equal = p1Requests("least-loaded", 1);
    const balance = balanceOf(world, placeBatch(fleetOf(world, 0), equal).placed, equal);
    bench.say(
      `balance of ${equal.length} equal instances on equal nodes: fullest/mean ${significant(balance)} (goal <=1.02)`,
    );
    return judge(seen, balance);
  },
};

type Seen = Readonly<
  Record<"least-loaded" | "naive least-loaded" | "resource-based" | "naive resource-based", readonly number[]>
>;

function judge(seen: Seen, balance: number): Result {
  const [ll, rb] = [median(seen["least-loaded"]), median(seen["resource-based"])];
  const [naiveLl, naiveRb] = [median(seen["naive least-loaded"]), median(seen["naive resource-based"])];
  const ratio = Math.min(
    median(ratios(seen["least-loaded"], seen["naive least-loaded"])),
    median(ratios(seen["resource-based"], seen["naive resource-based"])),
  );
  const holds = ll >= LEAST_LOADED && rb >= RESOURCE_BASED && ratio >= NAIVE_FACTOR && balance <= 1.02;
  return {
    value: `least-loaded:${rate(ll)},resource-based:${rate(rb)}`,
    baseline: `naive:${rate(naiveLl)},${rate(naiveRb)}`,
    ratio,
    goal: `>=${LEAST_LOADED}/s,>=${RESOURCE_BASED}/s,>=${NAIVE_FACTOR}x`,
    holds,
    because: holds
      ? undefined
      : "Placing has grown dearer, or a neighbour took the core: profile packages/core/src/placement with node --cpu-prof; the filters that run per node are the first suspects.",
  };
}
