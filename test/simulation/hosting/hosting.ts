import type { MigrationTimes } from "@skep/core/workspace/migration-state.ts";
import { isOver } from "@skep/core/workspace/migration.ts";
import type { WorkspaceRecord } from "@skep/core/workspace/record.ts";
import { sideOf, type BrokerSide } from "@skep/core/workspace/broker.ts";
import { beginLife, type Platform } from "../platform.ts";
import { SimBroker } from "./broker.ts";
import { SimDatabases } from "./databases.ts";
import { Devices, type Half } from "./devices.ts";
import { startGate, type SimGate } from "./gates.ts";
import { HostRule } from "./host-rule.ts";
import { startHost, type SimHost } from "./hosts.ts";
import { keepPods, type SimPods } from "./pods.ts";

/** The hosts of workspaces beside the fleet, the engines that they work on, and the devices. */
export interface Hosting extends Half {
  readonly names: readonly string[];
  readonly rule: HostRule;
  /** The present life of each shared host by its name. */
  readonly hosts: Map<string, SimHost>;
  readonly devices: Devices;
  /** Brokers and databases of the workspaces that have their own. */
  readonly own: Half;
  /** Where devices come in, and what has pods of their own; only where workspaces move. */
  readonly gates: readonly SimGate[];
  readonly pods: SimPods | undefined;
  readonly moveTimes: MigrationTimes | undefined;
  start(name: string): void;
  /** Workspaces of which a tenant knows that not all was read. */
  readonly excused: Set<string>;
  /** Workspaces that are wanted, and have no owner or several. */
  unowned(): readonly string[];
  /** What is missing until each workspace that is wanted has one owner, which reads. */
  gaps(): readonly string[];
  /** Messages that were acknowledged and that nobody has, of the workspaces that are judged. */
  lost(isJudged?: (workspaceId: string) => boolean): readonly string[];
}

const NAMES = ["shared-1", "shared-2", "shared-3"] as const;
const GATES = ["gate-1", "gate-2"] as const;
/** Clocks that go faster and slower than others, as none of a whole machine does. */
const RATES = [1, 1, 0.99, 1.01] as const;
/** So long a message may wait at the broker while its workspace has an owner. */
const READ_WITHIN_MS = 3_000;

/** Makes the engines; nothing runs or sends yet. Workspaces move where there are times for it. */
export function createHosting(platform: Platform, moveTimes?: MigrationTimes): Hosting {
  const half = (name: string): Half => ({
    broker: new SimBroker(platform, name),
    databases: new SimDatabases(platform, `databases of ${name}`),
  });
  const halves = { shared: half("broker"), own: half("own broker") };
  const rule = new HostRule(platform);
  const hosts = new Map<string, SimHost>();
  const rates = platform.chance("rates of hosts");
  const { records } = platform.database;
  const gates: SimGate[] = [];
  const devices = new Devices(platform, halves, gates);
  const whereIs = (id: string): BrokerSide =>
    sideOf(records.workspaces.get(id)?.connector.config.resources.type ?? "shared");
  let pods: SimPods | undefined;
  const processOf = (name: string, workspaceId: string): SimHost | undefined =>
    hosts.get(name) ?? (name === `own-${workspaceId}` ? pods?.hostOf(workspaceId) : undefined);
  const begin = (name: string, nodeId: string, workspaceId?: string): SimHost => {
    const life = beginLife(platform, name, rates.pick(RATES));
    const engines = { ...halves[workspaceId === undefined ? "shared" : "own"], rule };
    return startHost(platform, life, { engines, nodeId, workspaceId, processOf });
  };
  if (moveTimes !== undefined) {
    for (const name of GATES) gates.push(startGate(platform, name, () => devices.workspaces()));
    pods = keepPods(platform, halves.own, id => begin(`own-${id}`, "", id));
  }
  const wanted = (): WorkspaceRecord[] => [...records.workspaces.values()].filter(one => one.desired === "run");
  platform.hosting = {
    excused: new Set(),
    unowned: () => wanted().flatMap(({ id }) => (rule.owners(id).length === 1 ? [] : [id])),
    ...{ ...halves.shared, own: halves.own, rule, hosts, devices, names: NAMES, gates, pods, moveTimes },
    start: name => {
      // On machines of the fleet: one that is drained gives its workspaces away.
      const nodeId = platform.nodes[NAMES.indexOf(name as (typeof NAMES)[number])]?.id ?? "";
      hosts.set(name, begin(name, nodeId));
    },
    gaps: () => {
      const late = platform.clock.now() - READ_WITHIN_MS;
      return wanted().flatMap(({ id, waiting }) => {
        const move = records.workspaceMoves.get(id);
        if (move !== undefined && !isOver(move)) return [`${id} moves: ${move.stage}, ${move.because}`];
        const owners = rule.owners(id).length;
        if (owners !== 1) return [`workspace ${id} has ${owners} owners (${waiting || "placed"})`];
        const unread = halves[whereIs(id)].broker.waiting(id).find(one => one.at < late);
        return unread === undefined ? [] : [`message ${unread.number} of ${id} is not read`];
      });
    },
    lost: (isJudged = () => true) =>
      devices.workspaces().flatMap(id => (isJudged(id) ? devices.lost(id, whereIs(id)) : [])),
  };
  return platform.hosting;
}
