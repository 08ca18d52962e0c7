import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "./command.ts";

/** Where the runtime files of all fleets live: sockets, state files, locks. */
export const runRoot = "/run/skep";

/**
 * Where data of all fleets is kept between runs: image layers, the registry's blobs, engine logs.
 */
export function cacheRoot(): string {
  return join(process.env["SKEP_CACHE"] ?? join(homedir(), ".cache", "skep"), "fleets");
}

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The environment of engines and registries: nothing of the caller's, so that no proxy or token
 * reaches a container.
 */
export function engineEnv(): NodeJS.ProcessEnv {
  return { PATH: systemPath, HOME: "/root", LANG: "C.UTF-8" };
}

/**
 * The environment of apt-get: as the engines', and the proxies that this machine may need to reach
 * its packages.
 */
export function installerEnv(): NodeJS.ProcessEnv {
  const proxies = Object.entries(process.env).filter(([name]) => /^(https?|no)_proxy$/i.test(name));
  return { ...engineEnv(), ...Object.fromEntries(proxies) };
}

/**
 * The environment of a docker client: the caller's, without what would point the client elsewhere.
 * `configDir` replaces the person's ~/.docker, whose proxy settings would leak into containers.
 */
export function dockerClientEnv(
  socket: string,
  configDir: string,
  extra: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:${systemPath}` };
  for (const name of ["DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION"])
    delete env[name];
  return { ...env, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: configDir, ...extra };
}

/**
 * Reads from the docker client itself where it would go, since contexts (Docker Desktop makes one)
 * count as well as DOCKER_HOST.
 */
async function clientEndpoint(): Promise<string> {
  const asked = await run(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]).catch(
    () => undefined,
  );
  const printed = asked?.code === 0 ? asked.stdout.trim() : "";
  return printed || (process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock");
}

/**
 * The socket of the engine that a person's docker client would use, or undefined where that is not
 * a local socket.
 */
export async function localEngineSocket(): Promise<string | undefined> {
  const endpoint = await clientEndpoint();
  return endpoint.startsWith("unix://") ? endpoint.slice("unix://".length) : undefined;
}
