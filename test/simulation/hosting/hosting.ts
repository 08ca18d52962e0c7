import { beginLife, type Platform } from "../platform.ts";
import { SimBroker } from "./broker.ts";
import { SimDatabases } from "./databases.ts";
import { Devices } from "./devices.ts";
import { HostRule } from "./host-rule.ts";
import { startHost, type SimHost } from "./hosts.ts";
import type { Engines } from "./containers.ts";

/** The hosts of workspaces beside the fleet, the engines that they work on, and the devices. */
export interface Hosting extends Engines {
  readonly names: readonly string[];
  /** The present life of each host by its name. */
  readonly hosts: Map<string, SimHost>;
  readonly devices: Devices;
  start(name: string): void;
  /** What is missing until each workspace that is wanted has one owner, which reads. */
  gaps(): readonly string[];
}

const NAMES = ["shared-1", "shared-2", "shared-3"] as const;
/** Clocks that go faster and slower than others, as none of a whole machine does. */
const RATES = [1, 1, 0.99, 1.01] as const;
/** So long a message may wait at the broker while its workspace has an owner. */
const READ_WITHIN_MS = 3_000;

/** Makes the engines; no host runs and no device sends yet. */
export function createHosting(platform: Platform): Hosting {
  const broker = new SimBroker(platform, "broker");
  const databases = new SimDatabases(platform, "databases of workspaces");
  const rule = new HostRule(platform);
  const hosts = new Map<string, SimHost>();
  const devices = new Devices(platform, broker);
  const rates = platform.chance("rates of hosts");
  platform.hosting = {
    ...{ broker, databases, rule, hosts, devices, names: NAMES },
    start: name => {
      const life = beginLife(platform, name, rates.pick(RATES));
      // On machines of the fleet: one that is drained gives its workspaces away.
      const nodeId = platform.nodes[NAMES.indexOf(name as (typeof NAMES)[number])]?.id ?? "";
      hosts.set(name, startHost(platform, life, { broker, databases, rule }, nodeId));
    },
    gaps: () => {
      const wanted = [...platform.database.records.workspaces.values()].filter(one => one.desired === "run");
      const late = platform.clock.now() - READ_WITHIN_MS;
      return wanted.flatMap(({ id, waiting }) => {
        const owners = rule.owners(id).length;
        if (owners !== 1) return [`workspace ${id} has ${owners} owners (${waiting || "placed"})`];
        const unread = broker.waiting(id).find(one => one.at < late);
        return unread === undefined ? [] : [`message ${unread.number} of ${id} is not read`];
      });
    },
  };
  return platform.hosting;
}
