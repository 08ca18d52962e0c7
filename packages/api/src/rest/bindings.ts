import type { DescMethod, DescMethodUnary, DescService } from "@bufbuild/protobuf";
import { getOption, hasOption } from "@bufbuild/protobuf";
import { http } from "../gen/google/api/annotations_pb.ts";
import type { HttpRule } from "../gen/google/api/http_pb.ts";
import { parseTemplate } from "./template.ts";
import type { PathTemplate } from "./template.ts";

/** One HTTP method and path that leads to a unary method. */
export interface RestBinding {
  readonly method: DescMethodUnary;
  /** GET, PUT, POST, DELETE or PATCH. */
  readonly verb: string;
  readonly template: PathTemplate;
  /** Field that the body becomes; `*` for the whole message, `undefined` for no body. */
  readonly body: string | undefined;
}

/** The REST bindings of services, from their google.api.http options, most specific path first. */
export function restBindings(services: readonly DescService[]): readonly RestBinding[] {
  return services
    .flatMap(service => service.methods.flatMap(bindingsOf))
    .toSorted((a, b) => b.template.weight - a.template.weight);
}

function bindingsOf(method: DescMethod): RestBinding[] {
  if (!isUnary(method) || !hasOption(method, http)) return [];
  const rule = getOption(method, http);
  return [rule, ...rule.additionalBindings].flatMap(one => {
    const found = verbAndPath(one);
    if (found === undefined) return [];
    const body = one.body === "" ? undefined : one.body;
    return [{ method, verb: found.verb, template: parseTemplate(found.path), body }];
  });
}

function isUnary(method: DescMethod): method is DescMethodUnary & DescMethod {
  return method.methodKind === "unary";
}

function verbAndPath({ pattern }: HttpRule): { readonly verb: string; readonly path: string } | undefined {
  switch (pattern.case) {
    case "get":
    case "put":
    case "post":
    case "delete":
    case "patch":
      return { verb: pattern.case.toUpperCase(), path: pattern.value };
    case "custom":
      return { verb: pattern.value.kind, path: pattern.value.path };
    case undefined:
      return undefined;
  }
}
