import { readFile } from "node:fs/promises";
import type { RegistryAuth } from "./engine/engine.ts";

/** Finds the credentials for an image's registry; `undefined` where there are none. */
export type AuthSource = (image: string) => Promise<RegistryAuth | undefined>;

/** No registry needs a password. */
export const noAuth: AuthSource = async () => undefined;

const DEFAULT_REGISTRY = "docker.io";
/** How Docker's own files name the default registry. */
const DEFAULT_REGISTRY_KEYS = ["https://index.docker.io/v1/", "index.docker.io", DEFAULT_REGISTRY];

/**
 * Reads credentials from a file in Docker's `config.json` form, at each pull anew, so that a rotated secret counts at
 * once. `onProblem` is told where the file cannot be read; the pull is then tried without credentials.
 */
export function createFileAuth(path: string, onProblem: (error: unknown) => void): AuthSource {
  return async image => {
    try {
      return authFor(image, JSON.parse(await readFile(path, "utf8")) as unknown);
    } catch (error) {
      onProblem(error);
      return undefined;
    }
  };
}

/** The credentials that a parsed `config.json` has for an image. */
export function authFor(image: string, config: unknown): RegistryAuth | undefined {
  const { auths } = (config ?? {}) as { auths?: Record<string, { auth?: unknown; username?: unknown; password?: unknown }> };
  const registry = registryOf(image);
  const keys = registry === DEFAULT_REGISTRY ? DEFAULT_REGISTRY_KEYS : [registry, `https://${registry}`, `http://${registry}`];
  const key = keys.find(one => auths?.[one] !== undefined);
  const entry = key === undefined ? undefined : auths?.[key];
  if (key === undefined || entry === undefined) return undefined;
  if (typeof entry.auth === "string") {
    const text = Buffer.from(entry.auth, "base64").toString("utf8");
    const colon = text.indexOf(":");
    return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1), serverAddress: key };
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
