import { describe, expect, it } from "vitest";
import { aConnector } from "../testing/connector.ts";
import { limitsOf, validateConnector } from "./connector.ts";

describe("a connector", () => {
  it("with the fields of the requirements is good", () => {
    expect(validateConnector(aConnector())).toEqual([]);
  });

  it.each([
    ["id", aConnector({ id: "Mx_1" })],
    ["id", aConnector({ id: "-a" })],
    ["name", aConnector({ name: "" })],
    ["name", aConnector({ name: "a\u001b[31m" })],
    ["workspace.type", aConnector({ workspace: { type: "", icode: "" } })],
    ["workspace.icode", aConnector({ workspace: { type: "developer", icode: "x".repeat(101) } })],
    ["access.secret", aConnector({}, { secret: "sk_short1" })],
    ["access.secret", aConnector({}, { secret: "x".repeat(513) })],
    ["access.maintainers[1]", aConnector({}, { maintainers: ["a@b.example", "nobody"] })],
    ["access.maintainers", aConnector({}, { maintainers: Array.from({ length: 101 }, () => "a@b.example") })],
    ["access.ratelimits.sockets", aConnector({}, { ratelimits: { sockets: 0, events: 1 } })],
    ["access.ratelimits.events", aConnector({}, { ratelimits: { sockets: 1, events: 0.5 } })],
    [
      "config.resources.specs.ratelimits.channels",
      aConnector({}, {}, { ratelimits: { sockets: 1, events: 1, channels: 10_001 } }),
    ],
    ["config.resources.specs.database.size", aConnector({}, {}, { database: { url: undefined, size: 0 } })],
  ])("is refused by its field: %s", (path, connector) => {
    expect(validateConnector(connector).map(issue => issue.path)).toEqual([path]);
  });

  it("never repeats its secret in an issue", () => {
    const issues = validateConnector(aConnector({ id: "" }, { secret: "hunter2" }));
    expect(JSON.stringify(issues)).not.toContain("hunter2");
  });

  it("is bounded by the lower of two limits", () => {
    const ratelimits = { sockets: 10, events: 200, channels: 7 };
    const connector = aConnector({}, { ratelimits: { sockets: 20, events: 100 } }, { ratelimits });
    expect(limitsOf(connector)).toEqual({ sockets: 10, events: 100, channels: 7 });
  });
});
