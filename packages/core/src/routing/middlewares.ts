import type { OptionSchema } from "./options.ts";

const IP_STRATEGY = { of: { depth: "whole", excludedIPs: "texts" } } as const;
const SOURCE = { of: { ipStrategy: IP_STRATEGY, requestHeaderName: "text", requestHost: "flag" } } as const;
const USERS = { users: "texts", realm: "text", removeHeader: "flag", headerField: "text" } as const;

/** Middlewares that a tenant may use on HTTP routers, with their options (Traefik v3). */
export const HTTP_MIDDLEWARES: Readonly<Record<string, OptionSchema>> = {
  addPrefix: { prefix: "text" },
  basicAuth: USERS,
  buffering: {
    maxRequestBodyBytes: "whole",
    memRequestBodyBytes: "whole",
    maxResponseBodyBytes: "whole",
    memResponseBodyBytes: "whole",
    retryExpression: "text",
  },
  circuitBreaker: {
    expression: "text",
    checkPeriod: "duration",
    fallbackDuration: "duration",
    recoveryDuration: "duration",
    responseCode: "whole",
  },
  compress: {
    excludedContentTypes: "texts",
    includedContentTypes: "texts",
    minResponseBodyBytes: "whole",
    encodings: "texts",
    defaultEncoding: "text",
  },
  contentType: {},
  digestAuth: USERS,
  grpcWeb: { allowOrigins: "texts" },
  headers: {
    customRequestHeaders: { map: "text" },
    customResponseHeaders: { map: "text" },
    accessControlAllowCredentials: "flag",
    accessControlAllowHeaders: "texts",
    accessControlAllowMethods: "texts",
    accessControlAllowOriginList: "texts",
    accessControlAllowOriginListRegex: "texts",
    accessControlExposeHeaders: "texts",
    accessControlMaxAge: "whole",
    addVaryHeader: "flag",
    allowedHosts: "texts",
    hostsProxyHeaders: "texts",
    stsSeconds: "whole",
    stsIncludeSubdomains: "flag",
    stsPreload: "flag",
    forceSTSHeader: "flag",
    frameDeny: "flag",
    customFrameOptionsValue: "text",
    contentTypeNosniff: "flag",
    browserXssFilter: "flag",
    customBrowserXSSValue: "text",
    contentSecurityPolicy: "text",
    contentSecurityPolicyReportOnly: "text",
    referrerPolicy: "text",
    permissionsPolicy: "text",
  },
  inFlightReq: { amount: "whole", sourceCriterion: SOURCE },
  ipAllowList: { sourceRange: "texts", ipStrategy: IP_STRATEGY, rejectStatusCode: "whole" },
  rateLimit: { average: "whole", period: "duration", burst: "whole", sourceCriterion: SOURCE },
  redirectRegex: { regex: "text", replacement: "text", permanent: "flag" },
  redirectScheme: { scheme: "text", port: "text", permanent: "flag" },
  replacePath: { path: "text" },
  replacePathRegex: { regex: "text", replacement: "text" },
  retry: { attempts: "whole", initialInterval: "duration" },
  stripPrefix: { prefixes: "texts" },
  stripPrefixRegex: { regex: "texts" },
};

/** Middlewares that a tenant may use on TCP routers. */
export const TCP_MIDDLEWARES: Readonly<Record<string, OptionSchema>> = {
  inFlightConn: { amount: "whole" },
  ipAllowList: { sourceRange: "texts" },
};

/** Middlewares that Traefik takes without any option. */
export const EMPTY_MIDDLEWARES: ReadonlySet<string> = new Set(["compress", "contentType"]);

/** Why some of Traefik's middlewares are refused, and what to use instead; in lower case. */
export const REFUSED_MIDDLEWARES: Readonly<Record<string, string>> = {
  chain: "list the middlewares on the router instead",
  errors: "answer with your own error pages from the app: another service could be reached through it",
  forwardauth: "authenticate in the app or with basicAuth: the edge would send requests to an address of your choice",
  ipwhitelist: "use ipAllowList, its name since Traefik v3",
  passtlsclientcert: "terminate TLS in the app with a TCP router and tls.passthrough=true",
  plugin: "the edge runs no plugins",
};

/** Options of a load balancer that labels may set, beside the server's port, scheme and weight. */
export const HTTP_SERVICE: OptionSchema = {
  passHostHeader: "flag",
  sticky: {
    of: {
      cookie: {
        isSwitch: true,
        of: {
          name: "text",
          secure: "flag",
          httpOnly: "flag",
          sameSite: "text",
          maxAge: "whole",
          path: "text",
          domain: "text",
        },
      },
    },
  },
  healthCheck: {
    of: {
      path: "text",
      method: "text",
      status: "whole",
      interval: "duration",
      unhealthyInterval: "duration",
      timeout: "duration",
      hostname: "text",
      followRedirects: "flag",
      mode: "text",
      headers: { map: "text" },
    },
  },
  responseForwarding: { of: { flushInterval: "duration" } },
  strategy: "text",
  server: { of: { port: "whole", scheme: "text", weight: "whole" } },
};

/** Options of a TCP load balancer that labels may set. */
export const TCP_SERVICE: OptionSchema = {
  proxyProtocol: { of: { version: "whole" } },
  terminationDelay: "whole",
  server: { of: { port: "whole", tls: "flag", weight: "whole" } },
};
