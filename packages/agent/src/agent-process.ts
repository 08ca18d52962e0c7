import { run } from "@skep/kit/lifecycle.ts";
import { createLog } from "@skep/kit/log.ts";
import { readConfig } from "./config.ts";
import { serve } from "./serve.ts";

/** Below the stack's stop grace of five minutes, which a drained node needs. */
const STOP_DEADLINE_MS = 290_000;

/** The process of an agent: it reads its settings and serves until it is told to end. */
export async function runAgent(): Promise<void> {
  const config = readConfig();
  const log = createLog({ level: config.logLevel, fields: { service: "agent" } });
  await run(life => serve(config, log, life), { log, deadlineMs: STOP_DEADLINE_MS });
}
