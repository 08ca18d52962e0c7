import { createHealthHandler } from "@skep/kit/health.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { showConfig } from "@skep/kit/config.ts";
import { listenHttp1 } from "@skep/kit/http-listener.ts";
import type { Life } from "@skep/kit/lifecycle.ts";
import type { Log } from "@skep/kit/log.ts";
import { createLoops } from "@skep/kit/loops.ts";
import { systemRandom } from "@skep/kit/random.ts";
import { NETD_SETTINGS, type NetdConfig } from "./config.ts";
import { createKeeper } from "./keeper.ts";
import { createLinuxKernel } from "./kernel/linux.ts";
import { createNodeNames, NAMES_LOOP } from "./names/node-names.ts";
import { GATEWAY } from "./plan/names.ts";
import { listenOnSocket } from "./socket.ts";
import type { NetState } from "./state/net-state.ts";
import { createFileState } from "./state/kept-state.ts";

/** A loop that fails for this long is ill: a restart may help, and never interrupts traffic. */
const ILL_AFTER_MS = 60_000;

const DNS_PORT = 53;
/** The engine gives a container on the node's network the node's own. */
const RESOLV_CONF = "/etc/resolv.conf";

/** Builds netd from the real ports, and serves until its life ends. The network stays. */
export async function serve(config: NetdConfig, log: Log, { stack }: Life): Promise<void> {
  log.info("process.configured", "netd begins.", { config: showConfig(NETD_SETTINGS, config) });
  const loops = createLoops({ clock: systemClock, log, random: systemRandom });
  const kept = createFileState(config.stateDir, error => {
    log.error("state.spoilt", "The kept state cannot be read; the agent has to tell one.", { error });
  });
  const names = createNodeNames({
    ...{ clock: systemClock, log, loops, address: GATEWAY, port: DNS_PORT, resolvConf: RESOLV_CONF },
  });
  stack.defer(() => names.close());
  const onTold = (state: NetState): void => names.take(state.names, state.pool);
  const kernel = createLinuxKernel();
  const keeper = await createKeeper({ kernel, kept, clock: systemClock, log, loops, onTold });
  stack.defer(() => keeper.close());
  const socket = await listenOnSocket(config.socket, keeper);
  stack.defer(() => socket.close());
  const network = (): string | undefined => {
    // Where somebody else listens at the port of names, no restart of ours helps.
    const ours = loops.states().filter(({ name }) => name !== NAMES_LOOP);
    const failing = ours.find(({ failing }) => failing && systemClock.now() - failing.sinceAt > ILL_AFTER_MS);
    return failing?.failing?.error;
  };
  const answers = createHealthHandler({ alive: { network } });
  const probe = await listenHttp1({ port: config.probePort, host: "127.0.0.1", log }, (request, response) => {
    if (!answers(request, response)) response.writeHead(404).end("Ask /livez.\n");
  });
  stack.defer(() => probe.close(0));
}
