import { expect, it } from "vitest";
import { withWorkspaces } from "./workspace-routes.ts";

const reach = { workspaceId: "fleet", address: "10.0.0.7", port: 7_704, isServed: true };

it("leads what is below a workspace's path to its host, below all that tenants route", () => {
  const router = { rule: "PathPrefix(`/ws/fleet/`)", service: "skep-ws-fleet", priority: 1 };
  expect(withWorkspaces({}, [reach], undefined)).toEqual({
    http: {
      routers: { "skep-ws-fleet": router, "skep-ws-fleet-tls": { ...router, tls: {} } },
      services: { "skep-ws-fleet": { loadBalancer: { servers: [{ url: "http://10.0.0.7:7704" }] } } },
    },
  });
});

it("keeps the route of one that nobody serves, and all that tenants have", () => {
  const tenants = {
    http: { routers: { a: {} }, services: { a: {} }, middlewares: { m: {} } },
    tcp: undefined as never,
  };
  const config = withWorkspaces(tenants, [{ ...reach, isServed: false }], "iot.example.com");
  expect(config.http?.services).toEqual({ a: {}, "skep-ws-fleet": { loadBalancer: { servers: [] } } });
  expect(config.http?.routers["skep-ws-fleet"]?.["rule"]).toBe("Host(`iot.example.com`) && PathPrefix(`/ws/fleet/`)");
  expect(config.http?.middlewares).toEqual({ m: {} });
  expect(tenants.http.routers).toEqual({ a: {} });
});

it("leads what halves of one that moves say to each other to the half that reads nothing", () => {
  const half = { ...reach, address: "10.0.0.8", isHalf: true } as const;
  const { routers = {}, services = {} } = withWorkspaces({}, [reach, half], "iot.example.com").http ?? {};
  expect(Object.keys(routers)).toEqual(["skep-ws-half_fleet", "skep-ws-fleet", "skep-ws-fleet-tls"]);
  const rule = "PathPrefix(`/ws/fleet/skep.v1.PeerService/`)";
  expect(routers["skep-ws-half_fleet"]).toEqual({ rule, service: "skep-ws-half_fleet", priority: 2 });
  expect(services["skep-ws-half_fleet"]).toEqual({ loadBalancer: { servers: [{ url: "http://10.0.0.8:7704" }] } });
  expect(services["skep-ws-fleet"]).toEqual({ loadBalancer: { servers: [{ url: "http://10.0.0.7:7704" }] } });
});

it("says nothing where there are none: Traefik refuses empty sections", () => {
  expect(withWorkspaces({}, [], undefined)).toEqual({});
});
