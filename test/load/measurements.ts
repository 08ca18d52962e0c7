import type { Measurement } from "./measurement.ts";
import { p1 } from "./p1-decisions.ts";
import { p3 } from "./p3-command.ts";
import { p4 } from "./p4-starts.ts";
import { p5 } from "./p5-tenants.ts";
import { p10 } from "./p10-reconcile.ts";
import { p12 } from "./p12-edge.ts";
import { p13 } from "./p13-ingest.ts";
import { p14 } from "./p14-deliveries.ts";
import { p15 } from "./p15-isolation.ts";
import { p16 } from "./p16-density.ts";
import { p17 } from "./p17-failover.ts";

/**
 * Everything that can be measured, in the order in which it runs: what needs the machine most to
 * itself comes first.
 */
export const measurements: readonly Measurement[] = [p1, p3, p10, p13, p14, p15, p16, p17, p4, p5, p12];
