import { createClient as createServiceClient } from "@connectrpc/connect";
import type { Client, Interceptor, Transport } from "@connectrpc/connect";
import type { DescService } from "@bufbuild/protobuf";
import { createConnectTransport } from "@connectrpc/connect-node";
import { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { InstanceService } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import { NodeService } from "@skep/api/gen/skep/v1/node_service_pb.ts";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { RoutingService } from "@skep/api/gen/skep/v1/routing_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { bearer } from "./auth.ts";
import { withSkepErrors } from "./errors.ts";
import { Sessions, withLeaving } from "./sessions.ts";

/** One property per service of the platform; every call fails with SkepError. */
export interface SkepClient {
  readonly tenants: Client<typeof TenantService>;
  readonly deployments: Client<typeof DeploymentService>;
  readonly instances: Client<typeof InstanceService>;
  readonly nodes: Client<typeof NodeService>;
  readonly routing: Client<typeof RoutingService>;
  readonly platform: Client<typeof PlatformService>;
}

/** Where the platform is and who asks. */
export interface ConnectOptions {
  /** For example `http://127.0.0.1:7700`. */
  readonly url: string;
  readonly token?: string | (() => string | Promise<string>);
  /** HTTP/2 by default: one connection, and a dead one is noticed by pings. `1.1` for proxies that speak only that. */
  readonly httpVersion?: "1.1" | "2";
  /** Longest that a call that is no stream may take; 30 s by default. */
  readonly timeoutMs?: number;
  readonly interceptors?: readonly Interceptor[];
}

/** A transport that is there already, for example one of a browser or of a test. */
export interface TransportOptions {
  readonly transport: Transport;
}

/** How often a connection is asked whether it lives, and how long the answer may take. */
const PINGS = { pingIntervalMs: 5_000, pingTimeoutMs: 5_000 };

/** Makes a client. Nothing is sent before the first call, and nothing needs to be closed. */
export function createClient(options: ConnectOptions | TransportOptions): SkepClient {
  const transport = "transport" in options ? options.transport : createTransport(options);
  const timeoutMs = "transport" in options ? undefined : (options.timeoutMs ?? 30_000);
  const client = <T extends DescService>(service: T): Client<T> =>
    withSkepErrors(service, createServiceClient(service, withDeadline(transport, timeoutMs)));
  return {
    tenants: client(TenantService),
    deployments: client(DeploymentService),
    instances: client(InstanceService),
    nodes: client(NodeService),
    routing: client(RoutingService),
    platform: client(PlatformService),
  };
}

function createTransport(options: ConnectOptions): Transport {
  const interceptors = [
    ...(options.token === undefined ? [] : [bearer(options.token)]),
    ...(options.interceptors ?? []),
  ];
  const common = { baseUrl: options.url, interceptors, useBinaryFormat: true };
  return options.httpVersion === "1.1"
    ? createConnectTransport({ ...common, httpVersion: "1.1" })
    : withLeaving(
        createConnectTransport({ ...common, httpVersion: "2", sessionManager: new Sessions(options.url, PINGS) }),
      );
}

/** Gives unary calls a deadline where the caller names none; streams may last. */
function withDeadline(transport: Transport, timeoutMs: number | undefined): Transport {
  return {
    unary: (method, signal, given, ...rest) => transport.unary(method, signal, given ?? timeoutMs, ...rest),
    stream: (...args) => transport.stream(...args),
  };
}
