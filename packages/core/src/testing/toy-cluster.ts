import { deploymentStatus, type DeploymentStatus } from "../deployment/status.ts";
import { applyPlan } from "../world/apply.ts";
import { decide } from "../decide/decide.ts";
import { DEFAULT_SETTINGS } from "../world/world.ts";
import type { Settings, World } from "../world/world.ts";
import type { Change } from "../world/plan.ts";
import type { Deployment, DeploymentSpec } from "../model/deployment.ts";
import type { Location } from "../model/instance.ts";
import type { Node } from "../model/node.ts";
import { isFinal, isServing } from "../model/state.ts";
import { aDeployment, aWorld } from "./builders.ts";

/** How a container that is started turns out. */
export type Outcome = "runs" | "fails" | "hangs";

const NEXT: Readonly<Record<string, Location["state"]>> = {
  assigned: "preparing",
  preparing: "starting",
  starting: "running",
};

/**
 * A cluster of toys for tests of `decide` over time: agents that take one step a second, and a
 * scheduler that decides after each. It does what it is told and nothing else, so what is seen is
 * what was decided.
 */
export class ToyCluster {
  world: World;
  now = 1_000_000;
  readonly changes: Change[] = [];
  readonly #settings: Settings;
  /** Asked for each location about to run. */
  outcome: (location: Location) => Outcome = () => "runs";

  constructor(nodes: readonly Node[], settings: Settings = DEFAULT_SETTINGS) {
    this.world = aWorld({ nodes });
    this.#settings = settings;
  }

  /** Deploys a spec: a new deployment, or a new release of the one of this name. */
  deploy(spec: DeploymentSpec): string {
    const id = `acme.${spec.name}`;
    const known = this.world.deployments.find(one => one.id === id);
    const release = (known?.release ?? 0) + 1;
    const deployment = known ?? aDeployment({ id, name: spec.name, createdAt: this.now });
    this.world = {
      ...this.world,
      deployments: [
        ...this.world.deployments.filter(one => one.id !== id),
        { ...deployment, release, replicas: spec.replicas },
      ],
      releases: [...this.world.releases, { deploymentId: id, number: release, spec }],
    };
    return id;
  }

  /** Changes what is wanted of a deployment. */
  want(id: string, change: Partial<Deployment>): void {
    this.world = {
      ...this.world,
      deployments: this.world.deployments.map(one => (one.id === id ? { ...one, ...change } : one)),
    };
  }

  /** Changes a node. */
  turn(id: string, change: Partial<Node>): void {
    this.world = { ...this.world, nodes: this.world.nodes.map(one => (one.id === id ? { ...one, ...change } : one)) };
  }

  /** Decides and commits; answers what changed. */
  tick(): readonly Change[] {
    const plan = decide(this.world, this.#settings, this.now);
    this.world = applyPlan(this.world, plan, this.now);
    this.changes.push(...plan.changes);
    return plan.changes;
  }

  /** Lets seconds pass; `each` is called after every tick. */
  run(seconds: number, each: () => void = () => undefined): void {
    for (let second = 0; second < seconds; second++) {
      this.tick();
      each();
      this.#agents();
      this.now += 1000;
    }
  }

  /** Locations of a deployment that take requests now. */
  serving(deploymentId: string): readonly Location[] {
    return this.world.locations.filter(
      one =>
        one.deploymentId === deploymentId &&
        isServing(
          one,
          this.world.nodes.find(node => node.id === one.nodeId),
        ),
    );
  }

  /** What people are told of a deployment. */
  status(id: string): DeploymentStatus {
    const { deployments, releases, instances, locations } = this.world;
    const deployment = deployments.find(one => one.id === id)!;
    const release = releases.find(one => one.deploymentId === id && one.number === deployment.release)!;
    const records = instances
      .filter(one => one.deploymentId === id)
      .map(instance => ({ instance, locations: locations.filter(one => one.instanceId === instance.id) }));
    return deploymentStatus({ deployment, release }, records, node => node);
  }

  #agents(): void {
    this.world = { ...this.world, locations: this.world.locations.map(location => this.#agent(location)) };
  }

  #agent(location: Location): Location {
    const node = this.world.nodes.find(one => one.id === location.nodeId);
    if (node === undefined || node.liveness === "down") return location;
    const become = (state: Location["state"], more: Partial<Location> = {}): Location => ({
      ...location,
      ...more,
      state,
      changedAt: this.now,
    });
    if (location.desired === "stop")
      return location.state === "stopped" ? location : become("stopped", { containers: [] });
    if (isFinal(location.state) || location.state === "running") return location;
    const next = NEXT[location.state] ?? "running";
    if (next !== "running") return become(next);
    const outcome = this.outcome(location);
    if (outcome === "hangs") return location;
    return outcome === "fails"
      ? become("failed", { message: "app ended with exit code 1" })
      : become("running", { health: "healthy" });
  }
}
