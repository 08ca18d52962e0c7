import type { Deployment, Release } from "../model/deployment.ts";
import type { Instance, InstanceId, Location, ReleasedPort } from "../model/instance.ts";
import type { Node, TenantsOnManagers } from "../model/node.ts";
import type { Volume } from "../model/volume.ts";
import type { Tenant } from "../model/tenant.ts";

/** The snapshot that `decide` sees: everything that is recorded, nothing that is not. */
export interface World {
  readonly tenants: readonly Tenant[];
  readonly nodes: readonly Node[];
  readonly deployments: readonly Deployment[];
  /** At least every release that a deployment or an instance names. */
  readonly releases: readonly Release[];
  readonly instances: readonly Instance[];
  readonly locations: readonly Location[];
  /** Host ports that wait out their quarantine; those whose time is over may be among them. */
  readonly releasedPorts: readonly ReleasedPort[];
  readonly volumes: readonly Volume[];
  /** Number of placements ever made; the next one gets this plus one. */
  readonly placements: number;
  /**
   * Instances whose row has vanished, and until when their agents are asked: a copy may run that no
   * row shows. Only the loop that decides keeps this; nothing records it.
   */
  readonly unseen?: ReadonlyMap<InstanceId, number>;
}

/** What an operator can tune, in milliseconds and counts. */
export interface Settings {
  /** Silence after which a node gets no new work. */
  readonly suspectAfterMs: number;
  /** Silence after which a node whose peers cannot reach it either is down. */
  readonly downAfterMs: number;
  /**
   * How long a retired location still runs, so that every edge has taken the new routes before it
   * stops.
   */
  readonly edgeSettleMs: number;
  /** How long a placement may stay short of running before another node is tried. */
  readonly startDeadlineMs: number;
  /**
   * How long the old copy of a moved instance may be unwell before it stops, while the new one does
   * not serve yet.
   */
  readonly moveGraceMs: number;
  /** How long an exclusive copy may run without a word from a scheduler. */
  readonly exclusiveLeaseMs: number;
  /** How long a stopped instance's record is kept. */
  readonly keepStoppedMs: number;
  /**
   * How long a host port waits after its user was forgotten before somebody else gets it: longer
   * than any edge can hold a route to it.
   */
  readonly portQuarantineMs: number;
  /**
   * How many times the memory of a node its containers' limits may come to, all together: of each
   * limit a share of one over this counts as reserved. Cpu has no such bound, since a core can be
   * shared.
   */
  readonly memoryOvercommit: number;
  /** What tenants may do on the nodes of the control plane. */
  readonly tenantsOnManagers: TenantsOnManagers;
}

/** The part of the settings that placement goes by. */
export type PlacementSettings = Pick<Settings, "memoryOvercommit" | "tenantsOnManagers">;

/** The defaults that the README documents. */
export const DEFAULT_SETTINGS: Settings = {
  suspectAfterMs: 3_000,
  downAfterMs: 6_000,
  edgeSettleMs: 3_000,
  startDeadlineMs: 300_000,
  moveGraceMs: 60_000,
  exclusiveLeaseMs: 15_000,
  keepStoppedMs: 60_000,
  portQuarantineMs: 300_000,
  memoryOvercommit: 10,
  tenantsOnManagers: "avoid",
};
