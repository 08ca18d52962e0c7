import { signCall, signToken, tokenKey, type TokenClaims } from "@skep/kit/workspace-token.ts";
import { table } from "../../../support/attempt.ts";

/** Of the workspaces of these tests. */
export const secretOf = (id: string): string => `sk_live_the secret of ${id}`;

const hour = 3_600_000;
const now = Date.now();
const claims: TokenClaims = { subject: "attacker", topics: ["#"], from: now, until: now + hour };
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const plain = { iss: "skep", aud: "workspace:neighbour", sub: "x", may: "data", exp: Math.floor((now + hour) / 1_000) };
const ofMine = tokenKey("mine", secretOf("mine"));

/** What is shown to the data plane of the host that has `neighbour`. */
export const TOKENS = table<string>([
  ["nothing", "", "NO_CREDENTIALS"],
  ["a word", "letmein", "TOKEN_OF_ANOTHER_WORKSPACE"],
  ["a token of its own workspace", signToken("mine", ofMine, { ...claims, may: "data" }), "TOKEN_OF_ANOTHER_WORKSPACE"],
  [
    "its own key with the neighbour's name",
    signToken("neighbour", ofMine, { ...claims, may: "data" }),
    "TOKEN_INVALID",
  ],
  ["alg none", `${base64({ alg: "none" })}.${base64(plain)}.`, "TOKEN_INVALID"],
  ["alg none with a signature", `${base64({ alg: "none" })}.${base64(plain)}.AAAA`, "TOKEN_INVALID"],
  ["another algorithm", `${base64({ alg: "RS256" })}.${base64(plain)}.AAAA`, "TOKEN_INVALID"],
  [
    "a key that it brings along",
    `${base64({ alg: "HS256", jwk: { k: "AA" } })}.${base64(plain)}.AAAA`,
    "TOKEN_INVALID",
  ],
  [
    "an expired token of the neighbour",
    signCall("neighbour", secretOf("neighbour"), "data", "x", now - hour),
    "TOKEN_EXPIRED",
  ],
  [
    "the neighbour's token for sockets",
    signToken("neighbour", tokenKey("neighbour", secretOf("neighbour")), claims),
    "TOKEN_FOR_ANOTHER_USE",
  ],
  ["a token between hosts", signCall("neighbour", secretOf("neighbour"), "peer", "x", now), "TOKEN_FOR_ANOTHER_USE"],
  ["the neighbour's secret itself", secretOf("neighbour").replaceAll(" ", "_"), "TOKEN_OF_ANOTHER_WORKSPACE"],
  ["a token of 20 kB", "x".repeat(20_000), "431"],
]);

/** Paths at the port of a host, with a good token of `mine`. */
export const PATHS = table<string>([
  ["a neighbour's calls", "/ws/neighbour/grpc.health.v1.Health/Check", "TOKEN_OF_ANOTHER_WORKSPACE"],
  ["a neighbour by ..", "/ws/mine/../neighbour/grpc.health.v1.Health/Check", "404"],
  ["a neighbour by a coded ..", "/ws/mine/%2e%2e/neighbour/grpc.health.v1.Health/Check", "404"],
  ["a neighbour by a second path", "/ws/mine/ws/neighbour/grpc.health.v1.Health/Check", "404"],
  ["a workspace that is not there", "/ws/nobody/grpc.health.v1.Health/Check", "WORKSPACE_ELSEWHERE"],
  ["no workspace", "/grpc.health.v1.Health/Check", "404"],
  ["a name of the prototype", "/ws/__proto__/grpc.health.v1.Health/Check", "404"],
  ["what hosts say to each other", "/ws/mine/skep.v1.HostService/Report", "404"],
  ["the health of the process", "/livez", "404"],
  ["a file of the host", "/ws/mine/../../etc/passwd", "404"],
]);

/** Where the name of a webhook leads as it is posted to; each answer in turn. */
export const LEADS = table<readonly string[]>([
  ["the loopback", ["127.0.0.1"], "leads into the platform's own network"],
  ["a private network", ["10.0.0.1"], "leads into the platform's own network"],
  ["the loopback of IPv6", ["::1"], "leads into the platform's own network"],
  ["the loopback mapped into IPv6", ["::ffff:127.0.0.1"], "leads into the platform's own network"],
  ["the same in hex", ["::ffff:7f00:1"], "leads into the platform's own network"],
  ["the loopback behind NAT64", ["64:ff9b::7f00:1"], "leads into the platform's own network"],
  ["the metadata of a cloud", ["169.254.169.254"], "leads into the platform's own network"],
  ["a shared network of carriers", ["100.64.0.1"], "leads into the platform's own network"],
]);
