import { systemClock } from "@skep/kit/clock.ts";
import type Docker from "dockerode";
import type { Readable } from "node:stream";
import type { EngineEvent } from "./engine.ts";
import { LABEL } from "./labels.ts";

interface RawEvent {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
  readonly timeNano?: number;
}

const RECONNECT_MS = 1_000;
/**
 * A new stream begins this long before the last event: a doubled hint costs a look, a lost one
 * costs seconds.
 */
const OVERLAP_S = 1;

/**
 * Follows the engine's events until closed, over as many streams as it takes. The engine drops
 * events for slow readers and forgets all but the latest 256, so they are hints: a caller that
 * needs the truth lists the containers.
 */
export function followEvents(docker: Docker, handle: (event: EngineEvent) => void): { close(): void } {
  const closing = new AbortController();
  let since: number | undefined;

  async function follow(): Promise<void> {
    const filters = { type: ["container" as const, "image" as const, "network" as const, "node" as const] };
    const options = { filters, abortSignal: closing.signal, ...(since === undefined ? {} : { since }) };
    const stream: AsyncIterable<Buffer> = (await docker.getEvents(options)) as Readable;
    handle({ kind: "reconnected", action: "reconnected", containerId: undefined, instanceId: undefined });
    let rest = "";
    for await (const chunk of stream) {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) take(line);
    }
  }

  function take(line: string): void {
    if (line.trim() === "") return;
    const raw = JSON.parse(line) as RawEvent;
    if (raw.timeNano !== undefined) since = Math.floor(raw.timeNano / 1e9) - OVERLAP_S;
    const event = toEngineEvent(raw);
    if (event !== undefined) handle(event);
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await follow().catch(() => undefined);
      await systemClock.sleep(RECONNECT_MS, closing.signal);
    }
  }

  void run();
  return { close: () => closing.abort() };
}

/**
 * Reads `Action` and `Actor`, which every API version has (1.52 took the older fields away);
 * `undefined` for others' affairs.
 */
export function toEngineEvent(raw: RawEvent): EngineEvent | undefined {
  const action = raw.Action ?? "";
  const instanceId = raw.Actor?.Attributes?.[LABEL.instance];
  switch (raw.Type) {
    case "container":
      // Docker's own health checks run as execs, several events each: only their verdict is news.
      if (instanceId === undefined || action.startsWith("exec_")) return undefined;
      return { kind: "container", action, containerId: raw.Actor?.ID, instanceId };
    case "image":
    case "network":
    case "node":
      return { kind: raw.Type, action, containerId: undefined, instanceId: undefined };
    default:
      return undefined;
  }
}
