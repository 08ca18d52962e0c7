import { Code, ConnectError } from "@connectrpc/connect";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { HealthCheckResponse_ServingStatus as Status, Health } from "@skep/api/gen/grpc/health/v1/health_pb.ts";

/** How often a watched status is looked at again. */
const PERIOD_MS = 1_000;

/** What gRPC health tells. */
export interface HealthSource {
  /** Names of the services that the server has. */
  readonly services: readonly string[];
  /** Whether requests would be answered now. */
  readonly isReady: () => boolean;
}

/**
 * Registers `grpc.health.v1.Health`. All services share one state, because one process serves them
 * all.
 */
export function registerHealth(router: ConnectRouter, source: HealthSource): void {
  const statusOf = (service: string): Status => {
    if (service !== "" && !source.services.includes(service)) return Status.SERVICE_UNKNOWN;
    return source.isReady() ? Status.SERVING : Status.NOT_SERVING;
  };
  router.service(Health, {
    check({ service }) {
      const status = statusOf(service);
      if (status === Status.SERVICE_UNKNOWN)
        throw new ConnectError(`This server has no service "${service}".`, Code.NotFound);
      return { status };
    },
    async *watch({ service }, context: HandlerContext) {
      let last: Status | undefined;
      while (!context.signal.aborted) {
        const status = statusOf(service);
        if (status !== last) yield { status };
        last = status;
        await pause(PERIOD_MS, context.signal);
      }
    },
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise(resolve => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener("abort", finish, { once: true });
  });
}
