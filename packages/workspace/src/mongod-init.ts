import { systemClock } from "@skep/kit/clock.ts";
import { loadConfig, secret, setting } from "@skep/kit/config.ts";
import { run } from "@skep/kit/lifecycle.ts";
import { createLog } from "@skep/kit/log.ts";
import { z } from "zod";
import { untilReplicaSet } from "./replica-set/until-ready.ts";

const config = loadConfig({
  host: setting("SKEP_MONGOD_HOST", z.string().default("localhost:27017"), "the server, as everybody reaches it"),
  key: secret("SKEP_MONGOD_KEY", z.string().min(6), "what the file of its --keyFile holds"),
  password: secret("SKEP_MONGOD_PASSWORD", z.string().min(16), "the password that hosts of workspaces are to have"),
});
const log = createLog({ fields: { service: "mongod-init" } });

/** Once it is done the process stays, since a service of Swarm that ended is started again. */
await run(
  async ({ signal }) => {
    // The process ends with its last timer otherwise.
    const stay = setInterval(() => undefined, 3_600_000);
    signal.addEventListener("abort", () => clearInterval(stay));
    const { host, ...access } = config;
    await untilReplicaSet({ host, access, clock: systemClock }, log, signal);
  },
  { log },
);
