import type { Duplex } from "node:stream";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { createAdmissions, type Admissions } from "./admissions.ts";
import { createBrokers } from "./brokers.ts";
import { createBudget } from "./budget.ts";
import { createEars } from "./ears.ts";
import { serveDevice, type ConnectionSettings } from "./connection.ts";
import type { GateApi } from "./gate-api.ts";
import { createPlacing } from "./placing.ts";
import { createRefusals } from "./refusals.ts";
import { createRoll } from "./roll.ts";
import { createUnanswered } from "./unanswered.ts";

/** What stands before a broker and lets devices in. */
export interface Gate {
  serve(device: Duplex, address: string): void;
  /** Devices that are connected. */
  readonly connected: number;
  /** Messages of theirs that a broker has, and that nobody has stored yet. */
  readonly waiting: number;
  /** Whether a scheduler answered the last report. */
  isHeard(): boolean;
  /** Ends the reports; connections are whoever listens' to end, before. */
  close(): Promise<void>;
}

/** What it is made of. */
export interface GateOptions {
  /** Another one with each start of the process. */
  readonly gateId: string;
  readonly api: GateApi;
  readonly settings: ConnectionSettings;
  readonly clock: Clock;
  readonly log: Log;
}

/** So long at most a connection outlives its right while the schedulers answer. */
const REPORT_EACH_MS = 1_000;
const UNAVAILABLE = Promise.resolve({ kind: "unavailable" } as const);

/** Begins to report. */
export function createGate({ gateId, api, settings, clock, log }: GateOptions): Gate {
  const brokers = createBrokers(settings.broker);
  const admissions = createAdmissions(api, brokers, log);
  const ears = createEars({ gateId, clock, log });
  const unanswered = createUnanswered(clock);
  const budget = createBudget(settings.mostHeld);
  const roll = createRoll(api, clock, log, device => admissions.forget(device));
  const placing = createPlacing({ gateId, api, roll, brokers, log });
  const refusals = createRefusals(() => clock.now());
  const ending = new AbortController();
  let isHeard = false;
  let isKnown = false;
  // A move waits for the gates that it knows: who was let in before would be nobody's to wait for.
  const known: Admissions = {
    ...admissions,
    admit: (device, secret) => (isKnown ? admissions.admit(device, secret) : UNAVAILABLE),
  };

  async function tell(): Promise<void> {
    await roll.report();
    await placing.report();
    isKnown = true;
  }

  async function report(): Promise<void> {
    while (!ending.signal.aborted) {
      const heard = await tell().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (heard !== undefined && isHeard)
        log.warn("gate.unheard", "No scheduler answers: whoever was admitted before is let in.", heard);
      isHeard = heard === undefined;
      await clock.sleep(REPORT_EACH_MS, ending.signal);
    }
  }
  const reporting = report();

  return {
    serve: (device, address) =>
      serveDevice(device, address, {
        settings,
        admissions: known,
        brokers,
        ears,
        unanswered,
        budget,
        roll,
        refusals,
        clock,
        log,
      }),
    get connected() {
      return roll.size;
    },
    get waiting() {
      return ears.waiting;
    },
    isHeard: () => isHeard,
    close: async () => {
      ending.abort();
      await reporting;
      ears.close();
      // Without it a move would wait for this gate until it was silent for long enough.
      await placing.leave().catch((error: unknown) => {
        log.warn("gate.unheard", "No scheduler heard that this gate ends.", { error });
      });
    },
  };
}
