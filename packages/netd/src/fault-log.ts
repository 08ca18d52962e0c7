import type { Log } from "@skep/kit/log.ts";
import { faultKey, type Fault } from "./state/fault.ts";

/** Says each fault once when it comes, and once when it is gone. */
export function createFaultLog(log: Log): { show(faults: readonly Fault[]): void } {
  let shown = new Map<string, Fault>();
  return {
    show: faults => {
      const now = new Map(faults.map(fault => [faultKey(fault), fault]));
      for (const [key, { message, ...fields }] of now) if (!shown.has(key)) log.warn("network.fault", message, fields);
      for (const [key, { message, ...fields }] of shown)
        if (!now.has(key)) log.info("network.recovered", `This is over: ${message}`, fields);
      shown = now;
    },
  };
}
