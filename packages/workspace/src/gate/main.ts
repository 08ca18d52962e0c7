import { createLog } from "@skep/kit/log.ts";
import { run } from "@skep/kit/lifecycle.ts";
import { readGateConfig } from "./config.ts";
import { serveGate } from "./serve.ts";

const config = readGateConfig();
const log = createLog({ level: config.logLevel, fields: { service: "gate" } });
await run(life => serveGate(config, log, life), { log });
