import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import { withheldKey } from "@skep/core/converge/round.ts";
import { canonicalImage } from "@skep/core/model/image.ts";
import type { KeptSet } from "./memo.ts";
import type { Registries } from "./registry-auth.ts";

/**
 * Which tenants may start an image that is on this node already. An engine gives a cached image to
 * every tenant that names it; here an image that was pulled with a tenant's own credentials is for
 * that tenant, until the registry has let another one pull it too.
 */
export interface ImageRights {
  /**
   * What of these instances must first be pulled with its tenant's own rights, as `withheldKey`s.
   */
  withheld(instances: readonly AssignedInstance[]): readonly string[];
  /** The registry has given the tenant the image, as the content of this digest. */
  granted(tenantId: string, image: string, digest: string, isOwn: boolean): void;
}

/** Every tenant: the registry gave the image without credentials, or with shared ones. */
const ANYBODY = "*";

/** Makes it over what is kept of earlier answers of the registries. */
export function createImageRights(kept: KeptSet, registries: Registries): ImageRights {
  let holders = holdersOf(kept);

  function mayUse(tenantId: string, image: string): boolean {
    const known = holders.get(canonicalImage(image));
    if (known === undefined) return !registries.isRestricted(image);
    return known.has(ANYBODY) || known.has(tenantId);
  }

  return {
    withheld: instances => {
      const pairs = new Map<string, readonly [string, string]>();
      for (const { tenantId, spec } of instances) {
        for (const { image } of spec.containers) pairs.set(withheldKey(tenantId, image), [tenantId, image]);
      }
      return [...pairs].flatMap(([key, [tenantId, image]]) => (mayUse(tenantId, image) ? [] : [key]));
    },
    granted: (tenantId, image, digest, isOwn) => {
      const name = canonicalImage(image);
      // A name may lead to another content now: what was given before says nothing of it.
      kept.keepOnly(text => parse(text).image !== name || parse(text).digest === digest);
      kept.add(`${isOwn ? tenantId : ANYBODY} ${name} ${digest}`);
      holders = holdersOf(kept);
    },
  };
}

/** The tenants that may start each image, by its name. */
function holdersOf(kept: KeptSet): ReadonlyMap<string, ReadonlySet<string>> {
  const holders = new Map<string, Set<string>>();
  for (const { who, image } of kept.all().map(parse)) {
    const known = holders.get(image) ?? new Set();
    holders.set(image, known.add(who));
  }
  return holders;
}

function parse(text: string): { readonly who: string; readonly image: string; readonly digest: string } {
  const [who = "", image = "", digest = ""] = text.split(" ");
  return { who, image, digest };
}
