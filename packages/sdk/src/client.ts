import { createClient as createServiceClient } from "@connectrpc/connect";
import type { Client, Transport } from "@connectrpc/connect";
import type { DescService } from "@bufbuild/protobuf";
import { SERVICE_BY_NAME } from "@skep/api/services.ts";
import { withSkepErrors } from "./errors.ts";

/** One property per service of the platform; every call fails with SkepError. */
export type SkepClient = { readonly [Name in keyof typeof SERVICE_BY_NAME]: Client<(typeof SERVICE_BY_NAME)[Name]> };

/**
 * How the platform is reached: `node.ts` makes a transport for Node, `@connectrpc/connect-web` one
 * for a browser.
 */
export interface ClientOptions {
  readonly transport: Transport;
  /**
   * Longest that a call that is no stream may take; without it as long as the transport lets it.
   */
  readonly timeoutMs?: number;
}

/** Makes a client. Nothing is sent before the first call, and nothing needs to be closed. */
export function createClient({ transport, timeoutMs }: ClientOptions): SkepClient {
  const bounded = withDeadline(transport, timeoutMs);
  const client = <T extends DescService>(service: T): Client<T> =>
    withSkepErrors(service, createServiceClient(service, bounded));
  return {
    tenants: client(SERVICE_BY_NAME.tenants),
    deployments: client(SERVICE_BY_NAME.deployments),
    projects: client(SERVICE_BY_NAME.projects),
    instances: client(SERVICE_BY_NAME.instances),
    volumes: client(SERVICE_BY_NAME.volumes),
    workspaces: client(SERVICE_BY_NAME.workspaces),
    containers: client(SERVICE_BY_NAME.containers),
    rules: client(SERVICE_BY_NAME.rules),
    devices: client(SERVICE_BY_NAME.devices),
    webhooks: client(SERVICE_BY_NAME.webhooks),
    messages: client(SERVICE_BY_NAME.messages),
    files: client(SERVICE_BY_NAME.files),
    nodes: client(SERVICE_BY_NAME.nodes),
    routing: client(SERVICE_BY_NAME.routing),
    platform: client(SERVICE_BY_NAME.platform),
  };
}

/** Gives unary calls a deadline where the caller names none; streams may last. */
function withDeadline(transport: Transport, timeoutMs: number | undefined): Transport {
  return {
    unary: (method, signal, given, ...rest) => transport.unary(method, signal, given ?? timeoutMs, ...rest),
    stream: (...args) => transport.stream(...args),
  };
}
