import type { Measurement } from "./measurement.ts";
import { p1 } from "./p1-decisions.ts";
import { p3 } from "./p3-command.ts";

/** Everything that can be measured, in the order in which it runs. */
export const measurements: readonly Measurement[] = [p1, p3];
