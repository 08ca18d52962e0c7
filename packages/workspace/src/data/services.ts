import type { ConnectRouter } from "@connectrpc/connect";

/** The services of a host's data plane. Each finds its workspace by `servedOf(context)`. */
export function dataServices(): (router: ConnectRouter) => void {
  return () => undefined;
}
