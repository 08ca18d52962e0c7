import type { DescService } from "@bufbuild/protobuf";
import { createConnectRouter } from "@connectrpc/connect";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { Health } from "@skep/api/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@skep/api/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@skep/api/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { ErrorDetailSchema } from "@skep/api/gen/skep/v1/error_pb.ts";
import { createHealthHandler, watchReadiness } from "@skep/kit/health.ts";
import type { Checks, Readiness, ReadinessOptions } from "@skep/kit/health.ts";
import type { Log } from "@skep/kit/log.ts";
import { createGate } from "./auth.ts";
import type { AuthOptions } from "./auth.ts";
import { createDispatch } from "./dispatch.ts";
import type { Page } from "./dispatch.ts";
import { registerHealth } from "./health.ts";
import { createInterceptors } from "./interceptors.ts";
import { LIMITS } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { listen } from "./listen.ts";
import { createRate } from "./rate.ts";
import { registerReflection } from "./reflection.ts";

/** What the server serves, and how. */
export interface ServerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  readonly host?: string;
  /** Registers the implementations of `services`. */
  readonly routes: (router: ConnectRouter) => void;
  /** The public services: those that have REST paths, health states and reflection. */
  readonly services: readonly DescService[];
  /** `undefined` lets everybody in: only for tests and closed networks. */
  readonly auth: AuthOptions | undefined;
  /**
   * Failing ones mean that no traffic should come now: /readyz and gRPC health say so. They run in
   * rounds, whoever asks, so that requests without a token reach no database.
   */
  readonly ready: Checks;
  readonly readiness?: ReadinessOptions;
  /** Plain HTTP pages beside the API, asked in order. */
  readonly pages?: readonly Page[];
  /** Origins whose web pages may use the API. */
  readonly origins?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** The OpenAPI file as text, served at /api/v1/openapi.json. */
  readonly openApi?: string;
  /** Further interceptors, inside those of the server. */
  readonly interceptors?: readonly Interceptor[];
  readonly log: Log;
}

/** A server that runs. */
export interface ApiServer {
  readonly port: number;
  /** Ends streams, finishes what runs, and cuts off what still runs after `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Serves Connect, gRPC, gRPC-Web and REST, over HTTP/1.1 and HTTP/2 without TLS, on one port.
 * @throws the system's error where the port cannot be had.
 */
export async function startServer(options: ServerOptions): Promise<ApiServer> {
  const shutdown = new AbortController();
  const limits = { ...LIMITS, ...options.limits };
  const ready = watchReadiness(options.ready, options.readiness);
  const handlers = createHandlers(options, limits, ready, shutdown.signal);
  const dispatch = createDispatch({
    handlers,
    services: options.services,
    maxBytes: limits.maxBytes,
    requests: createRate(limits.requestsPerSecond, 1_000),
    pages: [createHealthHandler({ ready }), ...(options.pages ?? [])],
    origins: options.origins ?? [],
    openApi: options.openApi,
    log: options.log,
  });
  const { port, host, log } = options;
  const where = { port, ...(host === undefined ? {} : { host }), log, limits };
  const listener = await listen(where, dispatch).catch((error: unknown) => {
    ready.close();
    throw error;
  });
  return {
    port: listener.port,
    close: async (graceMs = 5_000) => {
      shutdown.abort();
      ready.close();
      await listener.close(graceMs);
    },
  };
}

function createHandlers(
  options: ServerOptions,
  limits: Limits,
  ready: Readiness,
  shutdownSignal: AbortSignal,
): UniversalHandler[] {
  const router = createConnectRouter({
    readMaxBytes: limits.maxBytes,
    acceptCompression: [compressionGzip, compressionBrotli],
    shutdownSignal,
    // A field that does not exist is more often a slip than a newer client: it is refused, not
    // ignored. And a field that is 0, false or empty is answered, so that a program that reads JSON
    // finds every one of them.
    jsonOptions: { ignoreUnknownFields: false, alwaysEmitImplicit: true },
    requestGate: createGate(options.auth, createRate(limits.failedAuthsPerMinute, 60_000)),
    interceptors: [...createInterceptors(options.log, shutdownSignal), ...(options.interceptors ?? [])],
  });
  options.routes(router);
  registerHealth(router, {
    services: options.services.map(service => service.typeName),
    isReady: () => ready.isReady(),
  });
  registerReflection(
    router,
    [...options.services, Health, ServerReflection, ServerReflectionAlpha],
    [ErrorDetailSchema.file],
  );
  return router.handlers;
}
