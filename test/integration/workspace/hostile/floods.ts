import { table } from "../../../support/attempt.ts";

/** What a tenant floods its own workspace with, on the host that its neighbour is on too. */
export const FLOODS = table<Flood>([
  ["20,000 distinct topics of as many devices", "topics", "all are stored, 10,000 devices are remembered"],
  ["messages of 2 MB", "large", "dead letters"],
  ["topics of 20 levels", "levels", "dead letters"],
  ["bytes that are no JSON for a schema", "malformed", "dead letters"],
  ["more messages than it may store", "rate", "throttled"],
  ["a bomb of 1,000 subscriptions, on 20 sockets", "subscriptions", "LIMIT_CHANNELS"],
  ["30 sockets that read nothing", "slow", "lost events of their own"],
  ["a storm of 1,080 sockets that come and go", "reconnects", "refused"],
]);

/** Which one. */
export type Flood = "topics" | "large" | "levels" | "malformed" | "rate" | "subscriptions" | "reconnects" | "slow";
