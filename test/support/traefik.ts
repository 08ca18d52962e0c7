import { createServer, request, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { resolveProgram } from "@skep/deploy/programs/programs.ts";
import { freePort, startChild } from "./child.ts";
import { eventually } from "./eventually.ts";

/** A router as Traefik shows it after it took a configuration. */
interface ShownRouter {
  readonly name: string;
  readonly status: string;
  readonly error?: readonly string[];
}

/** What Traefik answered to one request. */
export interface TraefikAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/**
 * A real Traefik that takes its configuration from a test by the HTTP provider, as every edge does.
 */
export interface Traefik {
  /** Serves this text from now on. */
  serve(config: string): void;
  /** One request to the entry point `web`, by host. */
  get(host: string, path?: string): Promise<TraefikAnswer>;
  /** The HTTP and TCP routers that it has, with what is wrong with them. */
  routers(): Promise<readonly ShownRouter[]>;
  /** What it logged. */
  readonly output: () => string;
  /** Where it takes requests: its entry points `web` and `websecure`. */
  readonly ports: { readonly web: number; readonly tls: number };
  close(): Promise<void>;
}

/**
 * Starts Traefik on free ports of the loopback; it asks for its configuration each 20 ms and
 * applies it at once. `routes` is where it asks in place of the test.
 */
export async function startTraefik(routes?: string): Promise<Traefik> {
  const { path } = await resolveProgram("traefik");
  let config = "{}";
  const provider = createServer((_, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end(config),
  );
  await new Promise<void>(resolve => provider.listen(0, "127.0.0.1", resolve));
  const [web, tls, api] = [await freePort(), await freePort(), await freePort()];
  const child = startChild(path, [
    `--entrypoints.web.address=127.0.0.1:${web}`,
    `--entrypoints.websecure.address=127.0.0.1:${tls}`,
    `--entrypoints.traefik.address=127.0.0.1:${api}`,
    ...["--api.insecure=true", "--ping=true", "--global.checknewversion=false", "--global.sendanonymoususage=false"],
    ...["--providers.providersthrottleduration=0s", "--providers.http.pollinterval=20ms", "--log.level=ERROR"],
    `--providers.http.endpoint=${routes ?? `http://127.0.0.1:${(provider.address() as AddressInfo).port}/routes`}`,
  ]);
  const shown = async (kind: string): Promise<ShownRouter[]> => {
    const answer = await fetch(`http://127.0.0.1:${api}/api/${kind}/routers?per_page=1000`);
    return (await answer.json()) as ShownRouter[];
  };
  await eventually(async () => {
    const says = await fetch(`http://127.0.0.1:${api}/ping`).then(({ status }) => status, String);
    if (says !== 200) throw new Error(`ping says ${says}: ${child.output()}`);
  }, 30_000);
  return {
    serve: text => (config = text),
    get: (host, at = "/") => ask(web, host, at),
    routers: async () => [...(await shown("http")), ...(await shown("tcp"))],
    output: child.output,
    ports: { web, tls },
    close: async () => {
      await child.end();
      provider.closeAllConnections();
      await new Promise(resolve => provider.close(resolve));
    },
  };
}

function ask(port: number, host: string, path: string): Promise<TraefikAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path, headers: { host }, agent: false, timeout: 5_000 }, answer => {
      answer.resume().on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers }));
    });
    call
      .on("timeout", () => call.destroy(new Error("no answer within 5 s")))
      .on("error", reject)
      .end();
  });
}
