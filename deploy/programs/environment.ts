import { homedir } from "node:os";
import { join } from "node:path";

/**
 * What the engine resolver reads from the process environment; the only place under
 * `deploy/programs` and `deploy/images` that does.
 */
export interface EngineEnvironment {
  /** Directory that survives runs: `SKEP_CACHE`, else `~/.cache/skep`. */
  readonly cacheDir: string;
  /** Directories of `PATH`, in order. */
  readonly searchPath: readonly string[];
  /**
   * Programs given by a person: `SKEP_ENGINE_NATS_SERVER`, `SKEP_ENGINE_POSTGRES` (a directory),
   * `SKEP_ENGINE_TRAEFIK`, `SKEP_ENGINE_MONGOD`, `SKEP_ENGINE_MOSQUITTO` and so on.
   */
  readonly givenPrograms: Readonly<Record<string, string | undefined>>;
  /** Image references given by a person, by image name: `SKEP_IMAGE_POSTGRES` and so on. */
  readonly givenImages: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads {@link EngineEnvironment} from `env` (the process environment when absent). Empty values
 * count as absent.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): EngineEnvironment {
  const get = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  const cacheHome = get("XDG_CACHE_HOME") ?? join(homedir(), ".cache");
  return {
    cacheDir: get("SKEP_CACHE") ?? join(cacheHome, "skep"),
    searchPath: (get("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").split(":"),
    givenPrograms: lookup(get, "SKEP_ENGINE_"),
    givenImages: lookup(get, "SKEP_IMAGE_"),
  };
}

/** A record that answers `go-httpbin` from `<prefix>GO_HTTPBIN`. */
function lookup(
  get: (name: string) => string | undefined,
  prefix: string,
): Readonly<Record<string, string | undefined>> {
  return new Proxy(
    {},
    {
      get: (_, name) => (typeof name === "string" ? get(prefix + name.toUpperCase().replaceAll("-", "_")) : undefined),
    },
  );
}
