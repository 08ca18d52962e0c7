import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { restBindings } from "../rest/bindings.ts";
import type { RestBinding } from "../rest/bindings.ts";
import { readComments } from "./comments.ts";
import type { Comments } from "./comments.ts";
import { fieldSchema, schemaName, schemasOf } from "./json-schema.ts";
import type { Json } from "./json-schema.ts";

const ABOUT = [
  "Every unary method of skep.v1 as REST. Answers name fields in lowerCamelCase; requests may use snake_case as well.",
  "64-bit numbers are text. Streams (logs, watches, events) are served as Connect, gRPC and gRPC-Web on the same port.",
  "Requests that change something take the header Idempotency-Key: the same key with the same request is answered alike.",
].join(" ");

/**
 * The OpenAPI 3.1 document of the services named `serviceNames`.
 * @param image what `buf build` wrote: descriptors with the positions of their source, because comments stand there.
 */
export function openApiDocument(image: Uint8Array, serviceNames: readonly string[]): Json {
  const set = fromBinary(FileDescriptorSetSchema, image);
  const registry = createFileRegistry(set);
  const comments = readComments(set);
  const services = serviceNames.flatMap(name => registry.getService(name) ?? []);
  const bindings = services.flatMap(service => restBindings([service]).toSorted(byPath));
  const detail = registry.getMessage("skep.v1.ErrorDetail");
  const roots = bindings.flatMap(({ method, body }) =>
    body === "*" ? [method.input, method.output] : [method.output],
  );
  const paths: Record<string, Json> = {};
  for (const binding of bindings) {
    const path = pathOf(binding);
    paths[path] = { ...paths[path], [binding.verb.toLowerCase()]: operation(binding, bindings, comments) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Skep", version: "v1", description: ABOUT, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    tags: services.map(service => ({ name: service.name, description: comments.get(service.typeName) ?? "" })),
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      responses: { Error: { description: "What was wrong and what to do.", content: json("Error") } },
      schemas: { ...schemasOf([...roots, ...(detail === undefined ? [] : [detail])], comments), Error: errorSchema() },
    },
  };
}

const byPath = (a: RestBinding, b: RestBinding): number => (pathOf(a) < pathOf(b) ? -1 : 1);

const pathOf = ({ template }: RestBinding): string => template.text.replaceAll(/\{([^}=]+)=[^}]*\}/g, "{$1}");

const json = (schema: string): Json => ({
  "application/json": { schema: { $ref: `#/components/schemas/${schema}` } },
});

function operation(binding: RestBinding, all: readonly RestBinding[], comments: Comments): Json {
  const { method, body, template } = binding;
  const service = method.parent;
  const same = all.filter(other => other.method === method);
  const suffix = same.length > 1 && same.indexOf(binding) > 0 ? `_${same.indexOf(binding) + 1}` : "";
  const parameters = method.input.fields.flatMap(field => parameter(field, binding, comments));
  const description = comments.get(`${service.typeName}.${method.name}`);
  return {
    operationId: `${service.name}_${method.name}${suffix}`,
    tags: [service.name],
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === "*" ? { requestBody: { required: true, content: bodyOf(method.input, template.variables) } } : {}),
    responses: {
      "200": { description: "Done.", content: json(schemaName(method.output)) },
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

/** The whole message; that fields of the path may be left out of it is said, because JSON Schema cannot. */
function bodyOf(input: DescMessage, variables: readonly string[]): Json {
  const schema: Json = { $ref: `#/components/schemas/${schemaName(input)}` };
  if (variables.length > 0) schema["description"] = `Without ${variables.join(", ")}, which the path says.`;
  return { "application/json": { schema } };
}

function parameter(field: DescField, { template, body }: RestBinding, comments: Comments): Json[] {
  const { description, ...schema } = fieldSchema(field, comments);
  const said: Json = description === undefined ? {} : { description };
  if (template.variables.includes(field.name))
    return [{ name: field.name, in: "path", required: true, schema, ...said }];
  if (body !== undefined || field.fieldKind === "map") return [];
  return [{ name: field.name, in: "query", schema, ...said }];
}

function errorSchema(): Json {
  return {
    type: "object",
    required: ["code", "message"],
    properties: {
      code: { type: "string", description: "Connect's word for the kind of failure, for example `not_found`." },
      message: { type: "string", description: "What was wrong, where, and what to do." },
      details: {
        type: "array",
        items: {
          allOf: [
            { type: "object", properties: { "@type": { type: "string" } } },
            { $ref: "#/components/schemas/ErrorDetail" },
          ],
        },
      },
    },
  };
}
