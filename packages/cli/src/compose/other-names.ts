import type { Assembled } from "./assemble.ts";
import type { ServiceDraft } from "./draft.ts";
import type { Place, Problems } from "./problems.ts";
import { below } from "./spots.ts";
import type { Spot } from "./spots.ts";

/** Where programs are told of others. */
const KEYS = ["environment", "command", "entrypoint", "links"];
/** Variables that hold words of other kinds: `POSTGRES_DB: app` names no host. */
const NO_HOST =
  /(^|_)(DB|DATABASE|DBNAME|NAME|USER|USERNAME|PASS|PASSWORD|SECRET|TOKEN|MODE|ENV|ENVIRONMENT|TYPE|ROLE|DRIVER|ENGINE|CLIENT|DIALECT|BACKEND|CONNECTION|SCHEMA|STORE|STORAGE|ADAPTER|PREFIX|PROFILE|LOG_LEVEL|TZ|LANG|PATH|DIR)$/i;

interface Word {
  readonly text: string;
  readonly place: Place;
  /** Whether the whole text may be a host. */
  readonly mayBeHost: boolean;
}

/**
 * Notes, once for each service, where it names another one as a host: such a name leads to what
 * runs on the same node only, until tenants have a network of their own.
 */
export function noteNames(deployments: readonly Assembled[], problems: Problems): void {
  const homes = homesOf(deployments);
  for (const home of deployments)
    for (const service of home.services) {
      const words = KEYS.flatMap(key => wordsOf(service, key));
      const named = new Set(words.flatMap(({ text }) => text.match(TOKEN) ?? []).map(token => token.toLowerCase()));
      for (const [name, other] of homes) {
        if (other.service === service || !named.has(name.toLowerCase())) continue;
        const word = words.find(one => isNamed(name, one));
        if (word !== undefined) note(word.place, name, other, other.deployment === home, problems);
      }
    }
}

interface Home {
  readonly deployment: Assembled;
  readonly service: ServiceDraft;
}

/** Every name that Compose would resolve: the service's, its container's, host's and aliases. */
function homesOf(deployments: readonly Assembled[]): ReadonlyMap<string, Home> {
  const homes = new Map<string, Home>();
  for (const deployment of deployments)
    for (const service of deployment.services) {
      const networks = below(service.value, "networks");
      const aliases = (networks?.kind === "map" ? [...networks.entries.values()] : []).map(one =>
        below(one.value, "aliases"),
      );
      const others = [below(service.value, "container_name"), below(service.value, "hostname"), ...aliases];
      const texts = others.flatMap(spot => (spot === undefined ? [] : textsOf(spot).map(({ text }) => text)));
      for (const name of texts) if (!homes.has(name)) homes.set(name, { deployment, service });
    }
  for (const deployment of deployments)
    for (const service of deployment.services) homes.set(service.service, { deployment, service });
  return homes;
}

/** What may be a service's name within a text: few are, and only those are looked at closely. */
const TOKEN = /[A-Za-z0-9._-]+/g;

function note(place: Place, name: string, other: Home, isPod: boolean, problems: Problems): void {
  if (isPod)
    return problems.note(
      place,
      `\`${name}\` stands in the same pod, where no name leads to it`,
      "Containers of a pod reach each other on localhost",
    );
  const { spec } = other.deployment;
  const pod = `network_mode: "service:${other.service.service}"`;
  const reach = `Share a pod with it (\`${pod}\`, then localhost), or lead a route to it`;
  if (spec.name !== name && spec.service !== name)
    problems.note(place, `no host is called \`${name}\`: it is known as \`${spec.service ?? spec.name}\``, reach);
  else
    problems.note(
      place,
      `\`${name}\` is another deployment, and is found by this name only where both run on one node`,
      reach,
    );
}

function wordsOf({ value }: ServiceDraft, key: string): readonly Word[] {
  const spot = below(value, key);
  if (spot === undefined) return [];
  if (key === "environment") return variablesOf(spot);
  const isProgram = key === "entrypoint" || (key === "command" && below(value, "entrypoint") === undefined);
  return textsOf(spot).flatMap(({ text, place }, index) => {
    const parts = text.split(/\s+/);
    // The first word is a program of the image.
    return parts.map((part, at): Word => ({ text: part, place, mayBeHost: !(isProgram && index + at === 0) }));
  });
}

function variablesOf(spot: Spot): readonly Word[] {
  if (spot.kind === "map")
    return [...spot.entries.values()].flatMap(({ key, value }) =>
      textsOf(value).map(one => ({ ...one, mayBeHost: !NO_HOST.test(key) })),
    );
  return textsOf(spot).flatMap(({ text, place }) => {
    const equals = text.indexOf("=");
    const key = text.slice(0, Math.max(0, equals));
    return equals < 0 ? [] : [{ text: text.slice(equals + 1), place, mayBeHost: !NO_HOST.test(key) }];
  });
}

function textsOf(spot: Spot): readonly { readonly text: string; readonly place: Place }[] {
  if (spot.kind === "list") return spot.items.flatMap(textsOf);
  return spot.kind === "scalar" && typeof spot.value === "string" ? [{ text: spot.value, place: spot }] : [];
}

/** `db`, `db:5432`, `tcp://user@db/x`, `--host=db`, `a,db` name the host `db`. */
function isNamed(name: string, { text, mayBeHost }: Word): boolean {
  const host = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const before = String.raw`(?:^|[/@,;=\s"'([])`;
  const withPort = new RegExp(`${before}${host}:\\d`, "i");
  const inAddress = new RegExp(`(?:://|://[^/\\s]*@|@)${host}(?:[:/?,;"'\\s]|$)`, "i");
  if (withPort.test(text) || inAddress.test(text)) return true;
  return mayBeHost && new RegExp(`(?:^|[=,;])${host}(?:[,;]|$)`, "i").test(text);
}
