import type { NodeId } from "../model/node.ts";
import { mountKey } from "../model/volume.ts";
import type { Ask, Filter } from "./ask.ts";
import { homesOf, nearOf, togetherWith } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import type { Need } from "./need.ts";
import { verb } from "./words.ts";

/** All filters that can refuse an ask. */
type FiltersOf = (ask: Ask, fleet: Fleet) => readonly Filter[];

/**
 * The filters that keep what mounts volumes with their data; `filtersOf` tells what else keeps a
 * node from taking it.
 */
export function volumeFilters(filtersOf: FiltersOf): (fleet: Fleet, need: Need) => readonly Filter[] {
  const volume = atHome(filtersOf);
  const near = besideSharers(filtersOf);
  return (fleet, need) => {
    if (need.volumes.length === 0) return [];
    return [
      ...(missingOf(fleet, need) === undefined ? [] : [missing]),
      volume,
      ...(nearOf(fleet, need).length === 0 ? [] : [near]),
    ];
  };
}

/** It goes to the node that has its volumes, and to no other. */
function atHome(filtersOf: FiltersOf): Filter {
  return {
    name: "volume",
    fixed: false,
    passes: (fleet, index, { need }) => {
      // Two homes are possible where a person or a restored database made them: then nobody can
      // choose but a person.
      const homes = homesOf(fleet, need);
      return homes.length === 0 || (homes.length === 1 && homes[0] === fleet.nodes[index]!.id);
    },
    sentence: (count, { need }, fleet) => {
      const homes = homesOf(fleet, need);
      if (homes.length > 1) return `${verb(count, "has", "have")} at most a part of its volumes (${homes.join(", ")})`;
      return `${verb(count, "does", "do")} not have its volume data`;
    },
    advice: (ask, fleet) => {
      const [home, other] = homesOf(fleet, ask.need);
      if (home === undefined) return "";
      const called = hostnameOf(fleet, home);
      const remove = `skep volume rm ${keyOn(fleet, ask.need, home)}`;
      if (other !== undefined)
        return `its volume data is on ${called} and on ${hostnameOf(fleet, other)}: remove what is not wanted with ${remove} --node NODE`;
      const waits = `it waits for ${called}, which has its volume data: ${whyNot(fleet, home, ask, filtersOf)}`;
      const sharers = sharersOf(fleet, ask.need);
      if (sharers !== "" && isReady(fleet, home))
        return `${waits}; ${sharers} must run beside it, for the volumes that they share: make room on ${called}, or let them mount different volumes`;
      return `${waits}; if that data is lost or not wanted, ${remove} --node ${called} lets it start empty elsewhere`;
    },
  };
}

/** It goes where others are that mount a volume of it as well. */
function besideSharers(filtersOf: FiltersOf): Filter {
  return {
    name: "shared-volume",
    fixed: false,
    passes: (fleet, index, { need }) => {
      const nodes = nearOf(fleet, need);
      return nodes.length === 0 || nodes.includes(fleet.nodes[index]!.id);
    },
    sentence: (count, { need }, fleet) =>
      `${verb(count, "is", "are")} not where the volumes are that it shares with ${sharersOf(fleet, need)}`,
    advice: (ask, fleet) => {
      const [node = ""] = nearOf(fleet, ask.need);
      const called = hostnameOf(fleet, node);
      return `it has to run on ${called}, beside ${sharersOf(fleet, ask.need)}: ${whyNot(fleet, node, ask, filtersOf)}; make room there, or let them mount different volumes`;
    },
  };
}

const missing: Filter = {
  name: "external-volume",
  fixed: false,
  passes: () => false,
  sentence: (count, { need }, fleet) => `${verb(count, "does", "do")} not have the volume ${missingOf(fleet, need)}`,
  advice: ({ need }, fleet) =>
    `it waits for the volume ${missingOf(fleet, need)}, which is external and which nobody has made: deploy what ` +
    "declares it, or take `external` away so that it is made empty",
};

/** An external volume that is nowhere. */
function missingOf(fleet: Fleet, { volumes }: Need): string | undefined {
  const one = volumes.find(({ isExternal, ...of }) => isExternal && !fleet.homes.has(mountKey(of)));
  return one === undefined ? undefined : mountKey(one);
}

/** A volume of the need that the node holds. */
function keyOn(fleet: Fleet, { volumes }: Need, nodeId: NodeId): string {
  const keys = volumes.map(mountKey);
  return keys.find(key => fleet.homes.get(key)?.includes(nodeId)) ?? keys[0]!;
}

/** The other deployments that have to be on the node of this one. */
function sharersOf(fleet: Fleet, need: Need): string {
  const members = togetherWith(fleet, need)?.members ?? [];
  const ids = members.map(one => one.release.deploymentId).filter(id => id !== need.deploymentId);
  return [...new Set(ids)].sort().join(", ");
}

/** What keeps the node that has the volumes from taking it. */
function whyNot(fleet: Fleet, home: NodeId, ask: Ask, filtersOf: FiltersOf): string {
  const index = fleet.indexOf.get(home);
  if (index === undefined) return "it has left the Swarm";
  if (fleet.nodes[index]!.liveness === "down") return "it is down";
  const against = filtersOf(ask, fleet).find(filter => !filter.passes(fleet, index, ask));
  return against === undefined ? "it has no room" : `it ${against.sentence(1, ask, fleet)}`;
}

function isReady(fleet: Fleet, nodeId: NodeId): boolean {
  const index = fleet.indexOf.get(nodeId);
  return index !== undefined && fleet.nodes[index]!.liveness === "ready";
}

function hostnameOf(fleet: Fleet, nodeId: NodeId): string {
  const index = fleet.indexOf.get(nodeId);
  return index === undefined ? nodeId : fleet.nodes[index]!.hostname;
}
