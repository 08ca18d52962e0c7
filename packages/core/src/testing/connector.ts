import type { Purpose } from "../workspace/selection.ts";
import { DEFAULT_DATABASE_MB, DEFAULT_LIMITS, type Connector } from "../workspace/connector.ts";

/** A good connector; the parts that are given replace its own. */
export function aConnector(
  over: Partial<Connector> = {},
  access: Partial<Connector["access"]> = {},
  specs: Partial<Connector["config"]["resources"]["specs"]> = {},
  type: Connector["config"]["resources"]["type"] = "shared",
): Connector {
  const { sockets, events } = DEFAULT_LIMITS;
  return {
    id: "mxbh48wy",
    workspace: { type: "developer", icode: "DEV-9X00-233" },
    type: "IoT",
    name: "Fleet Management",
    access: {
      secret: "sk_live_0123456789",
      maintainers: ["ops@fleet.example"],
      ratelimits: { sockets, events },
      ...access,
    },
    config: {
      protocol: "sio",
      resources: {
        type,
        specs: {
          database: { url: undefined, size: DEFAULT_DATABASE_MB },
          ratelimits: DEFAULT_LIMITS,
          ...specs,
        },
      },
    },
    enabled: true,
    ...over,
  };
}

/** The purpose of a small production; what is given replaces its own. */
export function aPurpose(over: Partial<Purpose> = {}): Purpose {
  return {
    ...{ environment: "production", scale: "small", isRegulated: false, needsPerformance: false },
    isCostSensitive: false,
    ...over,
  };
}
