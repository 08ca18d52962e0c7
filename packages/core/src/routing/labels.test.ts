import { expect, test } from "vitest";
import type { Labels } from "../model/labels.ts";
import { aContainer, aSpec } from "../testing/builders.ts";
import { routesFromSpec, withRoutedPorts } from "./labels.ts";
import type { ReadRoutes } from "./labels.ts";

const PORT_80 = [{ containerPort: 80, protocol: "tcp", hostPort: undefined }] as const;

const APR = "$apr1$salt1234$abcdefghijklmnopqrstu.";
const BCRYPT = "a".repeat(53);

function read(labels: Labels, ports: Parameters<typeof aContainer>[0] = { ports: PORT_80 }): ReadRoutes {
  return routesFromSpec("acme", "acme.web", aSpec({ containers: [aContainer({ labels, ...ports })] }));
}

function problems(labels: Labels): string[] {
  return read(labels).issues.map(issue => issue.problem);
}

test("a rule and one published port make a route", () => {
  const { routes, issues } = read({
    "traefik.enable": "true",
    "traefik.http.routers.web.rule": "Host(`Web.Example.com`)",
  });
  expect(issues).toEqual([]);
  expect(routes).toMatchObject([
    {
      router: "web",
      kind: "http",
      domain: "web.example.com",
      path: "/",
      rule: "Host(`web.example.com`)",
      targetPort: 80,
      tls: false,
      weight: 1,
    },
  ]);
});

test("several hosts make a route each, with their own rule", () => {
  const { routes } = read({ "traefik.http.routers.web.rule": "(Host(`a.io`) || Host(`b.io`)) && PathPrefix(`/api`)" });
  expect(routes.map(({ router, domain, path, rule }) => [router, domain, path, rule])).toEqual([
    ["web", "a.io", "/api", "Host(`a.io`) && PathPrefix(`/api`)"],
    ["web.2", "b.io", "/api", "Host(`b.io`) && PathPrefix(`/api`)"],
  ]);
});

test("value lists of Traefik v2 are read as alternatives", () => {
  const { routes } = read({ "traefik.http.routers.web.rule": "Host(`a.io`, `b.io`)" });
  expect(routes.map(route => route.rule)).toEqual(["Host(`a.io`)", "Host(`b.io`)"]);
});

test("keys may be written in any case, and options get Traefik's names and types", () => {
  const { routes, issues } = read({
    "traefik.http.routers.web.rule": "Host(`a.io`)",
    "traefik.http.routers.web.entryPoints": "web,websecure",
    "traefik.http.routers.web.tls.certresolver": "le",
    "traefik.http.routers.web.middlewares": "slow,zip,auth",
    "traefik.http.middlewares.slow.ratelimit.average": "100",
    "traefik.http.middlewares.slow.rateLimit.sourcecriterion.requesthost": "true",
    "traefik.http.middlewares.zip.compress": "true",
    "traefik.http.middlewares.auth.basicauth.users": `a:${APR},b:${APR}`,
    "traefik.http.middlewares.heads.headers.customrequestheaders.X-From": "edge",
    "traefik.http.services.web.loadbalancer.server.port": "80",
    "traefik.http.services.web.loadbalancer.sticky.cookie": "true",
    "traefik.http.services.web.loadbalancer.passhostheader": "false",
  });
  expect(issues).toEqual([]);
  expect(routes[0]).toMatchObject({
    entryPoints: ["web", "websecure"],
    tls: true,
    middlewares: [
      { name: "slow", options: { rateLimit: { average: 100, sourceCriterion: { requestHost: true } } } },
      { name: "zip", options: { compress: {} } },
      { name: "auth", options: { basicAuth: { users: [`a:${APR}`, `b:${APR}`] } } },
    ],
    service: { sticky: { cookie: {} }, passHostHeader: false },
  });
});

test("lists may be written item by item", () => {
  const labels: Record<string, string> = {
    "traefik.http.routers.web.rule": "Host(`a.io`)",
    "traefik.http.routers.web.middlewares": "strip",
  };
  for (let at = 0; at < 12; at++) labels[`traefik.http.middlewares.strip.stripprefix.prefixes[${at}]`] = `/p${at}`;
  const prefixes = Array.from({ length: 12 }, (_, at) => `/p${at}`);
  expect(read(labels).routes[0]?.middlewares[0]?.options).toEqual({ stripPrefix: { prefixes } });
});

test.each([
  ["PathPrefix(`/api`)", "matches requests for any domain"],
  ["Host(`a.io`) || PathPrefix(`/api`)", "matches requests for any domain"],
  ["!Host(`a.io`)", "matches requests for any domain"],
  ["HostRegexp(`.*`)", "HostRegexp could match other tenants' domains"],
  ["Host(`a.io`) && Host(`b.io`)", "cannot be for a.io and b.io at once"],
  ["Host(`a.io`", 'expects ")"'],
  ["Host(a.io)", "expects a value in backticks"],
  ["Hast(`a.io`)", '"Hast" is no matcher'],
  ["Host(`edge.skep.invalid`)", "is the platform's own"],
  ["Host(`a_b..io`)", "is no domain name"],
  ["Host(`a.io`) && PathPrefix(`api`)", "does not begin with /"],
  ["Host(`a.io`) && ClientIP(`10.0.0.0/33`)", "no range of addresses"],
  ["Host(`a.io`) && ClientIP(`10.0.0.1`, `here`)", "no range of addresses"],
  ["Host(`a.io`) && PathRegexp(`^/(`)", "no regular expression"],
  ["Host(`a.io`) && HeaderRegexp(`A`, `(?=b)`)", "no regular expression"],
  ["Host(`a.io`) && QueryRegexp(`a`, `(b)\\1`)", "no regular expression"],
  ["(".repeat(8000), "a text of at most 4096 characters"],
  [`${"(".repeat(1000)}Host(\`a.io\`)${")".repeat(1000)}`, "nested more than 32 levels"],
  [`${"!".repeat(1000)}Host(\`a.io\`)`, "nested more than 32 levels"],
  ["constructor(`a.io`)", '"constructor" is no matcher'],
])("the rule %s is refused", (rule, problem) => {
  expect(problems({ "traefik.http.routers.web.rule": rule }).join()).toContain(problem);
});

test.each<[string, string, string]>([
  ["traefik.http.routers.web.middlewares", "auth@file", "belongs to somebody else"],
  ["traefik.http.routers.web.service", "api@internal", "belongs to somebody else"],
  ["traefik.http.routers.web.entrypoints", "traefik", "the edge has no entry point"],
  ["traefik.http.routers.web.entrypoints", "web,skep-mqtt", "the edge has no entry point"],
  ["traefik.http.routers.web.tls.options", "x", "the edge's own"],
  ["traefik.http.routers.web.colour", "red", '"colour" is no option here'],
  ["traefik.http.middlewares.m.forwardauth.address", "http://10.0.0.1", "not available to tenants"],
  ["traefik.http.middlewares.m.ratelimit.average", "many", "not a whole number"],
  ["traefik.http.middlewares.m.ratelimit.period", "9999999h", "not a duration"],
  ["traefik.http.middlewares.m.ratelimit.redis.endpoints", "x:1", '"redis" is no option here'],
  ["traefik.http.middlewares.m.basicauth.usersfile", "/etc/passwd", '"usersfile" is no option here'],
  ["traefik.http.middlewares.m.headers.customrequestheaders.__proto__", "x", "no header name"],
  ["traefik.http.middlewares.m.addprefix.prefix", "/a\u0007", "cannot be printed"],
  ["traefik.http.services.s.loadbalancer.healthcheck.port", "22", "routed port only"],
  ["traefik.http.services.s.loadbalancer.healthcheck.scheme", "ftp", "routed port only"],
  ["traefik.http.services.s.loadbalancer.healthcheck.hostname", "postgres", "names no host"],
  ["traefik.http.services.s.loadbalancer.healthcheck.followredirects", "true", "follows no redirect"],
  ["traefik.http.services.s.loadbalancer.healthcheck.path", "//postgres:5432/", "is not a path"],
  ["traefik.http.services.s.loadbalancer.healthcheck.path", "http://postgres/", "is not a path"],
  ["traefik.http.services.s.loadbalancer.healthcheck.interval", "1ns", "a duration from 1s"],
  ["traefik.http.services.s.loadbalancer.healthcheck.interval", "0", "a duration from 1s"],
  ["traefik.http.services.s.loadbalancer.healthcheck.interval", "5s", "has no path"],
  ["traefik.http.services.s.loadbalancer.healthcheck.method", "DELETE", "is not one of GET"],
  ["traefik.http.services.s.loadbalancer.healthcheck.headers.Transfer-Encoding", "chunked", "the edge's own"],
  ["traefik.http.services.s.loadbalancer.serverstransport", "x@file", "cannot be chosen"],
  ["traefik.http.services.s.loadbalancer.constructor", "x", "is no option here"],
  ["traefik.http.services.s.mirroring.service", "x", "cannot be described by labels"],
  ["traefik.http.services.s.constructor.service", "x", "cannot be described by labels"],
  ["traefik.constructor.routers.web.rule", "x", "is not known"],
  ["traefik.__proto__.routers.web.rule", "x", "is not known"],
  ["traefik.http.constructor.web.rule", "x", "is not known"],
  ["traefik.http.middlewares.m.constructor.x", "x", "is no middleware"],
  ["traefik.http.middlewares.m.__proto__.x", "x", "is no middleware"],
  ["traefik.http.middlewares.m.ratelimit.prototype", "1", "is no option here"],
  ["traefik.http.middlewares.m.errors.service", "x@internal", "not available to tenants"],
  ["traefik.http.middlewares.m.plugin.x.y", "1", "not available to tenants"],
  ["traefik.http.middlewares.m.ipwhitelist.ipstrategy.depth", "9", "not available to tenants"],
  ["traefik.http.middlewares.m.basicauth.realm", "x", "has no users"],
  ["traefik.http.middlewares.m.basicauth.users", "", "has no users"],
  ["traefik.http.middlewares.m.basicauth.users", "admin", "is not name:hash"],
  ["traefik.http.middlewares.m.basicauth.users", `a:$2y$31$${BCRYPT}`, "bcrypt of cost 4 to 12"],
  ["traefik.http.middlewares.m.digestauth.removeheader", "true", "has no users"],
  ["traefik.http.middlewares.m.digestauth.users", "a:b:c", "is not name:realm:hash"],
  ["traefik.http.middlewares.m.retry.attempts", "999999999999999", "from 1 to 10"],
  ["traefik.http.middlewares.m.retry.initialinterval", "1h", "from 0s to 10s"],
  ["traefik.http.middlewares.m.retry.initialinterval", "1s", "has no attempts"],
  ["traefik.http.middlewares.m.buffering.memrequestbodybytes", "100000000000", "from 1 to 1048576"],
  ["traefik.http.middlewares.m.buffering.maxresponsebodybytes", "0", "from 1 to 67108864"],
  ["traefik.http.middlewares.m.compress.minresponsebodybytes", "100000000000", "from 0 to 1048576"],
  ["traefik.http.middlewares.m.compress.encodings", "gzip,rar", "is not one of gzip"],
  ["traefik.http.middlewares.m.ratelimit.average", "-1", "from 0 to 1000000"],
  ["traefik.http.middlewares.m.ratelimit.average", "1e99", "from 0 to 1000000"],
  ["traefik.http.middlewares.m.ratelimit.burst", "999999999999999999999", "from 1 to 1000000"],
  ["traefik.http.middlewares.m.ratelimit.period", "1ns", "from 1ms to 1h"],
  ["traefik.http.middlewares.m.ratelimit.sourcecriterion.ipstrategy.depth", "2147483648", "from 0 to 32"],
  ["traefik.http.middlewares.m.ipallowlist.ipstrategy.depth", "1", "has no sourceRange"],
  ["traefik.http.middlewares.m.ipallowlist.sourcerange", "everybody", "is not an address"],
  ["traefik.http.middlewares.m.ipallowlist.sourcerange", "10.0.0.0/33", "is not an address"],
  ["traefik.http.middlewares.m.inflightreq.amount", "0", "from 1 to 1000000"],
  ["traefik.http.middlewares.m.circuitbreaker.expression", `${"(".repeat(200)}1`, "is not an expression"],
  ["traefik.http.middlewares.m.redirectregex.regex", "a".repeat(513), "at most 512 characters"],
  ["traefik.http.middlewares.m.headers.customrequestheaders.Content-Length", "5", "the edge's own"],
  ["traefik.http.middlewares.m.headers.customresponseheaders.Transfer-Encoding", "x", "the edge's own"],
  ["traefik.http.routers.web.priority", "999999999999999", "from 0 to 1000000"],
  ["traefik.http.routers.web.rulesyntax", "v2", "is not one of v3"],
  ["traefik.http.routers.web.rule", "Host(`a.io`) && Path(`/p/{id:[0-9]+}`)", "matches no request"],
  ["traefik.http.routers.web.entrypoints", "https", 'the edge has no entry point "https"'],
  ["traefik.http.services.s.loadbalancer.server.port", "99999", "not a whole number from 1 to 65535"],
  ["traefik.http.services.s.weighted.services", "x", "cannot be described by labels"],
  ["traefik.udp.routers.u.entrypoints", "dns", "routes no UDP"],
  ["traefik.nonsense", "1", "is not known"],
])("the label %s=%s is refused", (label, value, problem) => {
  expect(problems({ "traefik.http.routers.web.rule": "Host(`a.io`)", [label]: value }).join()).toContain(problem);
});

test("options that exclude each other are refused by name, and every refusal names its label", () => {
  const base = { "traefik.http.routers.web.rule": "Host(`a.io`)" };
  const { issues } = read({
    ...base,
    "traefik.http.middlewares.zip.compress.includedcontenttypes": "text/html",
    "traefik.http.middlewares.zip.compress.excludedcontenttypes": "text/css",
    "traefik.http.middlewares.slow.inflightreq.amount": "1",
    "traefik.http.middlewares.slow.inflightreq.sourcecriterion.requesthost": "true",
    "traefik.http.middlewares.slow.inflightreq.sourcecriterion.requestheadername": "X-Who",
  });
  expect(issues.map(issue => issue.path)).toEqual([
    'containers[0].labels["traefik.http.middlewares.slow.inflightreq.sourcecriterion.requesthost"]',
    'containers[0].labels["traefik.http.middlewares.zip.compress.includedcontenttypes"]',
  ]);
});

test("a deployment has a bounded number of routes", () => {
  const labels: Record<string, string> = {};
  for (let at = 0; at < 129; at++) labels[`traefik.http.routers.r${at}.rule`] = `Host(\`h${at}.io\`)`;
  expect(problems(labels)).toEqual(["the labels make 129 routes, and the most of one deployment is 128"]);
});

test("what buffering keeps is bounded although nothing is said of it", () => {
  const { routes } = read({
    "traefik.http.routers.web.rule": "Host(`a.io`)",
    "traefik.http.routers.web.middlewares": "keep",
    "traefik.http.middlewares.keep.buffering.memrequestbodybytes": "1024",
  });
  expect(routes[0]?.middlewares[0]?.options).toEqual({
    buffering: { memRequestBodyBytes: 1024, maxRequestBodyBytes: 67_108_864, maxResponseBodyBytes: 67_108_864 },
  });
});

test("labels for Traefik's own providers and labels of others do no harm", () => {
  const labels = {
    "traefik.docker.network": "proxy",
    "com.example.x": "y",
    "traefik.http.routers.web.rule": "Host(`a.io`)",
  };
  expect(problems(labels)).toEqual([]);
});

test("a disabled container has no routes, and its labels are not judged", () => {
  expect(read({ "traefik.enable": "false", "traefik.nonsense": "1" })).toEqual({ routes: [], issues: [] });
});

test("without a port, or with several, the labels have to name one", () => {
  const labels = { "traefik.http.routers.web.rule": "Host(`a.io`)" };
  expect(read(labels, { ports: [] }).issues[0]?.problem).toContain("publishes no port");
  const two = [...PORT_80, { containerPort: 81, protocol: "tcp" as const, hostPort: undefined }];
  expect(read(labels, { ports: two }).issues[0]?.problem).toContain("publishes 2 ports");
  const named = { ...labels, "traefik.http.services.web.loadbalancer.server.port": "81" };
  expect(read(named, { ports: two }).routes[0]?.targetPort).toBe(81);
});

test("a port that only a label names can be published for it", () => {
  const labels = {
    "traefik.http.routers.web.rule": "Host(`a.io`)",
    "traefik.http.services.web.loadbalancer.server.port": "8080",
  };
  const spec = aSpec({ containers: [aContainer({ labels })] });
  expect(routesFromSpec("acme", "acme.web", spec).issues[0]?.problem).toContain("does not publish port 8080");
  const { routes, issues } = routesFromSpec("acme", "acme.web", withRoutedPorts(spec));
  expect([issues, routes[0]?.targetPort]).toEqual([[], 8080]);
});

test("TCP is routed by SNI, with TLS", () => {
  const labels = {
    "traefik.tcp.routers.mqtt.rule": "HostSNI(`mqtt.a.io`)",
    "traefik.tcp.routers.mqtt.entrypoints": "websecure",
    "traefik.tcp.routers.mqtt.tls.passthrough": "true",
    "traefik.tcp.services.mqtt.loadbalancer.server.port": "80",
  };
  expect(read(labels)).toMatchObject({
    issues: [],
    routes: [{ kind: "tcp", domain: "mqtt.a.io", tls: true, service: { passthrough: true } }],
  });
  expect(problems({ ...labels, "traefik.tcp.routers.mqtt.rule": "HostSNI(`*`)" }).join()).toContain(
    "is no domain name",
  );
  expect(problems({ ...labels, "traefik.tcp.routers.mqtt.tls.passthrough": "false" }).join()).toContain("without TLS");
});

test("one router name in two containers is refused", () => {
  const container = aContainer({ labels: { "traefik.http.routers.web.rule": "Host(`a.io`)" }, ports: PORT_80 });
  const { issues } = routesFromSpec(
    "acme",
    "acme.web",
    aSpec({ containers: [container, { ...container, name: "side" }] }),
  );
  expect(issues.map(issue => issue.problem)).toEqual(['the router "web" is described twice (app http, side http)']);
});
