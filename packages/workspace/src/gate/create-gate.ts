import type { Duplex } from "node:stream";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { createAdmissions } from "./admissions.ts";
import { serveDevice, type ConnectionSettings } from "./connection.ts";
import type { GateApi } from "./gate-api.ts";
import { createRefusals } from "./refusals.ts";
import { createRoll } from "./roll.ts";

/** What stands before a broker and lets devices in. */
export interface Gate {
  serve(device: Duplex, address: string): void;
  /** Devices that are connected. */
  readonly connected: number;
  /** Whether a scheduler answered the last report. */
  isHeard(): boolean;
  /** Ends the reports; connections are whoever listens' to end. */
  close(): Promise<void>;
}

/** What it is made of. */
export interface GateOptions {
  readonly api: GateApi;
  readonly settings: ConnectionSettings;
  readonly clock: Clock;
  readonly log: Log;
}

/** So long at most a connection outlives its right while the schedulers answer. */
const REPORT_EACH_MS = 1_000;

/** Begins to report. */
export function createGate({ api, settings, clock, log }: GateOptions): Gate {
  const admissions = createAdmissions(api, log);
  const roll = createRoll(api, clock, log, device => admissions.forget(device));
  const refusals = createRefusals(() => clock.now());
  const ending = new AbortController();
  let isHeard = false;

  async function report(): Promise<void> {
    while (!ending.signal.aborted) {
      await clock.sleep(REPORT_EACH_MS, ending.signal);
      const heard = await roll.report().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (heard !== undefined && isHeard)
        log.warn("gate.unheard", "No scheduler answers: whoever was admitted before is let in.", heard);
      isHeard = heard === undefined;
    }
  }
  const reporting = report();

  return {
    serve: (device, address) => serveDevice(device, address, { settings, admissions, roll, refusals, clock, log }),
    get connected() {
      return roll.size;
    },
    isHeard: () => isHeard,
    close: async () => {
      ending.abort();
      await reporting;
    },
  };
}
