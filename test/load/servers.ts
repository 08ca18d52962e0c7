import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { join } from "node:path";
import { startNatsServer, type NatsServer } from "../support/nats-server.ts";
import { startPostgresServer, type PostgresServer } from "../support/postgres-server.ts";
import { programVersion } from "./machine.ts";
import type { Bench } from "./measurement.ts";

/** A real Postgres, with fsync on, for the whole run. */
export function sharedPostgres(bench: Bench): Promise<PostgresServer> {
  return bench.share("postgres", async defer => {
    const { path, how } = await resolveProgram("postgres");
    const server = await startPostgresServer();
    defer("postgres", () => server.close());
    bench.engine("PostgreSQL", `${await programVersion(join(path, "postgres"))} (${how})`);
    return server;
  });
}

/** A real nats-server for the whole run. */
export function sharedNats(bench: Bench): Promise<NatsServer> {
  return bench.share("nats", async defer => {
    const { path, how } = await resolveProgram("nats-server");
    const server = await startNatsServer();
    defer("nats-server", () => server.close());
    bench.engine("nats-server", `${await programVersion(path)} (${how})`);
    return server;
  });
}
