import { expect, it } from "vitest";
import { Health } from "./gen/grpc/health/v1/health_pb.ts";
import { permissionOf } from "./permissions.ts";
import { SERVICES } from "./services.ts";

it("names a permission for every method of every public service, and for nothing else", () => {
  const methods = SERVICES.flatMap(service => service.methods);
  expect(methods.filter(method => permissionOf(method) === undefined).map(String)).toEqual([]);
  expect(permissionOf(Health.method.check)).toBeUndefined();
});

it("never lets a method that changes something pass as reading", () => {
  const reading = SERVICES.flatMap(service => service.methods).filter(method =>
    permissionOf(method)?.endsWith(".read"),
  );
  const verbs = new Set(reading.map(({ name }) => /^[A-Z][a-z]+/.exec(name)?.[0]));
  expect([...verbs].toSorted()).toEqual(["Explain", "Get", "List", "Preview", "Stream", "Watch"]);
});
