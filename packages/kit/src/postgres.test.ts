import { expect, test } from "vitest";
import { classifyPostgresError } from "./postgres.ts";

const coded = (code: string): Error => Object.assign(new Error("refused"), { code });

test.each([
  ["23505", "already_exists", false, false],
  ["23503", "failed_precondition", false, false],
  ["23514", "invalid_argument", false, false],
  ["22001", "invalid_argument", false, false],
  ["40001", "aborted", true, false],
  ["40P01", "aborted", true, false],
  ["57014", "deadline_exceeded", true, false],
  ["53300", "unavailable", true, false],
  ["57P01", "unavailable", true, true],
  ["08006", "unavailable", true, true],
  ["ECONNREFUSED", "unavailable", true, true],
  ["ECONNRESET", "unavailable", true, true],
  ["42P01", "internal", false, false],
] as const)("%s means %s", (code, meaning, transient, connectionLost) => {
  expect(classifyPostgresError(coded(code))).toMatchObject({
    code: meaning,
    sqlState: code,
    transient,
    connectionLost,
  });
});

test("the driver's own failures have no code and are known by their text", () => {
  const lost = classifyPostgresError(new Error("Connection terminated unexpectedly"));
  expect(lost).toMatchObject({ code: "unavailable", connectionLost: true });
  expect(classifyPostgresError(new Error("cannot read properties of undefined"))).toMatchObject({ code: "internal" });
  expect(classifyPostgresError("nonsense")).toMatchObject({ code: "internal", transient: false });
});

test("a refusal to connect on every address counts as one", () => {
  const both = new AggregateError([coded("ECONNREFUSED"), coded("ECONNREFUSED")]);
  expect(classifyPostgresError(both)).toMatchObject({ code: "unavailable", connectionLost: true });
});

test("the constraint that refused is named", () => {
  const error = Object.assign(coded("23505"), { constraint: "locations_port_key" });
  expect(classifyPostgresError(error).constraint).toBe("locations_port_key");
});
