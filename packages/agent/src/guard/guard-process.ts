import { createInterface } from "node:readline";
import { systemClock } from "@skep/kit/clock.ts";
import { createLog } from "@skep/kit/log.ts";
import { createDockerEnder } from "./docker-ender.ts";
import { aged, machineMs, parseMessage } from "./message.ts";
import { createWatch } from "./watch.ts";

/**
 * The process of a guard: lines of its agent on standard input, the number of each line that was
 * taken on standard output, its log on standard error. It lives until its agent is gone and nothing
 * is left to be ended.
 */
export function serveGuard(socketPath: string): void {
  const fields = { service: "guard" };
  const log = createLog({ fields, write: line => void process.stderr.write(line) });
  const onIdle = (): never => process.exit(0);
  const watch = createWatch({ ender: createDockerEnder(socketPath), clock: systemClock, log, onIdle });
  // The reader of the answers or of the log may be gone, and the copies have to end all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", line => {
    try {
      const message = parseMessage(line);
      watch.take(aged(message, machineMs()));
      process.stdout.write(`${message.seq}\n`);
    } catch (error) {
      log.error("guard.unreadable", "A line of the agent could not be read; what was told before stands.", { error });
    }
  });
  lines.on("close", () => watch.orphan());
}
