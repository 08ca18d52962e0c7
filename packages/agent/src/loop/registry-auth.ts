import { DEFAULT_REGISTRY, parseImage } from "@skep/core/model/image.ts";
import { SkepError } from "@skep/core/error.ts";
import type { RegistryAuth } from "../engine/engine.ts";

/** Name and password, and whether they are the tenant's own or shared by all. */
export interface Credentials {
  readonly auth: RegistryAuth;
  readonly isOwn: boolean;
}

/** What the operator says of registries. */
export interface Registries {
  /** With what a tenant pulls an image; `undefined` for nobody in particular. */
  find(image: string, tenantId: string): Credentials | undefined;
  /**
   * Whether some tenant has credentials of its own for the image's registry, so that what is here
   * may be private.
   */
  isRestricted(image: string): boolean;
}

/** No registry needs a password. */
export const noRegistries: Registries = { find: () => undefined, isRestricted: () => false };

/** How Docker's own files name the default registry. */
const DEFAULT_REGISTRY_KEYS = ["https://index.docker.io/v1/", "index.docker.io", DEFAULT_REGISTRY];

/**
 * Reads `{"shared": {"auths": ...}, "tenants": {"<tenant>": {"auths": ...}}}`; each `auths` is that
 * of Docker's
 * `config.json`. A tenant's own credentials come before the shared ones.
 * @throws SkepError `invalid_argument` for anything else; it does not repeat the text, which holds
 * passwords.
 */
export function createRegistries(text: string): Registries {
  const { shared, tenants = {} } = parse(text);
  return {
    find: (image, tenantId) => {
      const own = authFor(image, tenants[tenantId]);
      if (own !== undefined) return { auth: own, isOwn: true };
      const auth = authFor(image, shared);
      return auth === undefined ? undefined : { auth, isOwn: false };
    },
    isRestricted: image => Object.values(tenants).some(config => authFor(image, config) !== undefined),
  };
}

interface Settings {
  readonly shared?: unknown;
  readonly tenants?: Readonly<Record<string, unknown>>;
}

function parse(text: string): Settings {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw refused("are no JSON");
  }
  if (typeof read !== "object" || read === null) throw refused("are no JSON object");
  const unknown = Object.keys(read).filter(key => key !== "shared" && key !== "tenants");
  if (unknown.includes("auths")) throw refused("stand in `auths`, which does not say whose they are");
  if (unknown.length > 0) throw refused(`have the unknown parts ${unknown.join(", ")}`);
  const { tenants } = read as Settings;
  if (tenants !== undefined && (typeof tenants !== "object" || tenants === null))
    throw refused("have `tenants` that are no object");
  return read;
}

function refused(what: string): SkepError {
  const advice =
    'put {"shared": {"auths": ...}} for every tenant and {"tenants": {"<tenant>": {"auths": ...}}} for one into the secret that SKEP_REGISTRY_AUTH_FILE names';
  return new SkepError("invalid_argument", "BAD_REGISTRY_AUTH", `The credentials for registries ${what}: ${advice}.`);
}

/** The credentials that a parsed `config.json` has for an image. */
export function authFor(image: string, config: unknown): RegistryAuth | undefined {
  const { auths } = (config ?? {}) as {
    auths?: Record<string, { auth?: unknown; username?: unknown; password?: unknown }>;
  };
  const { registry } = parseImage(image);
  const keys =
    registry === DEFAULT_REGISTRY ? DEFAULT_REGISTRY_KEYS : [registry, `https://${registry}`, `http://${registry}`];
  const key = keys.find(one => auths?.[one] !== undefined);
  const entry = key === undefined ? undefined : auths?.[key];
  if (key === undefined || entry === undefined) return undefined;
  if (typeof entry.auth === "string") {
    const text = Buffer.from(entry.auth, "base64").toString("utf8");
    const colon = text.indexOf(":");
    return colon < 0
      ? undefined
      : { username: text.slice(0, colon), password: text.slice(colon + 1), serverAddress: key };
  }
  const { username, password } = entry;
  if (typeof username !== "string" || typeof password !== "string") return undefined;
  return { username, password, serverAddress: key };
}
