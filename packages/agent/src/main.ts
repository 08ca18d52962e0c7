import { GUARD_ARGUMENT } from "./guard/message.ts";

const [, , role, socketPath] = process.argv;

// Each role loads what it needs: a guard stays small beside the agent that it watches.
if (role === GUARD_ARGUMENT && socketPath !== undefined) {
  const { serveGuard } = await import("./guard/guard-process.ts");
  serveGuard(socketPath);
} else {
  const { runAgent } = await import("./agent-process.ts");
  await runAgent();
}
