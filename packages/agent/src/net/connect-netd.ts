import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { NetService } from "@skep/api/gen/skep/v1/net_pb.ts";
import type { Netd } from "./netd.ts";

/** A state of a thousand tenants takes netd far less. */
const DEADLINE_MS = 10_000;

/**
 * The real one, by Connect over netd's socket. Whoever calls waits longer after each failure, so
 * there is no breaker of its own here.
 */
export function createConnectNetd(socketPath: string): Netd {
  const transport = createConnectTransport({ baseUrl: "http://netd", httpVersion: "1.1", nodeOptions: { socketPath } });
  const client = createClient(NetService, transport);
  return {
    apply: async state => {
      const { faults } = await client.apply({ state }, { timeoutMs: DEADLINE_MS });
      return faults.map(({ reason, message, instanceId, epoch }) => ({ reason, message, instanceId, epoch }));
    },
  };
}
