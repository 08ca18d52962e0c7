import type { Clock } from "@skep/kit/clock.ts";
import type { ExecEvent, ExecRequest } from "./engine.ts";
import { EngineError } from "./errors.ts";

/**
 * What a command in the twin does: it prints, runs for a while (`undefined` for ever) and ends with
 * its code.
 */
export interface MemoryCommand {
  readonly output: readonly (readonly ["stdout" | "stderr", string | Uint8Array])[];
  readonly runsMs: number | undefined;
  readonly exitCode: number;
}

/** Plays a command; `undefined` is a program that the container does not have. */
export async function* playCommand(
  command: MemoryCommand | undefined,
  request: ExecRequest,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<ExecEvent> {
  if (command === undefined)
    throw new EngineError("not_runnable", `exec: "${request.argv[0]}": executable file not found in $PATH`);
  for (const [stream, text] of command.output) {
    if (signal.aborted) return;
    yield { kind: "output", stream, data: typeof text === "string" ? new TextEncoder().encode(text) : text };
  }
  if (command.runsMs === undefined) await ended(signal);
  else await clock.sleep(command.runsMs, signal);
  if (!signal.aborted) yield { kind: "exit", code: command.exitCode };
}

async function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>(resolve => signal.addEventListener("abort", () => resolve(), { once: true }));
}
