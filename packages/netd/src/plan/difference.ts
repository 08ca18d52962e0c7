import { VXLAN_DEVICE } from "./names.ts";
import type { Link, Plane, Ruleset, Sets, Tunnel } from "./plane.ts";
import type { Step } from "./step.ts";

/**
 * The steps from what the kernel shows to what is wanted, in their order: walls before ways, so
 * that nothing is ever reachable that should not be, and what goes before what comes.
 */
export function difference(seen: Plane, wanted: Plane): readonly Step[] {
  return [
    ...tableSteps(seen.ruleset, wanted.ruleset),
    ...nodeSteps(seen, wanted),
    ...linkSteps(seen, wanted),
    ...waySteps(seen, wanted),
  ];
}

function tableSteps(seen: Ruleset | undefined, wanted: Ruleset | undefined): readonly Step[] {
  if (wanted === undefined) return [];
  if (seen?.rules !== wanted.rules) return [{ kind: "put-table", ruleset: wanted }];
  const remove = elementsBeyond(seen.sets, wanted.sets);
  const add = elementsBeyond(wanted.sets, seen.sets);
  if (remove.size + add.size === 0) return [];
  const ports = [...(remove.get("published")?.keys() ?? [])].flatMap(key => /^17 \. (\d+)$/.exec(key)?.[1] ?? []);
  // A flow of UDP goes on for as long as its client sends, to an address that nobody has any more.
  const forget = ports.length === 0 ? [] : [{ kind: "forget-flows", ports } as const];
  return [{ kind: "change-elements", remove, add }, ...forget];
}

/** What is in `some` and not, or not with the same value, in `others`. */
function elementsBeyond(some: Sets, others: Sets): Sets {
  const beyond = new Map<string, Map<string, string>>();
  for (const [name, elements] of some) {
    const theirs = others.get(name);
    const missing = [...elements].filter(([element, to]) => theirs?.get(element) !== to);
    if (missing.length > 0) beyond.set(name, new Map(missing));
  }
  return beyond;
}

function nodeSteps(seen: Plane, wanted: Plane): readonly Step[] {
  return [
    ...(wanted.hasGateway && !seen.hasGateway ? [{ kind: "add-gateway" } as const] : []),
    ...(wanted.isForwarding && !seen.isForwarding ? [{ kind: "start-forwarding" } as const] : []),
    ...(wanted.passesDocker && seen.passesDocker === false ? [{ kind: "pass-docker" } as const] : []),
    ...tunnelSteps(seen.tunnel, wanted.tunnel),
  ];
}

function tunnelSteps(seen: Tunnel | undefined, wanted: Tunnel | undefined): readonly Step[] {
  if (isSame(seen, wanted)) return [];
  return [
    ...(seen === undefined ? [] : [{ kind: "remove-tunnel" } as const]),
    ...(wanted === undefined ? [] : [{ kind: "add-tunnel", tunnel: wanted } as const]),
  ];
}

function linkSteps(seen: Plane, wanted: Plane): readonly Step[] {
  const kept = [...wanted.links.values()].filter(link => isSameLink(link, seen.links.get(link.name)));
  const fresh = [...wanted.links.values()].filter(link => !isSameLink(link, seen.links.get(link.name)));
  return [
    ...staleLinks(seen, wanted).map(({ name }) => ({ kind: "remove-link", name }) as const),
    ...stepsFor("add-link", fresh),
    ...stepsFor("set-up-inside", fresh),
    ...stepsFor("mark-ready", fresh),
    ...stepsFor(
      "resize-link",
      kept.filter(link => link.mtu !== seen.links.get(link.name)?.mtu),
    ),
  ];
}

function staleLinks(seen: Plane, wanted: Plane): readonly Link[] {
  return [...seen.links.values()].filter(link => !isSameLink(link, wanted.links.get(link.name)));
}

/** Another size is no other link: connections through it go on. */
function isSameLink(one: Link, other: Link | undefined): boolean {
  return other !== undefined && isSame(one, { ...other, mtu: one.mtu });
}

type LinkStep = Extract<Step, { link: Link }>;

function stepsFor(kind: LinkStep["kind"], links: readonly Link[]): readonly Step[] {
  return links.map(link => ({ kind, link }));
}

/** Routes, neighbours and ends of the tunnel. What goes with its device needs no step. */
function waySteps(seen: Plane, wanted: Plane): readonly Step[] {
  const gone = new Set(staleLinks(seen, wanted).map(link => link.name));
  const tunnelGoes = seen.tunnel !== undefined && !isSame(seen.tunnel, wanted.tunnel);
  if (tunnelGoes) gone.add(VXLAN_DEVICE);
  const routes = changes(seen.routes, wanted.routes, route => gone.has(route.device ?? ""));
  const neighbours = changes(seen.neighbours, wanted.neighbours, one => gone.has(one.device));
  const ends = changes(seen.tunnelEnds, wanted.tunnelEnds, () => tunnelGoes);
  return [
    ...routes.remove.map(([, route]) => ({ kind: "remove-route", route }) as const),
    ...neighbours.remove.map(([, neighbour]) => ({ kind: "remove-neighbour", neighbour }) as const),
    ...ends.remove.map(([mac, to]) => ({ kind: "remove-tunnel-end", mac, to }) as const),
    ...neighbours.put.map(([, neighbour]) => ({ kind: "put-neighbour", neighbour }) as const),
    ...ends.put.map(([mac, to]) => ({ kind: "put-tunnel-end", mac, to }) as const),
    ...routes.put.map(([, route]) => ({ kind: "put-route", route }) as const),
  ];
}

/** What has to go, and what has to be put there; putting replaces what has the same key. */
function changes<T>(
  seen: ReadonlyMap<string, T>,
  wanted: ReadonlyMap<string, T>,
  isGone: (value: T) => boolean,
): { readonly remove: readonly (readonly [string, T])[]; readonly put: readonly (readonly [string, T])[] } {
  const stays = [...seen].filter(([, value]) => !isGone(value));
  const left = new Map(stays);
  return {
    remove: stays.filter(([key]) => !wanted.has(key)),
    put: [...wanted].filter(([key, value]) => !isSame(left.get(key), value)),
  };
}

/** Values of ours are plain; their fields may come in another order. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const theirs = other as Readonly<Record<string, unknown>>;
  const fields = Object.entries(one);
  return fields.length === Object.keys(theirs).length && fields.every(([name, value]) => isSame(value, theirs[name]));
}
