import { CAPABILITIES, HELD_CAPABILITIES } from "@skep/core/model/capabilities.ts";
import type { Link } from "./draft.ts";
import type { Problems } from "./problems.ts";
import type { Spot } from "./spots.ts";
import { readTexts } from "./values.ts";

/** `security_opt`: what each container has anyway is taken, all else is the agent's. */
export function readSecurity(spot: Spot, problems: Problems): void {
  for (const item of itemsOf(spot, problems))
    if (!/^no-new-privileges([:=]true)?$/.test(item.text))
      problems.refuse(
        item.spot,
        `the security option \`${item.text}\` is the agent's to set`,
        "Remove it; no-new-privileges is always set",
      );
}

/**
 * `cap_add` and `cap_drop`, as names of capabilities. What each container has anyway may be added,
 * and all may be dropped.
 */
export function readCapabilities(spot: Spot, key: "cap_add" | "cap_drop", problems: Problems): readonly string[] {
  return itemsOf(spot, problems).flatMap(({ text, spot: place }) => {
    const name = text.toUpperCase().replace(/^CAP_/, "");
    if (key === "cap_drop" ? name === "ALL" || CAPABILITIES.includes(name) : HELD_CAPABILITIES.includes(name))
      return [name];
    const [problem, advice] =
      key === "cap_add"
        ? ["would weaken the wall between tenants", `containers have ${HELD_CAPABILITIES.join(", ")}`]
        : ["is none that Linux knows", "name one such as NET_BIND_SERVICE, or ALL"];
    problems.refuse(place, `the capability \`${text}\` ${problem}`, `Remove it; ${advice}`);
    return [];
  });
}

/** What a container does without of what every other one has. As with Docker, adding comes last. */
export function droppedBy(drops: readonly string[], adds: readonly string[]): readonly string[] | undefined {
  const isAll = drops.includes("ALL");
  if (isAll && adds.length === 0) return ["ALL"];
  const dropped = HELD_CAPABILITIES.filter(name => (isAll || drops.includes(name)) && !adds.includes(name));
  return dropped.length === 0 ? undefined : dropped;
}

/** `links`, as far as one service says them. */
export function readLinks(spot: Spot, problems: Problems): readonly Link[] {
  return itemsOf(spot, problems).map(({ text, spot: place }) => {
    const [service = "", alias = service] = text.split(":");
    return { service, alias, place };
  });
}

function itemsOf(spot: Spot, problems: Problems): readonly { readonly text: string; readonly spot: Spot }[] {
  const items = spot.kind === "list" ? spot.items : [spot];
  return items.flatMap(item => readTexts(item, problems, "single").map(text => ({ text, spot: item })));
}
