import { describe, expect, it } from "vitest";
import { SERVICES } from "../services.ts";
import { restBindings } from "./bindings.ts";
import { matchTemplate, parseTemplate } from "./template.ts";

const match = (template: string, path: string): Record<string, string> | undefined => {
  const found = matchTemplate(parseTemplate(template), path);
  return found && Object.fromEntries(found);
};

describe("path templates", () => {
  it.each<[string, string, Record<string, string> | undefined]>([
    ["/api/v1/nodes", "/api/v1/nodes", {}],
    ["/api/v1/nodes", "/api/v1/nodes/", undefined],
    ["/api/v1/nodes/{node_id}", "/api/v1/nodes/n1", { node_id: "n1" }],
    ["/api/v1/nodes/{node_id}", "/api/v1/nodes/n1:drain", undefined],
    ["/api/v1/nodes/{node_id}:drain", "/api/v1/nodes/n1:drain", { node_id: "n1" }],
    ["/api/v1/nodes/{node_id}", "/api/v1/nodes/a%2Fb", { node_id: "a/b" }],
    ["/api/v1/routes/{domain}", "/api/v1/routes/a.example", { domain: "a.example" }],
    ["/v1/{spec.name=shelves/*}", "/v1/shelves/7", { "spec.name": "shelves/7" }],
    ["/v1/{path=**}:read", "/v1/a/b/c:read", { path: "a/b/c" }],
    ["/v1.0/x", "/v1a0/x", undefined],
  ])("%s on %s", (template, path, expected) => {
    expect(match(template, path)).toEqual(expected);
  });

  it.each(["no/slash", "/open/{brace", "/close}"])("refuses the template %s", text => {
    expect(() => parseTemplate(text)).toThrow(/path template/);
  });
});

describe("the REST paths", () => {
  it("give every unary method at least one, and no two the same verb and path", () => {
    const bindings = restBindings(SERVICES);
    const unary = SERVICES.flatMap(service => service.methods.filter(method => method.methodKind === "unary"));
    expect(new Set(bindings.map(binding => binding.method))).toEqual(new Set(unary));
    const places = bindings.map(({ verb, template }) => `${verb} ${template.pattern.source}`);
    expect(places.toSorted()).toEqual([...new Set(places)].toSorted());
  });

  it("name only fields that the request has", () => {
    for (const { method, template } of restBindings(SERVICES))
      expect(method.input.fields.map(field => field.name)).toEqual(expect.arrayContaining([...template.variables]));
  });
});
