import { holds, type Block } from "@skep/core/network/block.ts";
import { NAMES_ZONE } from "@skep/core/model/instance-id.ts";
import { shareNetwork, type NameAsker, type NameEntry, type NameTable } from "@skep/core/network/names.ts";
import { RCODE, TYPE, type Answer, type Query, type Reply } from "./wire.ts";

/** A table of names, ready to be asked. */
export interface NameIndex {
  /** Who asks from an address; `undefined` for nobody of ours. */
  asker(address: string): NameAsker | undefined;
  /** Entries of a tenant by a name that they have: deployment, service or alias. */
  named(tenantId: string, name: string): readonly NameEntry[];
  /** The entry of a tenant that has an address. */
  at(tenantId: string, address: string): NameEntry | undefined;
  /** Whether a tenant has a project of that name. */
  hasProject(tenantId: string, project: string): boolean;
}

/** Makes the index of a table. */
export function indexNames({ askers, tenants }: NameTable): NameIndex {
  const byAddress = new Map(askers.map(one => [one.address, one]));
  const names = new Map<string, NameEntry[]>();
  const addresses = new Map<string, NameEntry>();
  const projects = new Set<string>();
  for (const { tenantId, entries } of tenants)
    for (const entry of entries) {
      if (entry.project !== undefined) projects.add(`${tenantId} ${entry.project}`);
      const aliases = entry.networks.flatMap(one => one.aliases.map(alias => alias.toLowerCase()));
      for (const name of new Set([entry.deployment, entry.service ?? entry.deployment, ...aliases])) {
        const key = `${tenantId} ${name}`;
        names.set(key, [...(names.get(key) ?? []), entry]);
      }
      for (const address of [...entry.well, ...entry.others]) addresses.set(`${tenantId} ${address}`, entry);
    }
  for (const { tenantId, project } of askers) if (project !== undefined) projects.add(`${tenantId} ${project}`);
  return {
    asker: address => byAddress.get(address),
    named: (tenantId, name) => names.get(`${tenantId} ${name}`) ?? [],
    at: (tenantId, address) => addresses.get(`${tenantId} ${address}`),
    hasProject: (tenantId, project) => projects.has(`${tenantId} ${project}`),
  };
}

/** The question is somebody else's to answer. */
export const FORWARD = "forward";

/**
 * Answers a question as the asker may see it: what shares a network with it, and nothing of anybody
 * else. What looks like a name of ours and is none gets "there is no such name" at once: outside
 * it would be known that somebody asked for it, and the asker would wait. `turn` rotates the
 * addresses.
 */
export function answer(
  { name, type }: Pick<Query, "name" | "type">,
  asker: NameAsker,
  index: NameIndex,
  { pool, turn }: { readonly pool: Block; readonly turn: number },
): Reply | typeof FORWARD {
  const reversed = addressOf(name);
  if (reversed !== undefined) return holds(pool, reversed) ? whose(reversed, type, asker, index) : FORWARD;
  const found = entriesOf(name, asker, index);
  if (found === undefined) return FORWARD;
  const addresses = [...new Set(found.flatMap(entry => entry.well))].toSorted();
  // A program may look itself up before it is well, to tell others where it is.
  if (addresses.length === 0 && found.some(entry => entry.others.includes(asker.address)))
    addresses.push(asker.address);
  if (addresses.length === 0) return NO_SUCH_NAME;
  const isWanted = type === TYPE.A || type === TYPE.ANY;
  const at = turn % addresses.length;
  const rotated = [...addresses.slice(at), ...addresses.slice(0, at)];
  return { rcode: RCODE.NOERROR, answers: isWanted ? rotated.map(address => ({ type: "A", address })) : [] };
}

const NO_SUCH_NAME: Reply = { rcode: RCODE.NXDOMAIN, answers: [] };

/** What a name means to the asker; `undefined` where it is no name of ours. */
function entriesOf(name: string, asker: NameAsker, index: NameIndex): readonly NameEntry[] | undefined {
  const { tenantId } = asker;
  if (name === "") return undefined;
  const labels = name.split(".");
  const isOurs = labels.length > 1 && labels.at(-1) === NAMES_ZONE;
  if (isOurs && labels.at(-2) !== tenantId) return [];
  const inner = isOurs ? labels.slice(0, -2) : labels;
  const known = namesIn(inner, asker, index, isOurs);
  if (known.length > 0) return known;
  // Of all tasks of a service, which is what the service's own name gives too.
  if (inner.length > 1 && inner[0] === "tasks") {
    const tasks = entriesOf(labels.slice(1).join("."), asker, index);
    if (tasks !== undefined) return tasks;
  }
  const [, project] = inner;
  const isOfProject = inner.length === 2 && project !== undefined && index.hasProject(tenantId, project);
  return isOurs || inner.length === 1 || isOfProject ? [] : undefined;
}

/** A whole name means the same to everybody, so that it has nothing of the asker's project. */
function namesIn(
  labels: readonly string[],
  asker: NameAsker,
  index: NameIndex,
  isWhole: boolean,
): readonly NameEntry[] {
  const { tenantId, project } = asker;
  const networks = new Set(asker.networks);
  const visible = (name: string) => index.named(tenantId, name).filter(entry => shareNetwork(entry, networks));
  const whole = labels.join(".");
  const [service = "", ofProject] = labels;
  const isMine = (entry: NameEntry): boolean =>
    (entry.project === project && entry.service === whole) || isAlias(entry, whole, networks);
  const mine = isWhole ? [] : visible(whole).filter(isMine);
  if (mine.length > 0) return mine;
  if (labels.length === 2) {
    const theirs = visible(service).filter(
      entry => entry.project === ofProject && (entry.service === service || isAlias(entry, service, networks)),
    );
    if (theirs.length > 0) return theirs;
  }
  return visible(whole).filter(entry => entry.deployment === whole);
}

/** An alias holds in the network that it was given for. */
function isAlias(entry: NameEntry, alias: string, networks: ReadonlySet<string>): boolean {
  return entry.networks.some(one => networks.has(one.name) && one.aliases.some(given => given.toLowerCase() === alias));
}

function whose(address: string, type: number, asker: NameAsker, index: NameIndex): Reply {
  const entry = index.at(asker.tenantId, address);
  if (entry === undefined || !shareNetwork(entry, new Set(asker.networks))) return NO_SUCH_NAME;
  const { project, service, deployment } = entry;
  const inner = project === undefined || service === undefined ? deployment : `${service}.${project}`;
  const answers: readonly Answer[] = [{ type: "PTR", name: `${inner}.${asker.tenantId}.${NAMES_ZONE}` }];
  return { rcode: RCODE.NOERROR, answers: type === TYPE.PTR || type === TYPE.ANY ? answers : [] };
}

/** The address that a reverse name is about. */
function addressOf(name: string): string | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  return match?.slice(1).toReversed().join(".");
}
