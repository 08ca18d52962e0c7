import type { Usage } from "@skep/core/model/report.ts";
import type { PlatformIdentity } from "@skep/core/identity/platform-identity.ts";
import type { Volume } from "@skep/core/model/volume.ts";
import type { Bridge } from "@skep/core/identity/bridge.ts";
import type { NodeKey } from "@skep/core/identity/admission.ts";
import type { Serials } from "@skep/core/identity/serials.ts";
import type { Deployment, Release } from "@skep/core/model/deployment.ts";
import type { Instance, Location, ReleasedPort } from "@skep/core/model/instance.ts";
import { isLive } from "@skep/core/model/state.ts";
import type { Node } from "@skep/core/model/node.ts";
import type { Route } from "@skep/core/model/routing.ts";
import type { Tenant } from "@skep/core/model/tenant.ts";
import type { GateReport, WorkspaceBroker } from "@skep/core/workspace/broker.ts";
import type { KnownDevice } from "@skep/core/workspace/device.ts";
import type { RuleRecord } from "@skep/core/rules/record.ts";
import type { HostedStatus } from "@skep/core/workspace/host-report.ts";
import type { WorkspaceLocation } from "@skep/core/workspace/host.ts";
import type { Migration } from "@skep/core/workspace/migration-state.ts";
import type { RecordedHost } from "@skep/core/workspace/hosting-plan.ts";
import type { WebhookRecord } from "@skep/core/workspace/webhook.ts";
import type { WorkspaceRecord } from "@skep/core/workspace/record.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { NodeRemoval, Orphan, Replica } from "./store.ts";

/** A node with the agent's session, as `node_metadata` has it. */
export interface NodeEntry {
  node: Node;
  sessionId: string | undefined;
  reportSeq: number;
  reportedFull: boolean;
  seenAt: number | undefined;
  swarmState: string;
  swarmVersion: number;
}

/** A host, as `workspace_hosts` has it. */
export interface HostRow extends RecordedHost {
  /** Where it is reached. */
  readonly address: string;
  readonly eventsPort: number;
  /** When it last reported. */
  readonly seenAt: number;
  readonly seq: number;
  readonly revision: number;
}

/** A placement of a workspace, as `workspace_locations` has it. */
export interface LocatedRow extends WorkspaceLocation, Omit<HostedStatus, "state"> {
  readonly changedAt: number;
}

/** Where the devices of a workspace were sent, as `workspace_brokers` has it. */
export interface SwitchedDevices extends Pick<WorkspaceBroker, "side" | "serial"> {
  readonly switchedAt: number;
}

/** An answer that was given under an idempotency key. */
export interface Answer {
  readonly hash: string;
  readonly response: unknown;
  readonly at: number;
}

/** All tables, in memory. Keys are those of the real ones. */
export interface Records {
  platform: PlatformIdentity;
  lease: { holder: string; term: number; expiresAt: number; placements: number } | undefined;
  readonly tenants: Map<string, Tenant>;
  readonly deployments: Map<string, Deployment>;
  /** By deployment id and number. */
  readonly releases: Map<string, Release>;
  readonly routes: Map<string, readonly Route[]>;
  /** Domains that nothing routes any more: whose they were, and since when. */
  readonly freed: Map<string, { readonly tenantId: string; readonly at: number }>;
  readonly instances: Map<string, Instance>;
  /** By `locationKey`. */
  readonly locations: Map<string, Location>;
  releasedPorts: readonly ReleasedPort[];
  readonly nodes: Map<string, NodeEntry>;
  /** By `volumeKey`. */
  readonly volumes: Map<string, Volume>;
  /** Until when each exclusive copy may run, by `locationKey`. */
  readonly leases: Map<string, number>;
  /** By deployment id. */
  readonly bridges: Map<string, Bridge>;
  readonly nodeKeys: Map<string, NodeKey>;
  readonly usage: Map<string, Usage>;
  readonly decisions: { readonly id: number; readonly decision: Decision }[];
  readonly audits: { readonly at: number; readonly actor: string; readonly action: string }[];
  readonly answers: Map<string, Answer>;
  /** By deployment id; no deletion touches it. */
  readonly serials: Map<string, Serials>;
  /** By node and `locationKey`. */
  readonly removals: Map<string, NodeRemoval>;
  /** By node and `locationKey`. */
  readonly orphans: Map<string, Orphan>;
  readonly workspaces: Map<string, WorkspaceRecord>;
  /** By workspace, kind and name: the versions that are kept, the oldest first. */
  readonly rules: Map<string, readonly RuleRecord[]>;
  /** Whose data stayed as a workspace was dropped, by its id. */
  readonly workspaceRemains: Map<string, string>;
  /** By workspace and name. */
  readonly webhooks: Map<string, WebhookRecord>;
  /** By user name. */
  readonly devices: Map<string, KnownDevice>;
  /** Where the devices of workspaces were sent, as `workspace_brokers` has it. */
  readonly workspaceBrokers: Map<string, SwitchedDevices>;
  readonly gates: Map<string, Omit<GateReport, "gateId"> & { readonly seenAt: number }>;
  readonly workspaceHosts: Map<string, HostRow>;
  /** By workspace and epoch. */
  readonly workspaceLocations: Map<string, LocatedRow>;
  /** The latest of each workspace. */
  readonly workspaceMoves: Map<string, Migration>;
  readonly hostKey: string;
  readonly replicas: Map<string, Omit<Replica, "name" | "agoMs"> & { readonly at: number }>;
}

const DEFAULT_TENANT: Tenant = {
  id: "default",
  quota: { instances: undefined, cpuMillis: undefined, memoryBytes: undefined },
};

let made = 0;

/**
 * Another one with each call, as each database has its own; of one length, so that messages are
 * too.
 */
function freshIncarnation(): string {
  return `inc_${String(++made).padStart(8, "0")}`;
}

/** Tables as the migrations leave them: empty but for the tenant `default` and an identity. */
export function emptyRecords(incarnation: string = freshIncarnation()): Records {
  return {
    platform: {
      incarnation,
      succeeds: [],
      serialFloor: 0,
      unrecovered: undefined,
      receiptKey: `key of ${incarnation}`,
    },
    lease: undefined,
    tenants: new Map([["default", DEFAULT_TENANT]]),
    deployments: new Map(),
    releases: new Map(),
    routes: new Map(),
    freed: new Map(),
    instances: new Map(),
    locations: new Map(),
    releasedPorts: [],
    nodes: new Map(),
    volumes: new Map(),
    leases: new Map(),
    bridges: new Map(),
    nodeKeys: new Map(),
    usage: new Map(),
    decisions: [],
    audits: [],
    answers: new Map(),
    serials: new Map(),
    removals: new Map(),
    orphans: new Map(),
    workspaces: new Map(),
    rules: new Map(),
    webhooks: new Map(),
    workspaceRemains: new Map(),
    devices: new Map(),
    workspaceBrokers: new Map(),
    gates: new Map(),
    workspaceHosts: new Map(),
    workspaceLocations: new Map(),
    workspaceMoves: new Map(),
    hostKey: `host key of ${incarnation}`,
    replicas: new Map(),
  };
}

/** Puts other tables in place of these, as a restore does; those who hold them see the new rows. */
export function replaceRecords(records: Records, by: Records): void {
  for (const key of Object.keys(records) as (keyof Records)[]) {
    const [mine, theirs] = [records[key] as unknown, by[key] as unknown];
    if (mine instanceof Map) {
      mine.clear();
      for (const [id, one] of theirs as Map<unknown, unknown>) mine.set(id, one);
    } else if (key === "decisions" || key === "audits") {
      const list = mine as unknown[];
      list.splice(0, list.length, ...(theirs as unknown[]));
    } else Object.assign(records, { [key]: theirs });
  }
}

/** Key of a release. */
export function releaseKey(deploymentId: string, number: number): string {
  return `${deploymentId} ${number}`;
}

/** Key of a location. */
export function locationKey(of: { readonly instanceId: string; readonly epoch: number }): string {
  return `${of.instanceId} ${of.epoch}`;
}

/** Key of a removal. */
export function removalKey(of: {
  readonly nodeId: string;
  readonly instanceId: string;
  readonly epoch: number;
}): string {
  return `${of.nodeId} ${locationKey(of)}`;
}

/** Items in the order of a key, by code units as the database's "C" collation has it. */
export function inOrder<T>(items: Iterable<T>, keyOf: (item: T) => string): T[] {
  return [...items].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
}

/** Number of live locations on a node. */
export function liveOn(records: Records, nodeId: string): number {
  let count = 0;
  for (const location of records.locations.values()) if (location.nodeId === nodeId && isLive(location)) count += 1;
  return count;
}

/** Who owns a domain: the tenant of whatever routes it. */
export function ownerOf(records: Records, domain: string): string | undefined {
  for (const routes of records.routes.values()) {
    const found = routes.find(route => route.domain === domain);
    if (found !== undefined) return found.tenantId;
  }
  return undefined;
}

/**
 * Sets or takes away the routes of a deployment. A domain that loses its last one is kept for its
 * tenant.
 */
export function setRoutes(records: Records, deploymentId: string, routes: readonly Route[], now: number): void {
  const before = records.routes.get(deploymentId) ?? [];
  if (routes.length === 0) records.routes.delete(deploymentId);
  else records.routes.set(deploymentId, routes);
  for (const { domain } of routes) records.freed.delete(domain);
  for (const { domain, tenantId } of before) {
    if (ownerOf(records, domain) === undefined) records.freed.set(domain, { tenantId, at: now });
  }
}
