import { expect, test } from "vitest";
import { deploymentIdOf, deploymentOf, instanceIdOf, parseInstanceId, tenantOf } from "./instance-id.ts";

test("an id is taken apart in one place", () => {
  expect(parseInstanceId("acme.web.12")).toEqual({ deploymentId: "acme.web", serial: 12 });
  expect([deploymentOf("acme.web.12"), tenantOf("acme.web")]).toEqual(["acme.web", "acme"]);
});

test("an id is put together in one place", () => {
  expect(instanceIdOf(deploymentIdOf("acme", "web"), 12)).toBe("acme.web.12");
});

test("what is no id has no parts", () => {
  for (const id of ["", "web", "acme.web.0", "acme.web.x"]) expect(parseInstanceId(id)).toBeUndefined();
  expect([deploymentOf("web"), tenantOf("web"), deploymentOf(""), tenantOf("")]).toEqual(["", "", "", ""]);
});
