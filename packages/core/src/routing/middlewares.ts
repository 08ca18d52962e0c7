import {
  duration,
  FLAG,
  HEADER_NAME,
  headers,
  list,
  oneOf,
  pattern,
  regularExpression,
  section,
  text,
  whole,
  type OptionSchema,
} from "./option-kinds.ts";
import { ADDRESS_RANGE } from "./traefik-values.ts";

/** A middleware that a tenant may use, with its options. */
export interface MiddlewareRule {
  readonly options: OptionSchema;
  /** Options without which Traefik does not take the middleware, or takes it for something else. */
  readonly needs?: readonly string[];
  /** Options of which Traefik takes one only, by their paths. */
  readonly either?: readonly (readonly string[])[];
  /** What stands for an option that is not given: Traefik's own default has no bound. */
  readonly otherwise?: Readonly<Record<string, unknown>>;
  /** Traefik takes it without any option. */
  readonly mayBeEmpty?: boolean;
}

const MEBIBYTE = 1024 * 1024;
/** What one request may have the edge keep in memory. */
const MOST_BUFFER = MEBIBYTE;
/** What one request may have the edge keep at all. */
const MOST_BODY = 64 * MEBIBYTE;
const MOST_COUNT = 1_000_000;
const YEARS = 3 * 366 * 86_400;

const RANGE = pattern(ADDRESS_RANGE, "an address or a range of addresses", "10.0.0.0/8", 50);
const REGEX = regularExpression(512);
const REPLACEMENT = text(512);
const STATUS = whole(200, 599);
const CONTENT_TYPE = pattern(/^[a-zA-Z0-9!#$&^_.+-]+\/[a-zA-Z0-9!#$&^_.+*-]+$/, "a content type", "text/html", 100);
const ENCODING = oneOf("gzip", "br", "zstd");
// Traefik wants this one as a text.
const PORT_TEXT = pattern(
  /^([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/,
  "a port",
  "443",
  5,
);
const URL_PATH = pattern(/^\/[!-~]*$/, "a path that begins with /", "/api");
// Vulcand's predicates are read by a recursive parser.
const EXPRESSION = pattern(
  /^(?!.*(\(\s*){10})[A-Za-z0-9_().,<>=!&| \t"'-]+$/,
  "an expression of the edge",
  "NetworkErrorRatio() > 0.30",
  300,
);

const IP_STRATEGY = section({ depth: whole(0, 32), excludedIPs: list(RANGE) });
const SOURCE = section({ ipStrategy: IP_STRATEGY, requestHeaderName: HEADER_NAME, requestHost: FLAG });
const ONE_SOURCE = [
  ["sourceCriterion.ipStrategy", "sourceCriterion.requestHeaderName", "sourceCriterion.requestHost"],
  ["sourceCriterion.ipStrategy.depth", "sourceCriterion.ipStrategy.excludedIPs"],
];

// The hash is worked out with each request: bcrypt's cost doubles with each step.
const BASIC_USER = pattern(
  /^[^:]{1,100}:(\$2[abxy]\$(0[4-9]|1[0-2])\$[./A-Za-z0-9]{53}|\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}|\{SHA\}[A-Za-z0-9+/]{27}=)$/,
  "name:hash as htpasswd makes it (bcrypt of cost 4 to 12, apr1 or SHA)",
  "the output of htpasswd -nB <name>; in a Compose file with $$ for each $",
  300,
);
const DIGEST_USER = pattern(
  /^[^:]{1,100}:[^:]{1,100}:[0-9a-f]{32}$/,
  "name:realm:hash as htdigest makes it",
  "a line of htdigest's file",
  300,
);

/** What basicAuth and digestAuth share. Traefik 3.6 stopped for good where there was no user. */
function authentication(user: typeof BASIC_USER): MiddlewareRule {
  const options = { users: list(user), realm: text(200), removeHeader: FLAG, headerField: HEADER_NAME };
  return { options, needs: ["users"] };
}

/** Middlewares that a tenant may use on HTTP routers. */
export const HTTP_MIDDLEWARES: Readonly<Record<string, MiddlewareRule>> = {
  addPrefix: { options: { prefix: URL_PATH } },
  basicAuth: authentication(BASIC_USER),
  buffering: {
    options: {
      maxRequestBodyBytes: whole(1, MOST_BODY),
      memRequestBodyBytes: whole(1, MOST_BUFFER),
      maxResponseBodyBytes: whole(1, MOST_BODY),
      memResponseBodyBytes: whole(1, MOST_BUFFER),
      retryExpression: EXPRESSION,
    },
    otherwise: { maxRequestBodyBytes: MOST_BODY, maxResponseBodyBytes: MOST_BODY },
  },
  circuitBreaker: {
    options: {
      expression: EXPRESSION,
      checkPeriod: duration("100ms", "1h"),
      fallbackDuration: duration("1s", "1h"),
      recoveryDuration: duration("1s", "1h"),
      responseCode: STATUS,
    },
    needs: ["expression"],
  },
  compress: {
    options: {
      excludedContentTypes: list(CONTENT_TYPE),
      includedContentTypes: list(CONTENT_TYPE),
      minResponseBodyBytes: whole(0, MOST_BUFFER),
      encodings: list(ENCODING, 3),
      defaultEncoding: ENCODING,
    },
    either: [["excludedContentTypes", "includedContentTypes"]],
    mayBeEmpty: true,
  },
  contentType: { options: {}, mayBeEmpty: true },
  digestAuth: authentication(DIGEST_USER),
  grpcWeb: { options: { allowOrigins: list(text(300)) } },
  headers: {
    options: {
      customRequestHeaders: headers(),
      customResponseHeaders: headers(),
      accessControlAllowCredentials: FLAG,
      accessControlAllowHeaders: list(text(200)),
      accessControlAllowMethods: list(text(50)),
      accessControlAllowOriginList: list(text(300)),
      accessControlAllowOriginListRegex: list(REGEX, 20),
      accessControlExposeHeaders: list(text(200)),
      accessControlMaxAge: whole(0, YEARS),
      addVaryHeader: FLAG,
      allowedHosts: list(text(300)),
      hostsProxyHeaders: list(HEADER_NAME),
      stsSeconds: whole(0, YEARS),
      stsIncludeSubdomains: FLAG,
      stsPreload: FLAG,
      forceSTSHeader: FLAG,
      frameDeny: FLAG,
      customFrameOptionsValue: text(300),
      contentTypeNosniff: FLAG,
      browserXssFilter: FLAG,
      customBrowserXSSValue: text(300),
      contentSecurityPolicy: text(),
      contentSecurityPolicyReportOnly: text(),
      referrerPolicy: text(300),
      permissionsPolicy: text(),
    },
  },
  inFlightReq: {
    options: { amount: whole(1, MOST_COUNT), sourceCriterion: SOURCE },
    needs: ["amount"],
    either: ONE_SOURCE,
  },
  ipAllowList: {
    options: { sourceRange: list(RANGE), ipStrategy: IP_STRATEGY, rejectStatusCode: whole(400, 599) },
    needs: ["sourceRange"],
  },
  rateLimit: {
    options: {
      average: whole(0, MOST_COUNT),
      period: duration("1ms", "1h"),
      burst: whole(1, MOST_COUNT),
      sourceCriterion: SOURCE,
    },
    either: ONE_SOURCE,
  },
  redirectRegex: { options: { regex: REGEX, replacement: REPLACEMENT, permanent: FLAG }, needs: ["regex"] },
  redirectScheme: {
    options: { scheme: oneOf("https", "http"), port: PORT_TEXT, permanent: FLAG },
    needs: ["scheme"],
  },
  replacePath: { options: { path: URL_PATH }, needs: ["path"] },
  replacePathRegex: { options: { regex: REGEX, replacement: REPLACEMENT }, needs: ["regex", "replacement"] },
  retry: { options: { attempts: whole(1, 10), initialInterval: duration("0s", "10s") }, needs: ["attempts"] },
  stripPrefix: { options: { prefixes: list(URL_PATH) }, needs: ["prefixes"] },
  stripPrefixRegex: { options: { regex: list(REGEX, 20) }, needs: ["regex"] },
};

/** Middlewares that a tenant may use on TCP routers. */
export const TCP_MIDDLEWARES: Readonly<Record<string, MiddlewareRule>> = {
  inFlightConn: { options: { amount: whole(1, MOST_COUNT) }, needs: ["amount"] },
  ipAllowList: { options: { sourceRange: list(RANGE) }, needs: ["sourceRange"] },
};

/** Why some of Traefik's middlewares are refused, and what to use instead; in lower case. */
export const REFUSED_MIDDLEWARES: ReadonlyMap<string, string> = new Map([
  ["chain", "list the middlewares on the router instead"],
  ["encodedcharacters", "remove the labels: which characters the edge takes is the edge's own"],
  ["errors", "answer with your own error pages from the app: another service could be reached through it"],
  [
    "forwardauth",
    "authenticate in the app or with basicAuth: the edge would send requests to an address of your choice",
  ],
  ["ipwhitelist", "use ipAllowList, its name since Traefik v3"],
  ["passtlsclientcert", "terminate TLS in the app with a TCP router and tls.passthrough=true"],
  ["plugin", "the edge runs no plugins"],
]);
