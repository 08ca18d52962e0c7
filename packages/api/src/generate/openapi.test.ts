import { describe, expect, it } from "vitest";
import { openApiJson } from "../gen/openapi.ts";
import { restBindings } from "../rest/bindings.ts";
import { SERVICES } from "../services.ts";

const document = JSON.parse(openApiJson) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

describe("the OpenAPI document", () => {
  it("has every REST path and nothing else", () => {
    const told = Object.entries(document.paths).flatMap(([path, verbs]) =>
      Object.keys(verbs).map(verb => `${verb} ${path}`),
    );
    const served = restBindings(SERVICES).map(({ verb, template }) => `${verb.toLowerCase()} ${template.text}`);
    expect(told.toSorted()).toEqual(served.toSorted());
  });

  it("refers only to what it defines", () => {
    const references = [...openApiJson.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)];
    const missing = references.filter(([, kind = "", name = ""]) => document.components[kind]?.[name] === undefined);
    expect(missing.map(([text]) => text)).toEqual([]);
    expect(references.length).toBeGreaterThan(50);
  });

  it("names every operation once", () => {
    const ids = Object.values(document.paths).flatMap(verbs => Object.values(verbs).map(one => one.operationId));
    expect(ids.length).toBe(new Set(ids).size);
  });

  it("carries the comments and the limits of the definitions", () => {
    expect(document.components["schemas"]?.["CreateTenantRequest"]).toMatchObject({
      properties: {
        idempotencyKey: { type: "string", maxLength: 128, description: expect.stringContaining("repetition is safe") },
      },
    });
  });
});
