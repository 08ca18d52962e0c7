import { createLog } from "@skep/kit/log.ts";
import { run } from "@skep/kit/lifecycle.ts";
import { readConfig } from "./config.ts";
import { isHealthy } from "./healthcheck.ts";
import { serve } from "./serve.ts";

if (process.argv.includes("--healthcheck")) {
  const { apiPort } = readConfig();
  process.exitCode = (await isHealthy(apiPort)) ? 0 : 1;
} else {
  const config = readConfig();
  const log = createLog({ level: config.logLevel, fields: { service: "scheduler" } });
  await run(life => serve(config, log, life), { log });
}
