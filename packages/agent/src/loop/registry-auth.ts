import { SkepError } from "@skep/core/error.ts";
import type { RegistryAuth } from "../engine/engine.ts";

/** Finds the credentials for an image's registry; `undefined` where there are none. */
export type AuthSource = (image: string) => RegistryAuth | undefined;

/** No registry needs a password. */
export const noAuth: AuthSource = () => undefined;

const DEFAULT_REGISTRY = "docker.io";
/** How Docker's own files name the default registry. */
const DEFAULT_REGISTRY_KEYS = ["https://index.docker.io/v1/", "index.docker.io", DEFAULT_REGISTRY];

/**
 * Finds credentials in a text of Docker's `config.json` form.
 * @throws SkepError `invalid_argument` where the text is no JSON; it does not repeat the text, which holds passwords.
 */
export function createAuthSource(text: string): AuthSource {
  const config = parse(text);
  return image => authFor(image, config);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SkepError(
      "invalid_argument",
      "BAD_REGISTRY_AUTH",
      "The credentials for registries are no JSON: put a file like Docker's config.json into the secret that SKEP_REGISTRY_AUTH_FILE names.",
    );
  }
}

/** The credentials that a parsed `config.json` has for an image. */
export function authFor(image: string, config: unknown): RegistryAuth | undefined {
  const { auths } = (config ?? {}) as {
    auths?: Record<string, { auth?: unknown; username?: unknown; password?: unknown }>;
  };
  const registry = registryOf(image);
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

/** The registry of an image reference: its first part where that names a host, else the default one. */
function registryOf(image: string): string {
  const first = image.split("/")[0] ?? "";
  return image.includes("/") && (/[.:]/.test(first) || first === "localhost") ? first : DEFAULT_REGISTRY;
}
