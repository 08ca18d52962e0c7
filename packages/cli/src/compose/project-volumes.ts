import type { Assembled } from "./assemble.ts";
import type { ServiceDraft } from "./draft.ts";
import type { Place, Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import { below, isNothing } from "./spots.ts";
import type { Spot } from "./spots.ts";

/** `volumes` of the project. */
export function readVolumes(spot: Spot, problems: Problems): void {
  if (spot.kind !== "map") return;
  const driver = { problem: "volumes are local to their node, without a driver", advice: "Remove it" };
  const external = {
    problem: "a volume that was made elsewhere cannot be used",
    advice: "Remove it; the deployment's own volume is made where it is first used",
  };
  const name = {
    problem: "`name` has no effect",
    advice: "A volume is called `deployment/volume`: see `skep volume list`",
  };
  const none = { problem: "it has no effect", advice: "Remove it" };
  for (const { value } of spot.entries.values()) {
    if (isNothing(value)) continue;
    const keys = {
      driver: (word: Spot) => {
        const isLocal = isNothing(word) || (word.kind === "scalar" && word.value === "local");
        if (!isLocal) problems.refuse(word, driver.problem, driver.advice);
      },
    };
    const refused = { driver_opts: driver, external };
    readSection(value, { name: "a volume", keys, refused, ignored: { labels: none, name } }, problems);
  }
}

/**
 * A volume belongs to one deployment: two that name the same one would each get their own, and the
 * data of one would never be seen by the other.
 */
export function refuseSharedVolumes(deployments: readonly Assembled[], problems: Problems): void {
  const holders = new Map<string, string>();
  for (const { spec, services } of deployments)
    for (const service of services)
      for (const { name } of service.container.volumes) {
        const holder = holders.get(name);
        const owner = spec.service ?? spec.name;
        if (holder !== undefined && holder !== owner) refuse(service, name, holder, problems);
        else holders.set(name, owner);
      }
}

function refuse(service: ServiceDraft, volume: string, holder: string, problems: Problems): void {
  problems.refuse(
    mountOf(service, volume),
    `\`${holder}\` has the volume \`${volume}\` already, and two deployments cannot share one yet`,
    `Put both into one pod with \`network_mode: "service:${holder}"\`, or name another volume`,
  );
}

function mountOf(service: ServiceDraft, volume: string): Place {
  const list = below(service.value, "volumes");
  const item = (list?.kind === "list" ? list.items : []).find(one =>
    one.kind === "map"
      ? textOf(below(one, "source")) === volume
      : one.kind === "scalar" && String(one.value).split(":")[0] === volume,
  );
  return item ?? service.place;
}

function textOf(spot: Spot | undefined): string {
  return spot?.kind === "scalar" ? String(spot.value ?? "") : "";
}
