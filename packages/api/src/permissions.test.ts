import { expect, it } from "vitest";
import { Health } from "./gen/grpc/health/v1/health_pb.ts";
import { permissionOf } from "./permissions.ts";
import { MACHINE_SERVICE_BY_NAME, SERVICES } from "./services.ts";

it("names a permission for every method of every public service, and for nothing else", () => {
  const methods = SERVICES.flatMap(service => service.methods);
  expect(methods.filter(method => permissionOf(method) === undefined).map(String)).toEqual([]);
  expect(permissionOf(Health.method.check)).toBeUndefined();
});

it("lets nobody act as a host or a gate who may do something else", () => {
  const machines = Object.values(MACHINE_SERVICE_BY_NAME).flatMap(service => service.methods);
  expect([...new Set(machines.map(permissionOf))]).toEqual(["hosts.enrol", "hosts.serve", "devices.admit"]);
  const people = SERVICES.flatMap(service => service.methods).map(permissionOf);
  expect(people.filter(one => one?.startsWith("hosts.") || one === "devices.admit")).toEqual([]);
});

it("never lets a method that changes something pass as reading", () => {
  const reading = SERVICES.flatMap(service => service.methods).filter(method =>
    permissionOf(method)?.endsWith(".read"),
  );
  const verbs = new Set(reading.map(({ name }) => /^[A-Z][a-z]+/.exec(name)?.[0]));
  expect([...verbs].toSorted()).toEqual(["Explain", "Follow", "Get", "List", "Preview", "Read", "Stream", "Watch"]);
});
