import { openApiJson } from "@skep/api/gen/openapi.ts";
import { SERVICES } from "@skep/api/services.ts";
import { startServer } from "@skep/server/server.ts";
import { createHandlers } from "../handlers.ts";
import type { ApiDeps } from "../deps.ts";

/** What a path of the API answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> & {
    readonly message?: string;
    readonly details?: readonly {
      readonly reason?: string;
      readonly issues?: readonly { readonly path: string; readonly problem: string }[];
    }[];
  };
}

/** The handlers behind a real port, as anybody with `curl` meets them. */
export interface HttpApi {
  readonly url: string;
  /** Sends a body as JSON, a text as it is. */
  send(method: string, path: string, body?: unknown): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** Serves the API on a port of this machine, to everybody. */
export async function serveHttp(deps: ApiDeps): Promise<HttpApi> {
  const server = await startServer({
    ...{ port: 0, host: "127.0.0.1", routes: createHandlers(deps), services: SERVICES, auth: undefined, ready: {} },
    ...{ log: deps.log, openApi: openApiJson },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    send: async (method, path, body) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { "content-type": "application/json" },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as HttpAnswer["body"] };
    },
    close: () => server.close(0),
  };
}

/** Code and reason of a refusal. */
export function reasonOf({ body }: HttpAnswer): string | undefined {
  return body.details?.[0]?.reason;
}

/** The places that a refusal names. */
export function placesOf({ body }: HttpAnswer): readonly string[] {
  return body.details?.[0]?.issues?.map(one => one.path) ?? [];
}
