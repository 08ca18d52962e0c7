import { createLog } from "@skep/kit/log.ts";
import { run } from "@skep/kit/lifecycle.ts";
import { readConfig } from "./config.ts";
import { serve } from "./serve.ts";

const config = readConfig();
const log = createLog({ level: config.logLevel, fields: { service: "scheduler" } });
await run(life => serve(config, log, life), { log });
