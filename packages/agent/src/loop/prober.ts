import { get } from "node:http";
import { connect } from "node:net";

/**
 * What is to be tried: a page that must answer 200 to 399, or a port that must take a connection.
 */
export type ProbeTarget =
  | { readonly kind: "http"; readonly host: string; readonly port: number; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** Whether it is well, whether it answered at all, and in which words it did not. */
export interface ProbeOutcome {
  readonly ok: boolean;
  /** Somebody is there, though perhaps with a page that says otherwise. */
  readonly answered: boolean;
  readonly detail: string;
}

/** Tries targets, as a port. It never throws: a failure is an outcome. */
export type Prober = (target: ProbeTarget, timeoutMs: number) => Promise<ProbeOutcome>;

/** Tries targets over the network. */
export const networkProber: Prober = async (target, timeoutMs) => {
  try {
    return await (target.kind === "tcp" ? tryConnect(target.host, target.port, timeoutMs) : tryPage(target, timeoutMs));
  } catch (error) {
    // Node refuses some paths before anything is sent. A tenant chose the path: it must not end the
    // agent.
    return { ok: false, answered: false, detail: error instanceof Error ? error.message : String(error) };
  }
};

function tryConnect(host: string, port: number, timeoutMs: number): Promise<ProbeOutcome> {
  const { promise, resolve } = Promise.withResolvers<ProbeOutcome>();
  const socket = connect({ host, port });
  socket.setTimeout(timeoutMs);
  socket.once("connect", () => end({ ok: true, answered: true, detail: "connected" }));
  socket.once("timeout", () =>
    end({ ok: false, answered: false, detail: `no connection to ${host}:${port} within ${timeoutMs} ms` }),
  );
  socket.once("error", error => end({ ok: false, answered: false, detail: error.message }));
  function end(outcome: ProbeOutcome): void {
    socket.destroy();
    resolve(outcome);
  }
  return promise;
}

function tryPage(target: ProbeTarget & { kind: "http" }, timeoutMs: number): Promise<ProbeOutcome> {
  const { promise, resolve } = Promise.withResolvers<ProbeOutcome>();
  const { host, port, path } = target;
  const headers = { "user-agent": "skep-agent", connection: "close" };
  const signal = AbortSignal.timeout(timeoutMs);
  const request = get({ host, port, path, headers, agent: false, signal }, response => {
    const status = response.statusCode ?? 0;
    response.destroy();
    resolve({ ok: status >= 200 && status < 400, answered: true, detail: `${path} answered ${status}` });
  });
  request.once("error", error => {
    const detail = signal.aborted ? `${path} did not answer within ${timeoutMs} ms` : error.message;
    resolve({ ok: false, answered: false, detail });
  });
  return promise;
}
