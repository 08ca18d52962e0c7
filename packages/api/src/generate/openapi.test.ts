import { describe, expect, it } from "vitest";
import { openApiJson } from "../gen/openapi.ts";
import { restBindings } from "../rest/bindings.ts";
import { SERVICES } from "../services.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters?: unknown;
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: { readonly "application/json": { readonly schema: { properties: Record<string, unknown> } } };
  };
}

const document = JSON.parse(openApiJson) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
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

  it("carries the comments and the rules of the definitions", () => {
    const { requestBody, parameters } = document.paths["/api/v1/deployments/{deployment_id}"]!["put"]!;
    expect(requestBody).toMatchObject({
      required: true,
      content: { "application/json": { schema: { required: ["spec"], additionalProperties: false } } },
    });
    const { properties } = requestBody!.content["application/json"].schema;
    expect(Object.keys(properties)).toEqual(["spec", "resourceVersion", "idempotencyKey"]);
    expect(properties["resourceVersion"]).toMatchObject({ description: expect.stringContaining("based on") });
    expect(parameters).toEqual([
      { name: "deployment_id", in: "path", required: true, schema: { type: "string", minLength: 1, maxLength: 128 } },
    ]);
    const { schemas } = document.components;
    expect(schemas?.["ContainerSpec"]).toMatchObject({
      required: ["name", "image"],
      properties: {
        image: { maxLength: 512, pattern: "^[a-zA-Z0-9][a-zA-Z0-9._:/@-]*$", not: { pattern: "\\.\\." } },
        env: { maxProperties: 512, propertyNames: { maxLength: 256 }, additionalProperties: { maxLength: 65536 } },
        entrypoint: { maxItems: 256, items: { maxLength: 32768 } },
      },
    });
    expect(schemas?.["HealthCheck"]).toMatchObject({
      oneOf: [{ required: ["docker"] }, { required: ["http"] }, {}, { required: ["image"] }],
    });
  });

  it("requires no body where none is needed", () => {
    expect(document.paths["/api/v1/nodes/{node_id}:drain"]!["post"]!.requestBody?.required).toBe(false);
  });
});
