import type { NodeFacts, SwarmNode, Usage } from "@skep/core/model/report.ts";
import type { InstanceEpoch } from "@skep/api/codec/lease.ts";
import type { LeaseClaim } from "@skep/core/identity/bridge.ts";
import type { ReportedVolume, Volume, VolumeOwner } from "@skep/core/model/volume.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Plan } from "@skep/core/world/plan.ts";
import type { PlatformIdentity } from "@skep/core/identity/platform-identity.ts";
import type { RecordsMark } from "@skep/core/identity/records-age.ts";
import type { Recovery } from "@skep/core/identity/recovery-records.ts";
import type { Serials } from "@skep/core/identity/serials.ts";
import type { Evidence } from "@skep/core/identity/strangers.ts";
import type { Assignment, Removal } from "@skep/core/model/assignment.ts";
import type { DeploymentChange } from "@skep/core/deployment/change.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { DeploymentId, DeploymentRecord, DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { InstanceId, InstanceRecord, Location } from "@skep/core/model/instance.ts";
import type { WorkspaceReach } from "@skep/core/workspace/reach.ts";
import type { Liveness, Node, NodeId, NodeLoad } from "@skep/core/model/node.ts";
import type { Route } from "@skep/core/model/routing.ts";
import type { Quota, Tenant, TenantId } from "@skep/core/model/tenant.ts";
import type { Committed, Raised, Stale } from "./commit-result.ts";
import type { BlockStore } from "./block-store.ts";
import type { KeyStore } from "./key-store.ts";
import type { StatusReport } from "./reports.ts";
import type { Page, PageRequest, Request } from "./request.ts";
import type { DeviceStore } from "./device-store.ts";
import type { GateStore } from "./gate-store.ts";
import type { PodStore } from "./pod-store.ts";
import type { ProjectStore } from "./project-store.ts";
import type { RuleStore } from "./rule-store.ts";
import type { ScalingStore } from "./scaling-store.ts";
import type { WebhookStore } from "./webhook-store.ts";
import type { Mandate } from "./mandate.ts";
import type { HostingStore } from "./hosting-store.ts";
import type { MoveStore } from "./move-store.ts";
import type { WorkspaceStore } from "./workspace-store.ts";

/** Who leads: the holder of the one row in `leases`. Time is the database's own. */
export interface Lease {
  readonly holder: string;
  /** Grows whenever the lease changes hands; every commit of the leader is checked against it. */
  readonly term: number;
  readonly expiresInMs: number;
  /** Changes with each renewal. */
  readonly mark: string;
  /** The database's time when it answered, ms since the epoch: what the records' times go by. */
  readonly at: number;
  /** Of the database that answered. */
  readonly identity: PlatformIdentity;
}

/** The four things only the leading scheduler and its followers do: see `loop/leader.ts`. */
export interface LeaseStore {
  /**
   * Takes a free or expired lease, or renews one's own. Answers the lease as it stands then,
   * whoever holds it. A lease that is still just what `stalled` says is taken too, though it has
   * not expired by the database's clock, which may have been set back.
   */
  takeLease(holder: string, ttlMs: number, stalled?: Lease): Promise<Lease>;
  /** Gives one's own lease back at once, so that nobody has to wait; another's is left alone. */
  releaseLease(holder: string): Promise<void>;
  readLease(): Promise<Lease | undefined>;
}

/** Something that no record explains and that is to be removed from a node. */
export interface NodeRemoval extends Removal {
  readonly nodeId: NodeId;
}

/** What the tick needs (desired state is its alone). */
export interface PlanStore {
  /**
   * One snapshot of everything. Records that did not change since this store's last answer may be
   * the same objects.
   */
  loadWorld(): Promise<World>;
  /**
   * Writes the whole plan in one transaction, or nothing: refused as `stale` when the lease is not
   * the mandate's any more, an instance's epoch, a deployment's `nextSerial` or what the plan's
   * basis names moved on, or a host port is taken. Raises the assignment revision of every node the
   * plan touches and returns the new ones.
   */
  commit(plan: Plan, mandate: Mandate, now: number): Promise<Committed | Stale>;
  /**
   * Records what is to be removed from nodes; it stands in their assignments until a report says
   * that it is gone. Raises the revisions of their nodes and answers them, also where a removal was
   * recorded already: a leader that asks has told the node an assignment without it. `stale` as in
   * `commit`.
   */
  saveRemovals(removals: readonly NodeRemoval[], mandate: Mandate, now: number): Promise<Raised | Stale>;
  /** Every removal that no report has called done. */
  loadRemovals(): Promise<readonly NodeRemoval[]>;
  /**
   * What the records say of a node and of these instances, and how old they are, as one snapshot.
   */
  loadEvidence(nodeId: NodeId, instanceIds: readonly InstanceId[]): Promise<Evidence & { readonly mark: RecordsMark }>;
  /**
   * Records that these are not the records of the fleet, so that every leader knows. Answers
   * whether this was news; it is none where the lease is not the mandate's any more.
   */
  markUnrecovered(because: string, mandate: Mandate, now: number): Promise<boolean>;
  /** What the node is to run, from the records, with its current revision and the current term. */
  loadAssignment(nodeId: NodeId): Promise<Assignment | undefined>;
  /** The spec of a release of which the node has a location; a node learns of no other. */
  loadSpec(nodeId: NodeId, deploymentId: DeploymentId, release: number): Promise<DeploymentSpec | undefined>;
  /** Records what the leader believes of nodes. @throws SkepError `aborted` `LEASE_LOST`. */
  saveLiveness(liveness: ReadonlyMap<NodeId, Liveness>, mandate: Mandate): Promise<void>;
}

/** Answer to a saved report: a session that is not known has to send everything. */
export interface SavedReport {
  readonly accepted: boolean;
  readonly needFull: boolean;
  /**
   * Whether nothing newer of its session was saved before it; a repetition of the newest counts.
   */
  readonly fresh: boolean;
  /** Whether a state or a health changed, so that the tick has reason to look. */
  readonly changed: boolean;
}

/** Which copies may run on. */
export interface RenewedLeases {
  readonly granted: readonly InstanceEpoch[];
  /** Whether the records are not the fleet's, so that they were not asked. */
  readonly isBridged: boolean;
}

/** What `absorb` writes: status columns and nothing else. */
export interface StatusStore {
  /**
   * Answers the address at which the node is reached: the one of the Swarm's list once that has had
   * one, else the agent's word.
   */
  saveFacts(facts: NodeFacts, now: number): Promise<string>;
  /**
   * Idempotent; an older seq of the same session is accepted without effect. What it calls gone is
   * also no longer to be removed.
   */
  saveReport(report: StatusReport, now: number): Promise<SavedReport>;
  /**
   * Load and last sight of many nodes in one statement, by the leader. @throws SkepError `aborted`
   * `LEASE_LOST`.
   */
  saveBeats(
    beats: readonly { readonly nodeId: NodeId; readonly load: NodeLoad | undefined }[],
    mandate: Mandate,
    now: number,
  ): Promise<void>;
  /**
   * Lets exclusive copies of the node run for `leaseMs` more by the database's clock, and answers
   * which: those that are recorded there as the latest of their instances and not over, and whose
   * deployment has no bridge to another copy. One that is to stop has its lease until it has
   * stopped. While the records are not the fleet's it goes by core's `judgeClaim` instead. It
   * answers after the commit.
   */
  renewLeases(
    nodeId: NodeId,
    claims: readonly LeaseClaim[],
    terms: { readonly leaseMs: number; readonly mayBegin: boolean },
  ): Promise<RenewedLeases>;
  saveUsage(usage: readonly Usage[], now: number): Promise<void>;
  /**
   * What a manager's engine says of all Swarm nodes; an older `versionIndex` of a node changes
   * nothing. Answers whether anything changed.
   */
  saveSwarmNodes(nodes: readonly SwarmNode[], now: number): Promise<boolean>;
  /**
   * Per node: xor over its live locations (not stopped, failed or lost) of the first 64 bits of md5
   * of core's `digestText`, and their number.
   */
  loadDigests(): Promise<ReadonlyMap<NodeId, { readonly digest: bigint; readonly count: number }>>;
  /**
   * The reconcile's repair: the row as the agent sees it, for an instance that is recorded at this
   * very epoch. Answers whether it is written: it is not where there is a row already, or where one
   * of its host ports has another user. Raises the node's assignment revision: its agent may work
   * by an assignment that was made without the row.
   * @throws SkepError `aborted` `LEASE_LOST`.
   */
  restoreLocation(location: Location, mandate: Mandate): Promise<boolean>;
}

/** What the API reads and writes: spec, and nothing that the tick or an agent writes. */
export interface SpecStore {
  /** @throws SkepError `already_exists`. */
  createTenant(tenant: Tenant, request: Request): Promise<Tenant>;
  /** @throws SkepError `not_found`. */
  updateTenant(id: TenantId, quota: Quota, request: Request): Promise<Tenant>;
  /**
   * Its volumes go with it. @throws SkepError `not_found`, or `failed_precondition` while it has
   * deployments.
   */
  deleteTenant(id: TenantId, request: Request): Promise<void>;
  getTenant(id: TenantId): Promise<Tenant | undefined>;
  listTenants(page: PageRequest): Promise<Page<Tenant>>;
  /**
   * @throws SkepError `already_exists` (name), `failed_precondition` `DEPLOYMENT_DELETED` (the
   * name's last holder is still being deleted), `failed_precondition` `DOMAIN_TAKEN` (another
   * tenant routes the domain) or `DOMAIN_KEPT` (it did until lately), `not_found` (tenant),
   * `resource_exhausted` (quota), `aborted` (idempotency key used for another request).
   */
  createDeployment(
    tenantId: TenantId,
    spec: DeploymentSpec,
    routes: readonly Route[],
    request: Request,
    now: number,
  ): Promise<DeploymentRecord>;
  /**
   * @throws as `createDeployment`; `aborted` `STALE_VERSION` when `expectVersion` is given and is
   * not the current one.
   */
  changeDeployment(
    id: DeploymentId,
    change: DeploymentChange,
    expectVersion: number | undefined,
    request: Request,
    now: number,
  ): Promise<DeploymentRecord>;
  getDeployment(id: DeploymentId): Promise<DeploymentRecord | undefined>;
  listDeployments(filter: { readonly tenantId?: TenantId }, page: PageRequest): Promise<Page<DeploymentRecord>>;
  listInstances(filter: InstanceFilter, page: PageRequest): Promise<Page<InstanceRecord>>;
  /** Latest resource use per instance and epoch, where an agent has reported it. */
  loadUsage(instanceIds: readonly InstanceId[]): Promise<readonly Usage[]>;
  listNodes(): Promise<readonly NodeRecord[]>;
  listRoutes(filter: {
    readonly tenantId?: TenantId;
    readonly domain?: string;
    readonly deploymentId?: DeploymentId;
  }): Promise<readonly Route[]>;
  /**
   * Asks for no mandate: a decision tells of a write that was made, whoever leads since.
   */
  saveDecisions(decisions: readonly Decision[]): Promise<void>;
  /**
   * In the order of their times, the oldest first; what was saved in the same millisecond in the
   * order of its saving.
   */
  listDecisions(
    filter: { readonly deploymentId?: DeploymentId; readonly instanceId?: InstanceId; readonly sinceAt?: number },
    page: PageRequest,
  ): Promise<Page<Decision>>;
}

/** Which instances are wanted; absent parts do not filter. */
export interface InstanceFilter {
  readonly tenantId?: TenantId;
  readonly deploymentId?: DeploymentId;
  readonly nodeId?: NodeId;
  readonly instanceId?: InstanceId;
}

/** A node with what only lists show. */
export interface NodeRecord {
  readonly node: Node;
  readonly seenAt: number | undefined;
  readonly instances: number;
  readonly swarmState: string;
}

/** What can be routed to, and whose records say so. */
export interface Edge {
  readonly routes: readonly Route[];
  readonly locations: readonly Location[];
  readonly nodes: readonly Node[];
  /** Each placed workspace once, by id. */
  readonly workspaces: readonly WorkspaceReach[];
  readonly identity: PlatformIdentity;
  /** Of the last leader; 0 where there was none. */
  readonly term: number;
}

/** What the edge needs to write Traefik's configuration. */
export interface EdgeStore {
  loadEdge(): Promise<Edge>;
}

/** Which volumes are wanted; absent parts do not filter. */
export interface VolumeFilter {
  readonly tenantId?: TenantId;
  readonly owner?: VolumeOwner;
}

/** The records of which node holds which volume. */
export interface VolumeStore {
  /** By tenant, owner, name and serial. */
  listVolumes(filter: VolumeFilter): Promise<readonly Volume[]>;
  /**
   * The volume's data is to go: its node is told so, and its record stays until the node says that
   * it has.
   */
  giveUpVolume(volume: Volume, request: Request, now: number): Promise<void>;
  /** As `giveUpVolume`, for all that an owner has. */
  giveUpVolumes(owner: VolumeOwner, request: Request, now: number): Promise<void>;
  /** All volumes that a node has. Answers whether something was found or has gone. */
  saveVolumes(nodeId: NodeId, volumes: readonly ReportedVolume[], now: number): Promise<boolean>;
}

/** How far back history goes: what is older than these times may be deleted. */
export interface Horizon {
  readonly keysAt: number;
  readonly decisionsAt: number;
  readonly auditAt: number;
  /** Domains that were freed before are nobody's. */
  readonly domainsAt: number;
  /**
   * How many releases of a deployment are kept, the wanted one among them; so is each that
   * something runs.
   */
  readonly keepReleases: number;
}

/** Keeps the tables that only grow from growing for ever. */
export interface HistoryStore {
  /**
   * Deletes what is beyond the horizon, at most `most` of each; answers how many went.
   * @throws SkepError `aborted` `LEASE_LOST`.
   */
  pruneHistory(before: Horizon, most: number, mandate: Mandate): Promise<number>;
}

/** Something that runs on a node without a record and is left alone. */
export interface Orphan extends NodeRemoval {
  readonly since: number;
}

/** What people have to know of the records as a whole. */
export interface PlatformStore {
  loadIdentity(): Promise<PlatformIdentity>;
  /** By deployment id, of every name that ever had one. */
  loadSerials(): Promise<ReadonlyMap<DeploymentId, Serials>>;
  /**
   * Writes a whole recovery in one transaction, and ends the present lease, so that the next leader
   * begins on what is recorded then. @throws SkepError `aborted` `INCARNATION_CHANGED` where the
   * incarnation is not `from` any more.
   */
  recover(recovery: Recovery, from: string, request: Request, now: number): Promise<void>;
  /**
   * Records all that is left alone on a node, in place of what was. The numbers of a name that is
   * recorded go on beyond what is left alone (core's `skipBeyond`), in the same statement; those of
   * one that is made later begin beyond it. @throws SkepError `aborted` `LEASE_LOST`.
   */
  saveOrphans(nodeId: NodeId, orphans: readonly Removal[], mandate: Mandate, now: number): Promise<void>;
  /** By node and instance. */
  listOrphans(): Promise<readonly Orphan[]>;
}

/** A scheduler that told lately that it lives. */
export interface Replica {
  readonly name: string;
  readonly version: string;
  /** The name by which it takes the lease. */
  readonly holder: string;
  /** Whether it led when it told. Whoever holds the lease leads now. */
  readonly leading: boolean;
  /** Whether it moves nothing, because too many nodes are silent. */
  readonly frozen: boolean;
  /** How long ago it told, by the database's clock. */
  readonly agoMs: number;
}

/** How the schedulers know of each other; for people, nothing is decided by it. */
export interface ReplicaStore {
  /** Tells that this replica lives; answers all that told so within the last minute, by name. */
  tellReplica(replica: Omit<Replica, "agoMs">): Promise<readonly Replica[]>;
}

/**
 * All records of the control plane, behind one port: Postgres is the real one, `memory.ts` its
 * twin.
 */
export interface Store
  extends
    LeaseStore,
    PlanStore,
    StatusStore,
    SpecStore,
    VolumeStore,
    EdgeStore,
    HistoryStore,
    ReplicaStore,
    PlatformStore,
    BlockStore,
    KeyStore,
    WorkspaceStore,
    RuleStore,
    ScalingStore,
    WebhookStore,
    DeviceStore,
    GateStore,
    PodStore,
    ProjectStore,
    HostingStore,
    MoveStore {
  /** Answers when the store can be used. @throws SkepError `unavailable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
