import { request } from "node:http";
import { run, RunError } from "../programs/run.ts";

/**
 * A Swarm manager, reached through its engine's socket: questions by its API, changes by the docker
 * client as a person would.
 */
export interface Manager {
  readonly socket: string;
  /**
   * Runs the docker client; `env` is for variables of a stack file and holds no secrets, `input`
   * may.
   * @throws Error with the client's words when it fails.
   */
  docker(
    argv: readonly string[],
    options?: { readonly input?: string | Buffer; readonly env?: Readonly<Record<string, string>> },
  ): Promise<string>;
  /** @throws Error with the engine's words when it refuses. */
  get<T>(path: string): Promise<T>;
}

/** Makes a {@link Manager} of an engine's socket path. */
export function managerAt(socket: string): Manager {
  return {
    socket,
    docker: (argv, options) =>
      run(["docker", "--host", `unix://${socket}`, ...argv], options).catch((error: unknown) => {
        if (!(error instanceof RunError)) throw error;
        const words = error.output === "" ? error.message : error.output;
        throw new Error(`docker ${argv.slice(0, 2).join(" ")} failed on the engine at ${socket}: ${words}`);
      }),
    get: path => get(socket, path),
  };
}

/**
 * The id of the Swarm that the engine manages.
 * @throws Error when the engine is not a manager of a Swarm.
 */
export async function swarmId(manager: Manager): Promise<string> {
  const info = await manager.get<{ Swarm: { ControlAvailable: boolean; Cluster?: { ID: string } } }>("/info");
  const id = info.Swarm.Cluster?.ID;
  if (info.Swarm.ControlAvailable && id !== undefined) return id;
  throw new Error(
    `the engine at ${manager.socket} is not a manager of a Swarm; use a manager's socket, or run \`docker swarm init\` first`,
  );
}

function get<T>(socket: string, path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socket, path, agent: false, signal: AbortSignal.timeout(30_000) }, answer => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (answer.statusCode === 200) resolve(JSON.parse(text) as T);
        else
          reject(new Error(`the engine at ${socket} answered GET ${path} with ${answer.statusCode}: ${text.trim()}`));
      });
    });
    asked.on("error", cause => reject(new Error(`no engine answers at ${socket}: ${cause.message}`, { cause })));
    asked.end();
  });
}
