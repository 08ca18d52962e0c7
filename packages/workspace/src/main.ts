import { createLog } from "@skep/kit/log.ts";
import { run } from "@skep/kit/lifecycle.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { untilReplicaSet } from "./replica-set/until-ready.ts";
import { readHostConfig } from "./config.ts";
import { openHostedContainers } from "./container/open-hosted.ts";
import { createJournal } from "./data/journal.ts";
import { serveHost } from "./serve.ts";

const config = readHostConfig();
const journal = createJournal(createLog({ level: config.logLevel, fields: { service: "workspace" } }), Date.now);
const { log } = journal;
await run(
  async life => {
    if (config.mongoInitiate === "yes") {
      const host = new URL(config.mongoUrl).host;
      await untilReplicaSet({ host, clock: systemClock }, log, life.signal);
    }
    const hosted = await openHostedContainers(config, log, life, journal);
    await serveHost(config, log, life, hosted);
  },
  { log },
);
