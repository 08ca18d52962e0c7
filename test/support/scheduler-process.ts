import { join } from "node:path";
import { freePort, startChild } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import type { NatsServer } from "../support/nats-server.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { root } from "../tidy/sources.ts";
import { processorMs } from "./processor.ts";

/** A scheduler in a process of its own, as the stack runs it. */
export interface SchedulerProcess {
  readonly apiUrl: string;
  /** Processor time that it has taken so far; 0 where the system does not tell. */
  processorMs(): number;
  close(): Promise<void>;
}

/**
 * Starts the scheduler's program on a database and a bus; ready when its API answers and it leads.
 */
export async function startScheduler(
  postgres: PostgresServer,
  database: string,
  nats: NatsServer,
  nodeOptions: readonly string[] = [],
  environment: (apiPort: number) => Readonly<Record<string, string>> = () => ({}),
): Promise<SchedulerProcess> {
  const apiPort = await freePort();
  const env = {
    ...process.env,
    SKEP_POSTGRES_HOST: postgres.host,
    SKEP_POSTGRES_PORT: String(postgres.port),
    SKEP_POSTGRES_USER: postgres.user,
    SKEP_POSTGRES_DATABASE: database,
    SKEP_NATS_URL: nats.url,
    SKEP_API_OPEN: "yes",
    SKEP_API_PORT: String(apiPort),
    SKEP_EDGE_PORT: String(await freePort()),
    SKEP_REPLICA_NAME: "load",
    ...environment(apiPort),
  };
  const program = join(root, "packages", "scheduler", "src", "main.ts");
  const child = startChild(process.execPath, [...nodeOptions, program], { env, cwd: root });
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const isUp = async (): Promise<void> => {
    if (child.process.exitCode !== null) throw new Error(`the scheduler ended: ${child.output()}`);
    const answer = await fetch(`${apiUrl}/readyz`);
    if (!answer.ok || !child.output().includes("leader.gained"))
      throw new Error(`it does not lead yet: ${child.output()}`);
  };
  await eventually(isUp, 30_000).catch(async (cause: unknown) => {
    await child.end();
    throw cause;
  });
  return { apiUrl, processorMs: () => processorMs(child.process.pid ?? 0), close: () => child.end() };
}
