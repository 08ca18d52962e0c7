import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { fleetNode } from "./exec.ts";
import type { Fleet } from "./model.ts";

/** A listening port of this process whose connections end at a node. */
export interface Forward {
  /** The port that was bound, chosen by the system when 0 was asked for. */
  readonly port: number;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/**
 * Forwards TCP from a port of this host (127.0.0.1 unless `host` says otherwise; port 0 takes any
 * free one) to a port of a node, for as long as this process lives. A connection is dropped when
 * the node does not take it. Rejects when the port cannot be bound.
 */
export async function forward(
  fleet: Fleet,
  from: { readonly host?: string; readonly port: number },
  to: { readonly node: string; readonly port: number },
): Promise<Forward> {
  const { address } = fleetNode(fleet, to.node);
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, client => {
    const target = connect({ host: address, port: to.port, allowHalfOpen: true });
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        if (!one.readableEnded) other.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(from.port, from.host ?? "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
