import { duration, FLAG, headers, oneOf, pattern, refused, section, whole, type OptionSchema } from "./option-kinds.ts";

const COOKIE_NAME = pattern(/^[A-Za-z0-9!#$%&'*+.^_|~-]+$/, "a cookie's name", "sticky", 100);
const COOKIE_PATH = pattern(/^\/[!-:<-~]*$/, "a cookie's path", "/", 300);
const COOKIE_DOMAIN = pattern(/^\.?[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/, "a domain", "example.com", 253);

// Traefik resolves it against the server's address: with two slashes it would name another server.
const CHECK_PATH = pattern(/^\/(?![/\\])[!-[\]-~]*$/, "a path that begins with one /", "/health");

const OWN_TRANSPORT = refused("a transport of the edge's own cannot be chosen", "remove the label");
const OWN_SERVER = refused("health checks go to the routed port only", "remove the label");

/** Options of a load balancer that labels may set, beside the server's port, scheme and weight. */
export const HTTP_SERVICE: OptionSchema = {
  passHostHeader: FLAG,
  serversTransport: OWN_TRANSPORT,
  sticky: section({
    cookie: section(
      {
        name: COOKIE_NAME,
        secure: FLAG,
        httpOnly: FLAG,
        sameSite: oneOf("none", "lax", "strict"),
        maxAge: whole(-1, 366 * 86_400),
        path: COOKIE_PATH,
        domain: COOKIE_DOMAIN,
      },
      true,
    ),
  }),
  healthCheck: section({
    path: CHECK_PATH,
    method: oneOf("GET", "HEAD", "OPTIONS"),
    status: whole(100, 599),
    interval: duration("1s", "1h"),
    unhealthyInterval: duration("1s", "1h"),
    timeout: duration("100ms", "1m"),
    mode: oneOf("http", "grpc"),
    headers: headers(16),
    // A redirect leads wherever the app says, out of the edge's own network.
    followRedirects: {
      is: "value",
      read: value => (/^false$/i.test(value) ? false : undefined),
      what: "allowed: a health check follows no redirect, which could lead anywhere in the platform's own network",
      example: "false, and name the path that answers by itself",
    },
    hostname: refused(
      "a health check names no host of its own",
      "remove the label: the instance is asked by its address",
    ),
    port: OWN_SERVER,
    scheme: OWN_SERVER,
  }),
  responseForwarding: section({ flushInterval: duration("1ms", "10s") }),
  strategy: oneOf("wrr", "p2c"),
  server: section({ port: whole(1, 65_535), scheme: oneOf("http", "https", "h2c"), weight: whole(0, 10_000) }),
};

/** Options of a TCP load balancer that labels may set. */
export const TCP_SERVICE: OptionSchema = {
  proxyProtocol: section({ version: whole(1, 2) }),
  serversTransport: OWN_TRANSPORT,
  terminationDelay: whole(-1, 600_000),
  server: section({ port: whole(1, 65_535), tls: FLAG, weight: whole(0, 10_000) }),
};
