import type { DescField } from "@bufbuild/protobuf";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { restBindings } from "../rest/bindings.ts";
import type { RestBinding } from "../rest/bindings.ts";
import { readComments } from "./comments.ts";
import type { Comments } from "./comments.ts";
import { isRequired } from "./constraints.ts";
import { fieldSchema, messageSchema, schemaName, schemasOf } from "./json-schema.ts";
import type { Json } from "./json.ts";

const ABOUT = [
  "Every unary method of skep.v1 as REST. Answers name fields in lowerCamelCase; requests may use snake_case as well,",
  "and a field that does not exist is refused.",
  "64-bit numbers are text. Streams (logs, watches, events) are served as Connect, gRPC and gRPC-Web on the same port.",
  "Requests that change something take the header Idempotency-Key: the same key with the same request is answered alike.",
].join(" ");

/**
 * The OpenAPI 3.1 document of the services named `serviceNames`.
 * @param image what `buf build` wrote: descriptors with the positions of their source, because
 * comments stand there.
 */
export function openApiDocument(image: Uint8Array, serviceNames: readonly string[]): Json {
  const set = fromBinary(FileDescriptorSetSchema, image);
  const registry = createFileRegistry(set);
  const comments = readComments(set);
  const services = serviceNames.flatMap(name => registry.getService(name) ?? []);
  const bindings = services.flatMap(service => restBindings([service]).toSorted(byPath));
  const detail = registry.getMessage("skep.v1.ErrorDetail");
  // A body is told beside its operation, without what the path says; here stands what it holds.
  const inBodies = bindings.flatMap(({ method, body }) =>
    body === "*" ? method.input.fields.flatMap(field => field.message ?? []) : [],
  );
  const answers = [...bindings.map(({ method }) => method.output), ...(detail === undefined ? [] : [detail])];
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
      responses: Object.fromEntries(
        Object.entries({ ...FAILURES, default: "What was wrong and what to do." }).map(([status, description]) => [
          failureName(status),
          { description, content: json("Error") },
        ]),
      ),
      schemas: { ...schemasOf(inBodies, answers, comments), Error: errorSchema() },
    },
  };
}

const byPath = (a: RestBinding, b: RestBinding): number => (pathOf(a) < pathOf(b) ? -1 : 1);

const pathOf = ({ template }: RestBinding): string => template.text.replaceAll(/\{([^}=]+)=[^}]*\}/g, "{$1}");

const json = (schema: string): Json => ({
  "application/json": { schema: { $ref: `#/components/schemas/${schema}` } },
});

function operation(binding: RestBinding, all: readonly RestBinding[], comments: Comments): Json {
  const { method, body } = binding;
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
    ...(body === "*" ? { requestBody: requestBody(binding, comments) } : {}),
    responses: {
      "200": { description: "Done.", content: json(schemaName(method.output)) },
      ...Object.fromEntries(Object.keys(FAILURES).map(status => [status, failure(status)])),
      default: failure("default"),
    },
  };
}

/** What each status of a failure means, for every operation. */
const FAILURES: Readonly<Record<string, string>> = {
  "400": "The request is not valid, or the state of things forbids it; `code` says which.",
  "401": "No token, or one that is not known here.",
  "403": "The token is known and does not hold the permission.",
  "404": "What the request names is not there.",
  "409": "It is there already, or it was changed since the version that the request is based on.",
  "413": "The body is too large.",
  "429": "Over a quota, or too many requests: the header Retry-After says how long to wait.",
  "500": "A defect of the platform; the message carries the id under which it is logged.",
  "503": "The platform, or something behind it, is away: ask again.",
};

const failureName = (status: string): string => (status === "default" ? "Error" : `Error${status}`);

const failure = (status: string): Json => ({ $ref: `#/components/responses/${failureName(status)}` });

/** A body is required where one without any field would be refused. */
function requestBody({ method, template }: RestBinding, comments: Comments): Json {
  const schema = messageSchema(method.input, comments, "request", template.variables);
  const isRequired = ["required", "anyOf", "oneOf"].some(word => schema[word] !== undefined);
  return { required: isRequired, content: { "application/json": { schema } } };
}

function parameter(field: DescField, { template, body }: RestBinding, comments: Comments): Json[] {
  const { description, ...schema } = fieldSchema(field, comments);
  const said: Json = description === undefined ? {} : { description };
  if (template.variables.includes(field.name))
    return [{ name: field.name, in: "path", required: true, schema: { minLength: 1, ...schema }, ...said }];
  if (body !== undefined || field.fieldKind === "map") return [];
  return [{ name: field.name, in: "query", required: isRequired(field), schema, ...said }];
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
