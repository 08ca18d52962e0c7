import { request, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import type { Platform } from "./platform.ts";

/** One run of a container, by its engine's own clock in ns; all engines of a fleet share one. */
export interface Run {
  readonly node: string;
  readonly container: string;
  readonly startedAt: number;
  /** Infinity while it runs. */
  readonly endedAt: number;
}

/** Follows the starts and ends of a deployment's containers on every engine. */
export interface RunWatch {
  /** The runs so far, by when they started. */
  runs(): readonly Run[];
  /** Ends it. @throws Error when an engine's events broke off: runs may have been missed then. */
  stop(): readonly Run[];
}

/**
 * Begins a watch and resolves once every engine tells its events. Events have no gaps, as samples
 * have: two copies that overlap for a moment are seen.
 */
export async function watchRuns(platform: Platform, deployment: string): Promise<RunWatch> {
  const runs: Run[] = [];
  const broken: string[] = [];
  const streams = await Promise.all(
    platform.fleet.nodes.map(async node => {
      const stream = await openEvents(node.socket, deployment);
      stream.on("close", () => broken.push(node.name));
      stream.on("error", () => undefined);
      createInterface({ input: stream }).on("line", line => note(runs, node.name, JSON.parse(line) as EngineEvent));
      return stream;
    }),
  );
  const sorted = (): readonly Run[] => runs.toSorted((a, b) => a.startedAt - b.startedAt);
  return {
    runs: sorted,
    stop() {
      const lost = [...broken];
      for (const stream of streams) stream.destroy();
      if (lost.length > 0) throw new Error(`the events of ${lost.join(", ")} broke off`);
      return sorted();
    },
  };
}

/** The runs that began before an earlier one had ended, each with that one. */
export function overlaps(runs: readonly Run[]): readonly (readonly [Run, Run])[] {
  return runs.flatMap((run, at) =>
    runs
      .slice(0, at)
      .filter(earlier => run.startedAt < earlier.endedAt)
      .map(earlier => [earlier, run] as const),
  );
}

interface EngineEvent {
  readonly Action: string;
  readonly Actor: { readonly ID: string };
  readonly timeNano: number;
}

function note(runs: Run[], node: string, { Action, Actor, timeNano }: EngineEvent): void {
  if (Action === "start") runs.push({ node, container: Actor.ID, startedAt: timeNano, endedAt: Infinity });
  if (Action !== "die") return;
  const at = runs.findLastIndex(run => run.container === Actor.ID && run.endedAt === Infinity);
  if (at >= 0) runs[at] = { ...runs[at]!, endedAt: timeNano };
}

function openEvents(socketPath: string, deployment: string): Promise<IncomingMessage> {
  const filters = { type: ["container"], event: ["start", "die"], label: [`skep.deployment=${deployment}`] };
  const path = `/events?filters=${encodeURIComponent(JSON.stringify(filters))}`;
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, agent: false }, answer => {
      if (answer.statusCode === 200) resolve(answer);
      else reject(new Error(`GET ${path} on ${socketPath}: status ${answer.statusCode}`));
    });
    asked.on("error", reject);
    asked.end();
  });
}
