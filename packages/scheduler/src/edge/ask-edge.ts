import { CANARY_HEADER, CANARY_HOST } from "@skep/core/routing/canary.ts";
import { request } from "node:http";

/** What the edge at an address says of the routes that it holds. */
export type EdgeAnswer =
  | { readonly kind: "holds"; readonly version: string }
  /** It answers, and has no route of the platform's. */
  | { readonly kind: "none" }
  /** Nobody answers there, or something that is no edge. */
  | { readonly kind: "silent" };

/** Asks the edge at an address over the platform's own route; never throws. */
export type AskEdge = (address: string) => Promise<EdgeAnswer>;

const TIMEOUT_MS = 2_000;

/** Asks real edges, which listen for HTTP at `port` of every node. */
export function createAskEdge(port: number): AskEdge {
  return address =>
    new Promise(resolve => {
      const silent = (): void => resolve({ kind: "silent" });
      const options = { host: address, port, path: "/", headers: { host: CANARY_HOST }, agent: false };
      const call = request({ ...options, timeout: TIMEOUT_MS }, answer => {
        const version = answer.headers[CANARY_HEADER];
        answer.destroy();
        if (typeof version === "string") resolve({ kind: "holds", version });
        // What an edge without any route for a host says.
        else if (answer.statusCode === 404) resolve({ kind: "none" });
        else silent();
      });
      call
        .on("timeout", () => call.destroy())
        .on("error", silent)
        .on("close", silent)
        .end();
    });
}
