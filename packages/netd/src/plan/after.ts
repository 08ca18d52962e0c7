import { VXLAN_DEVICE } from "./names.ts";
import { neighbourKey, type Link, type Neighbour, type Plane, type Route, type Ruleset } from "./plane.ts";
import type { Step } from "./step.ts";

/** A plane that is being changed. */
interface Draft extends Omit<Plane, "links" | "routes" | "neighbours" | "tunnelEnds"> {
  readonly links: Map<string, Link>;
  readonly routes: Map<string, Route>;
  readonly neighbours: Map<string, Neighbour>;
  readonly tunnelEnds: Map<string, string>;
}

/** What the kernel shows after steps that worked. */
export function after(plane: Plane, steps: readonly Step[]): Plane {
  const { links, routes, neighbours, tunnelEnds } = plane;
  let draft: Draft = {
    ...plane,
    links: new Map(links),
    routes: new Map(routes),
    neighbours: new Map(neighbours),
    tunnelEnds: new Map(tunnelEnds),
  };
  for (const step of steps) draft = { ...draft, ...take(draft, step) };
  return draft;
}

/** Changes the draft's maps, and answers what else of it changed. */
function take(draft: Draft, step: Step): Partial<Draft> {
  switch (step.kind) {
    case "put-table":
      return { ruleset: step.ruleset };
    case "change-elements":
      return { ruleset: draft.ruleset && changed(draft.ruleset, step) };
    case "forget-flows":
      return {};
    case "add-gateway":
      return { hasGateway: true };
    case "start-forwarding":
      return { isForwarding: true };
    case "pass-docker":
      return { passesDocker: true };
    case "add-tunnel":
      return { tunnel: step.tunnel };
    case "remove-tunnel":
      draft.tunnelEnds.clear();
      takeDeviceAway(draft, VXLAN_DEVICE);
      return { tunnel: undefined };
    default:
      takeEntry(draft, step);
      return {};
  }
}

function takeEntry({ links, routes, neighbours, tunnelEnds, ...draft }: Draft, step: Step): void {
  switch (step.kind) {
    case "add-link":
      return void links.set(step.link.name, { ...step.link, isReady: false });
    case "mark-ready":
    case "resize-link":
      return void links.set(step.link.name, step.link);
    case "remove-link":
      links.delete(step.name);
      return takeDeviceAway({ links, routes, neighbours, tunnelEnds, ...draft }, step.name);
    case "put-route":
      return void routes.set(step.route.to, step.route);
    case "remove-route":
      return void routes.delete(step.route.to);
    case "put-neighbour":
      return void neighbours.set(neighbourKey(step.neighbour), step.neighbour);
    case "remove-neighbour":
      return void neighbours.delete(neighbourKey(step.neighbour));
    case "put-tunnel-end":
      return void tunnelEnds.set(step.mac, step.to);
    case "remove-tunnel-end":
      return void tunnelEnds.delete(step.mac);
  }
}

/** A device takes with it what was on it. */
function takeDeviceAway({ routes, neighbours }: Draft, device: string): void {
  for (const [to, route] of routes) if (route.device === device) routes.delete(to);
  for (const [key, neighbour] of neighbours) if (neighbour.device === device) neighbours.delete(key);
}

function changed({ rules, sets }: Ruleset, { remove, add }: Extract<Step, { kind: "change-elements" }>): Ruleset {
  const fresh = new Map(sets);
  for (const name of new Set([...remove.keys(), ...add.keys()])) {
    const elements = new Map(fresh.get(name));
    for (const element of remove.get(name)?.keys() ?? []) elements.delete(element);
    for (const [element, to] of add.get(name) ?? []) elements.set(element, to);
    fresh.set(name, elements);
  }
  return { rules, sets: fresh };
}
