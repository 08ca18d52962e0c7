import { createServer } from "node:http";
import { chmod, mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { NetService } from "@skep/api/gen/skep/v1/net_pb.ts";
import type { Keeper } from "./keeper.ts";
import { netHandlers } from "./net-service.ts";

/** A state of a thousand tenants is far below. */
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * Serves the agent on a unix socket. Who may open the file is who may call: its directory is shared
 * with the agent alone. A file that a killed process left is removed.
 */
export async function listenOnSocket(path: string, keeper: Keeper): Promise<{ close(): Promise<void> }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o770 });
  await rm(path, { force: true });
  const routes = connectNodeAdapter({
    routes: router => void router.service(NetService, netHandlers(keeper)),
    readMaxBytes: MOST_BYTES,
  });
  const server = createServer(routes);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(path, () => resolve());
  });
  await chmod(path, 0o660);
  return {
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}
