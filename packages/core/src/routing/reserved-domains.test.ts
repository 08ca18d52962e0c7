import { expect, test } from "vitest";
import type { Route } from "../model/routing.ts";
import { domainIssues } from "./reserved-domains.ts";

const RESERVED = ["console.example.com", ".internal.example.com", "Node-1", "10.0.0.1"];

const problemOf = (domain: string): string | undefined => {
  const route: Route = {
    ...{ deploymentId: "acme.web", tenantId: "acme", release: 0, router: "web", kind: "http", domain, path: "/" },
    ...{ rule: "", entryPoints: [], priority: undefined, container: "app", targetPort: 80, tls: false, weight: 1 },
    ...{ balancing: "wrr", middlewares: [], service: {} },
  };
  return domainIssues([route], RESERVED)[0]?.problem;
};

test.each([
  ["10.0.0.1", "an address"],
  ["192.168.1.77", "an address"],
  ["0x7f.1", "an address"],
  ["2130706433", "an address"],
  ["fe80::1", "an address"],
  ["localhost", "every machine's own name"],
  ["LOCALHOST", "every machine's own name"],
  ["console.example.com", "keeps for itself"],
  ["Console.Example.com", "keeps for itself"],
  ["a.b.internal.example.com", "keeps for itself"],
  ["node-1", "keeps for itself"],
])("nobody may take %s", (domain, why) => {
  expect(problemOf(domain)).toContain(why);
});

test.each([
  "web.example.com",
  "httpbin.localhost",
  "internal.example.com",
  "my-console.example.com",
  "node-10",
  "7.web",
])("a tenant may take %s", domain => {
  expect(problemOf(domain)).toBeUndefined();
});
