import { setting } from "@skep/kit/config.ts";
import type { ConfigOf } from "@skep/kit/config.ts";
import { z } from "zod";
import { LIMITS } from "./limits.ts";
import type { Limits } from "./limits.ts";

const positive = (otherwise: number) => z.coerce.number().int().min(1).default(otherwise);

const origins = z
  .string()
  .default("")
  .transform(text => text.split(",").flatMap(part => (part.trim() === "" ? [] : [part.trim()])))
  .refine(
    list => list.every(origin => URL.parse(origin)?.origin === origin),
    "give origins such as https://console.example.com, separated by commas, without a path",
  );

/** The settings of a server that programs and people reach; a service adds them to its own. */
export const SERVER_SETTINGS = {
  origins: setting("SKEP_API_ORIGINS", origins, "origins whose web pages may use the API, separated by commas"),
  maxBytes: setting("SKEP_API_MAX_BYTES", positive(LIMITS.maxBytes), "largest body of a request"),
  headMs: setting("SKEP_API_HEAD_MS", positive(LIMITS.headMs), "longest that the head of a request may take"),
  bodyMs: setting("SKEP_API_BODY_MS", positive(LIMITS.bodyMs), "longest that the body of a request may take"),
  sendMs: setting(
    "SKEP_API_SEND_MS",
    positive(LIMITS.sendMs),
    "longest that a client may read nothing of what waits for it",
  ),
  idleMs: setting("SKEP_API_IDLE_MS", positive(LIMITS.idleMs), "how long a connection without a request is kept"),
  streamsPerConnection: setting(
    "SKEP_API_STREAMS_PER_CONNECTION",
    positive(LIMITS.streamsPerConnection),
    "requests at once on one HTTP/2 connection",
  ),
  connections: setting("SKEP_API_CONNECTIONS", positive(LIMITS.connections), "connections at once"),
  connectionsPerAddress: setting(
    "SKEP_API_CONNECTIONS_PER_ADDRESS",
    positive(LIMITS.connectionsPerAddress),
    "connections of one address at once",
  ),
  failedAuthsPerMinute: setting(
    "SKEP_API_FAILED_AUTHS_PER_MINUTE",
    positive(LIMITS.failedAuthsPerMinute),
    "wrong tokens of one address in a minute, before it has to wait",
  ),
  requestsPerSecond: setting(
    "SKEP_API_REQUESTS_PER_SECOND",
    positive(LIMITS.requestsPerSecond),
    "requests of one address in a second",
  ),
} as const;

/** The limits among a service's settings. */
export function limitsOf(config: ConfigOf<typeof SERVER_SETTINGS>): Limits {
  const { maxBytes, headMs, bodyMs, sendMs, idleMs, streamsPerConnection } = config;
  const { connections, connectionsPerAddress, failedAuthsPerMinute, requestsPerSecond } = config;
  const times = { headMs, bodyMs, sendMs, idleMs };
  const counts = { maxBytes, streamsPerConnection, connections, connectionsPerAddress };
  return { ...times, ...counts, failedAuthsPerMinute, requestsPerSecond };
}
