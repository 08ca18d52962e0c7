import { run } from "@skep/kit/lifecycle.ts";
import { createLog } from "@skep/kit/log.ts";
import { readNetdConfig } from "./config.ts";
import { serve } from "./serve.ts";

const config = readNetdConfig();
const log = createLog({ level: config.logLevel, fields: { service: "netd" } });
await run(life => serve(config, log, life), { log });
