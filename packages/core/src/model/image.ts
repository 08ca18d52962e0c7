/** The registry of an image whose reference names none. */
export const DEFAULT_REGISTRY = "docker.io";
/** Another name of the default registry, as older engines write it. */
const DEFAULT_REGISTRY_INDEX = "index.docker.io";

const HOST =
  "(?:localhost|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]{1,5})?";
const PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const IMAGE = new RegExp(`^(?:${HOST}/)?${PART}(?:/${PART})*(?::[\\w][\\w.-]{0,127})?(?:@[a-z0-9]+:[a-f0-9]{32,})?$`);

/** The parts of an image reference, `[registry/]repository[:tag][@digest]`. */
export interface ImageReference {
  readonly registry: string;
  /** Without `library/`, which the default registry's own images may be written with. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** How engines write the id of an image that they have, whoever brought it there. */
const ID = /^(?:sha256:)?[a-f0-9]{64}$/;

/**
 * Whether the text is an image reference as Docker reads them: `[registry/]name[:tag][@digest]`. An
 * image's id is none: it would name what another tenant has brought to a node.
 */
export function isImageReference(text: string): boolean {
  return text.length <= 512 && IMAGE.test(text) && !ID.test(text);
}

/**
 * Takes a reference apart as engines do: what stands before the first slash is a registry where it
 * has a dot, a colon or a capital letter, or is `localhost`.
 */
export function parseImage(reference: string): ImageReference {
  const [name, digest] = split(reference, reference.indexOf("@"));
  const [host, path] = split(name, name.indexOf("/"));
  const isHost = path !== undefined && (/[.:A-Z]/.test(host) || host === "localhost");
  const rest = isHost ? path : name;
  const colon = rest.indexOf(":", rest.lastIndexOf("/") + 1);
  const [repository, tag] = split(rest, colon);
  const registry = isHost && host !== DEFAULT_REGISTRY_INDEX ? host : DEFAULT_REGISTRY;
  const short = registry === DEFAULT_REGISTRY ? repository.replace(/^library\/(?=[^/]+$)/, "") : repository;
  return { registry, repository: short, tag, digest };
}

/** An image's one name, so that two ways to write it are the same. */
export function canonicalImage(reference: string): string {
  const { registry, repository, tag, digest } = parseImage(withTag(reference));
  const host = registry === DEFAULT_REGISTRY ? "" : `${registry}/`;
  return `${host}${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** The reference with the tag `latest` where it names neither a tag nor a digest. */
export function withTag(reference: string): string {
  const { tag, digest } = parseImage(reference);
  return tag === undefined && digest === undefined ? `${reference}:latest` : reference;
}

function split(text: string, at: number): readonly [string, string | undefined] {
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
