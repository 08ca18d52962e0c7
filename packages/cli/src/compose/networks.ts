import type { NetworkMembership } from "@skep/core/model/deployment.ts";
import { defaultNetwork } from "@skep/core/network/membership.ts";
import type { Joined, ServiceDraft } from "./draft.ts";
import type { Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import { below, isNothing } from "./spots.ts";
import type { Entry, Spot } from "./spots.ts";
import { NETWORKS_LATER } from "./verdicts.ts";
import { describe, readBoolean, readText, readTexts, textOf } from "./values.ts";

/** A network that the files declare. */
interface Declared {
  /** Its name within the tenant. */
  readonly name: string;
  readonly isInternal: boolean;
}

/** Networks of the project by their names in the files; `default` is always one. */
export type Networks = ReadonlyMap<string, Declared>;

const ADDRESS = {
  problem: "an address cannot be chosen",
  advice: "Remove it, and let the others use the service's name",
};
const GIVEN = { problem: "it has no effect", advice: "Remove it; the platform gives the addresses and the ways" };
const NOTHING = { problem: "it has no effect", advice: "Remove it" };
const WHOLE = "Remove it; services of one network reach each other on every node";

/** `networks` of the project. */
export function readNetworks(spot: Spot | undefined, project: string, problems: Problems): Networks {
  const networks = new Map<string, Declared>([["default", { name: defaultNetwork(project), isInternal: false }]]);
  if (spot === undefined || isNothing(spot)) return networks;
  if (spot.kind !== "map") {
    problems.refuse(spot, `${describe(spot)} stands where networks belong`, "Write one entry per network: `back:`");
    return networks;
  }
  for (const entry of spot.entries.values()) networks.set(entry.key, readNetwork(entry, project, problems));
  return networks;
}

function readNetwork({ key, value }: Entry, project: string, problems: Problems): Declared {
  let name: string | undefined;
  let isInternal = false;
  let external: Spot | undefined;
  if (isNothing(value)) return { name: `${project}_${key}`, isInternal };
  const keys = {
    name: (text: Spot) => void (name = readText(text, problems) ?? name),
    internal: (word: Spot) => void (isInternal = readBoolean(word, problems) ?? false),
    external: (word: Spot) => void (external = word),
    driver: (word: Spot) => refuseDriver(word, problems),
  };
  const ignored = { ipam: GIVEN, driver_opts: GIVEN, attachable: NOTHING, enable_ipv6: GIVEN, labels: NOTHING };
  readSection(value, { name: "a network", keys: { ...keys, enable_ipv4: () => undefined }, ignored }, problems);
  if (external === undefined || !isExternal(external, problems))
    return { name: name ?? `${project}_${key}`, isInternal };
  // Older files write the name below `external`.
  const inner = below(external, "name");
  const own = name ?? (inner === undefined ? key : textOf(inner));
  problems.note(
    external,
    `\`${own}\` is the tenant's network of that name`,
    "Whatever of the tenant names it is in it; nothing has to make it before",
  );
  return { name: own, isInternal };
}

function isExternal(spot: Spot, problems: Problems): boolean {
  return spot.kind === "map" || (readBoolean(spot, problems) ?? false);
}

function refuseDriver(word: Spot, problems: Problems): void {
  const driver = textOf(word);
  if (isNothing(word) || ["", "bridge", "overlay", "default"].includes(driver)) return;
  problems.refuse(word, `${describe(word)} would put containers into the node's own network`, WHOLE);
}

/** `networks` of a service. */
export function readJoined(spot: Spot, problems: Problems): readonly Joined[] {
  if (spot.kind === "map")
    return [...spot.entries.values()].map(entry => ({
      ...{ network: entry.key, place: entry, aliases: readMember(entry.value, problems) },
    }));
  if (spot.kind === "list")
    return spot.items.flatMap(item =>
      readTexts(item, problems, "single").map(network => ({ network, place: item, aliases: [] })),
    );
  problems.refuse(spot, `${describe(spot)} stands where networks belong`, "Write one name per line, after `- `");
  return [];
}

function readMember(spot: Spot, problems: Problems): readonly string[] {
  let aliases: readonly string[] = [];
  if (isNothing(spot)) return aliases;
  const keys = { aliases: (list: Spot) => void (aliases = readTexts(list, problems)) };
  const refused = {
    ...{ ipv4_address: ADDRESS, ipv6_address: ADDRESS, link_local_ips: ADDRESS },
    mac_address: { problem: "the address is the engine's to choose", advice: "Remove it" },
  };
  const ignored = { priority: NOTHING, gw_priority: NOTHING, driver_opts: GIVEN, interface_name: NOTHING };
  readSection(spot, { name: "a service's network", keys, refused, ignored }, problems);
  return aliases;
}

/**
 * The networks of each service, by the service's name in the files, with all names that the others
 * call it by beside its own. A service that says none and has no such name has none here: the
 * platform puts it into the project's own.
 */
export function settleNetworks(
  drafts: readonly ServiceDraft[],
  networks: Networks,
  project: string,
  problems: Problems,
): ReadonlyMap<string, readonly NetworkMembership[]> {
  const joined = new Map(drafts.map(draft => [draft.service, joinedBy(draft, networks, problems)]));
  const linked = linksOf(drafts, joined, problems);
  const settled = new Map<string, readonly NetworkMembership[]>();
  for (const draft of drafts) {
    const names = [...namesOf(draft), ...(linked.get(draft.service) ?? [])];
    const memberships = (joined.get(draft.service) ?? []).map(({ network, aliases }): NetworkMembership => {
      const { name, isInternal } = networks.get(network)!;
      return { name, isInternal, aliases: [...new Set([...aliases, ...names])] };
    });
    const isPlain = draft.joined.length === 0 && names.length === 0 && isUsual(networks.get("default"), project);
    if (draft.joins === undefined && !isPlain) settled.set(draft.service, memberships);
  }
  return settled;
}

function isUsual(network: Declared | undefined, project: string): boolean {
  return network?.name === defaultNetwork(project) && !network.isInternal;
}

function joinedBy(draft: ServiceDraft, networks: Networks, problems: Problems): readonly Joined[] {
  if (draft.joined.length === 0) return [{ network: "default", place: draft.place, aliases: [] }];
  return draft.joined.filter(({ network, place }) => {
    if (!networks.has(network))
      problems.refuse(place, `no network is called \`${network}\``, "Declare it under `networks:` of the file");
    return networks.has(network);
  });
}

/** How programs may call a service: as the file writes its name, and as its container is called. */
function namesOf({ service, container, value }: ServiceDraft): readonly string[] {
  const named = textOf(below(value, "container_name") ?? value);
  return [service, named].filter(name => name !== "" && name.toLowerCase() !== container.name);
}

/**
 * Names that `links` give. Docker shows them to the one that links only; here they hold in the
 * networks of the one that is linked, so that two services of one name are refused.
 */
function linksOf(
  drafts: readonly ServiceDraft[],
  joined: ReadonlyMap<string, readonly Joined[]>,
  problems: Problems,
): ReadonlyMap<string, readonly string[]> {
  const owners = new Map<string, string>();
  for (const draft of drafts)
    for (const name of [
      draft.service,
      ...namesOf(draft),
      ...(joined.get(draft.service) ?? []).flatMap(one => one.aliases),
    ])
      owners.set(name, draft.service);
  const linked = new Map<string, readonly string[]>();
  for (const { links } of drafts)
    for (const { service, alias, place } of links) {
      const owner = owners.get(alias);
      if (!drafts.some(one => one.service === service))
        problems.refuse(place, `no service is called \`${service}\``, "Link a service of the same file");
      else if (owner !== undefined && owner !== service)
        problems.refuse(
          place,
          `\`${service}\` cannot be called \`${alias}\` as well: \`${owner}\` is`,
          `Let the program use \`${service}\``,
        );
      else if (alias !== service) {
        owners.set(alias, service);
        problems.note(place, `no host is called \`${alias}\` yet`, NETWORKS_LATER);
        linked.set(service, [...new Set([...(linked.get(service) ?? []), alias])]);
      }
    }
  return linked;
}
