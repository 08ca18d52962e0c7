import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CANARY_HEADER, CANARY_HOST, withCanary } from "@skep/core/routing/canary.ts";
import { routesFromSpec } from "@skep/core/routing/labels.ts";
import { HTTP_MIDDLEWARES, TCP_MIDDLEWARES } from "@skep/core/routing/middlewares.ts";
import type { OptionSchema } from "@skep/core/routing/option-kinds.ts";
import { HTTP_SERVICE, TCP_SERVICE } from "@skep/core/routing/services.ts";
import { traefikConfig } from "@skep/core/routing/traefik-config.ts";
import { aContainer, aLocation, aNode, aSpec } from "@skep/core/testing/builders.ts";
import { eventually } from "../support/eventually.ts";
import { startTraefik, type Traefik } from "../support/traefik.ts";
import { GOOD } from "./edge-label-values.ts";

/** What people, and people with bad intentions, write into any option. */
const HOSTILE = [
  ...["", "-1", "0", "1", "1ns", "1e99", "NaN", "null", "true", "[]", "{}", "{{", "`", '"', "\\", "%zz", "$1", "@"],
  ...["999999999999999", "9223372036854775808", "999999h", "(", "(".repeat(300), "((a{1000}){1000}){1000}"],
  ...["//elsewhere.io/", "http://10.0.0.1:2375/", "a@internal", "x".repeat(5000), "constructor", "::", "0.0.0.0/0"],
];

/** An option of a middleware, or of a load balancer where `middleware` is absent. */
interface Option {
  readonly kind: "http" | "tcp";
  readonly middleware: string | undefined;
  readonly path: string;
}

const PORTS = [{ containerPort: 80, protocol: "tcp", hostPort: undefined }] as const;
const binding = { container: "app", containerPort: 80, protocol: "tcp" } as const;
const NODES = [aNode({ id: "n1", address: "127.0.0.1" })];
const LOCATIONS = ["acme.web", "globex.shop"].map((deploymentId, at) =>
  aLocation({ instanceId: `${deploymentId}.1`, deploymentId, ports: [{ ...binding, hostPort: 9 + at }] }),
);

function read(tenant: string, name: string, labels: Readonly<Record<string, string>>) {
  const spec = aSpec({ name, containers: [aContainer({ labels, ports: PORTS })] });
  return routesFromSpec(tenant, `${tenant}.${name}`, spec);
}

/** Every option below a schema, as labels write it. */
function optionsOf(of: Omit<Option, "path">, schema: OptionSchema, above = ""): Option[] {
  return Object.entries(schema).flatMap(([name, kind]) => {
    const path = above === "" ? name : `${above}.${name}`;
    if (kind.is === "section") return optionsOf(of, kind.of, path);
    if (kind.is === "refused") return [];
    return [{ ...of, path: kind.is === "headers" ? `${path}.X-Of-Mine` : path }];
  });
}

const MIDDLEWARES = { http: HTTP_MIDDLEWARES, tcp: TCP_MIDDLEWARES } as const;
const OPTIONS = (["http", "tcp"] as const).flatMap(kind => [
  ...Object.entries(MIDDLEWARES[kind]).flatMap(([middleware, rule]) => optionsOf({ kind, middleware }, rule.options)),
  ...optionsOf({ kind, middleware: undefined }, kind === "http" ? HTTP_SERVICE : TCP_SERVICE),
]);

/**
 * The labels of a router `name` with one value of an option, and what else its middleware needs.
 */
function labelsFor(option: Option, value: string, name = "web"): Record<string, string> {
  const { kind, middleware, path } = option;
  const router = `traefik.${kind}.routers.${name}`;
  const prefix = prefixOf(option, name);
  const needs = middleware === undefined ? [] : (MIDDLEWARES[kind][middleware]?.needs ?? []);
  const beside = [...needs, ...(path.startsWith("healthCheck.") ? ["healthCheck.path"] : [])];
  return {
    ...(kind === "http"
      ? { [`${router}.rule`]: `Host(\`${name}.io\`)` }
      : { [`${router}.rule`]: `HostSNI(\`${name}.io\`)`, [`${router}.entrypoints`]: "web", [`${router}.tls`]: "true" }),
    ...(middleware === undefined ? {} : { [`${router}.middlewares`]: name }),
    [`traefik.${kind}.services.${name}.loadbalancer.server.port`]: "80",
    ...Object.fromEntries(beside.map(other => [`${prefix}.${other}`, goodFor({ ...option, path: other })[0]!])),
    [`${prefix}.${path}`]: value,
  };
}

function prefixOf({ kind, middleware }: Option, name: string): string {
  const services = `traefik.${kind}.services.${name}.loadbalancer`;
  return middleware === undefined ? services : `traefik.${kind}.middlewares.${name}.${middleware}`;
}

function goodFor({ kind, middleware, path }: Option): readonly string[] {
  return GOOD[`${kind}.${middleware ?? "services"}.${path}`] ?? [];
}

describe("a real Traefik with the labels of tenants", () => {
  let traefik: Traefik;
  let version = 0;
  const neighbour = read("globex", "shop", { "traefik.http.routers.web.rule": "Host(`b.io`)" }).routes;

  beforeAll(async () => {
    traefik = await startTraefik();
  });
  afterAll(() => traefik?.close());

  /**
   * Serves it, waits until the edge holds it, and answers what is wrong with the tenant's own
   * routers.
   */
  async function apply(labels: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const { routes, issues } = read("acme", "web", labels);
    expect(issues).toEqual([]);
    version += 1;
    traefik.serve(
      JSON.stringify(withCanary(traefikConfig([...routes, ...neighbour], LOCATIONS, NODES), `v${version}`)),
    );
    await eventually(holds, 5_000, 10).catch((error: Error) => {
      throw new Error(`the edge no longer applies: ${error.message}\n${traefik.output()}`);
    });
    const routers = await traefik.routers();
    expect(routers.find(({ name }) => name === "globex.shop.web@http")?.status, "another tenant's").toBe("enabled");
    return routers.flatMap(({ name, error }) => (name.startsWith("acme.") && error !== undefined ? error : []));
  }

  async function holds(): Promise<void> {
    const { headers } = await traefik.get(CANARY_HOST);
    if (headers[CANARY_HEADER] !== `v${version}`)
      throw new Error(`it holds ${String(headers[CANARY_HEADER])}, not v${version}`);
  }

  it.each(OPTIONS.map(option => [`${prefixOf(option, "web")}.${option.path}`, option] as const))(
    "takes both ends of what the table allows of %s",
    async (_, option) => {
      expect(goodFor(option).length, "values in edge-label-values.ts").toBeGreaterThan(0);
      for (const value of goodFor(option)) expect(await apply(labelsFor(option, value)), value).toEqual([]);
    },
  );

  it.each(HOSTILE.map(value => [value.slice(0, 40), value] as const))(
    "goes on with %j in every option, or the label is refused by name",
    async (_, value) => {
      const accepted: Record<string, string> = {};
      OPTIONS.forEach((option, at) => {
        const labels = labelsFor(option, value, `r${at}`);
        const { issues } = read("acme", "web", labels);
        if (issues.length === 0) Object.assign(accepted, labels);
        else
          expect(issues[0]!.path).toMatch(
            new RegExp(`^containers\\[0\\]\\.labels\\["traefik\\.[a-z]+\\.[a-z]+\\.r${at}\\.`),
          );
      });
      await apply(accepted);
    },
  );

  it("takes every middleware at once", async () => {
    const labels = OPTIONS.reduce((all: Record<string, string>, option) => {
      const name = option.middleware ?? "web";
      if (option.kind === "tcp" || Object.hasOwn(all, `traefik.http.routers.${name}.rule`)) return all;
      return { ...all, ...labelsFor(option, goodFor(option)[0]!, name) };
    }, {});
    const names = Object.keys(HTTP_MIDDLEWARES).join(",");
    labels["traefik.http.middlewares.contentType.contenttype"] = "true";
    expect(await apply({ ...labels, "traefik.http.routers.web.middlewares": names })).toEqual([]);
  });
});
