import type { Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { setting } from "@skep/kit/config.ts";
import { z } from "zod";

/** Where the schedulers are, for every process of a workspace. */
export const SCHEDULERS_SETTING = setting(
  "SKEP_URL",
  z
    .string()
    .default("http://localhost:7700")
    .refine(text => text.split(",").every(one => URL.canParse(one.trim())), { error: "use http://host:port" }),
  "where the schedulers are, commas between several",
);

/** A dead connection is noticed before the lease that it would have renewed has ended twice. */
const PINGS = { pingIntervalMs: 2_000, pingTimeoutMs: 2_000, pingIdleConnection: true };

/** A transport over HTTP/2 to each of the schedulers that the setting names. */
export function schedulersAt(urls: string): [Transport, ...Transport[]] {
  const [first = "", ...others] = urls.split(",").map(one => one.trim());
  const transport = (baseUrl: string): Transport =>
    createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: true, ...PINGS });
  return [transport(first), ...others.map(transport)];
}
