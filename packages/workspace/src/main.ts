import { createLog } from "@skep/kit/log.ts";
import { run } from "@skep/kit/lifecycle.ts";
import { readHostConfig } from "./config.ts";
import { openHostedContainers } from "./container/open-hosted.ts";
import { serveHost } from "./serve.ts";

const config = readHostConfig();
const log = createLog({ level: config.logLevel, fields: { service: "workspace" } });
await run(
  async life => {
    const hosted = await openHostedContainers(config, log, life);
    await serveHost(config, log, life, hosted);
  },
  { log },
);
