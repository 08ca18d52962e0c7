import { DROPPED_CAPABILITIES, HELD_CAPABILITIES } from "@skep/core/model/capabilities.ts";
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

/** `cap_add` and `cap_drop`: what each container has or lacks anyway is taken. */
export function readCapabilities(spot: Spot, key: "cap_add" | "cap_drop", problems: Problems): void {
  const asItIs = key === "cap_add" ? HELD_CAPABILITIES : DROPPED_CAPABILITIES;
  const [problem, advice] =
    key === "cap_add"
      ? ["would weaken the wall between tenants", `containers have ${HELD_CAPABILITIES.join(", ")}`]
      : [
          "cannot be dropped yet",
          `containers lack ${DROPPED_CAPABILITIES.join(", ")}, and no-new-privileges is always set`,
        ];
  for (const { text, spot: place } of itemsOf(spot, problems))
    if (!asItIs.includes(text.toUpperCase().replace(/^CAP_/, "")))
      problems.refuse(place, `the capability \`${text}\` ${problem}`, `Remove it; ${advice}`);
}

/** `links`: the name of a service is none that `links` would have to bring; another name is. */
export function readLinks(spot: Spot, problems: Problems): void {
  for (const { text, spot: place } of itemsOf(spot, problems)) {
    const [service, alias] = text.split(":");
    if (alias !== undefined && alias !== service)
      problems.refuse(
        place,
        `\`${service}\` cannot be called \`${alias}\` as well`,
        `Let the program use \`${service}\`, or call the service \`${alias}\``,
      );
  }
}

function itemsOf(spot: Spot, problems: Problems): readonly { readonly text: string; readonly spot: Spot }[] {
  const items = spot.kind === "list" ? spot.items : [spot];
  return items.flatMap(item => readTexts(item, problems, "single").map(text => ({ text, spot: item })));
}
