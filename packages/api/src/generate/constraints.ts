import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { field as fieldRules, message as messageRules, oneof as oneofRules } from "../gen/buf/validate/validate_pb.ts";
import type { FieldRules } from "../gen/buf/validate/validate_pb.ts";
import type { Json } from "./json.ts";
import { numberPattern } from "./number-pattern.ts";

/** The rules of a field, as the definitions say them. */
export function rulesOf(field: DescField): FieldRules | undefined {
  return hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
}

/**
 * A field's rules in the words of JSON Schema, without what stands for the items of lists and maps.
 * @throws Error for a rule that has no translation here: the document would then not tell it.
 */
export function constraintsOf(rules: FieldRules | undefined): Json {
  if (rules === undefined) return {};
  const parts = [typeConstraints(rules), ...rules.cel.map(({ id, expression }) => celConstraints(id, expression))];
  return merge(parts);
}

/** The rules for each item of a list, and for the keys and values of a map. */
export function innerConstraints(rules: FieldRules | undefined): { readonly items: Json; readonly keys: Json } {
  const { type } = rules ?? {};
  if (type?.case === "repeated") return { items: constraintsOf(type.value.items), keys: {} };
  if (type?.case === "map") return { items: constraintsOf(type.value.values), keys: constraintsOf(type.value.keys) };
  return { items: {}, keys: {} };
}

function typeConstraints({ type }: FieldRules): Json {
  switch (type?.case) {
    case "string":
      return {
        ...(type.value.minLen > 0n ? { minLength: Number(type.value.minLen) } : {}),
        ...(type.value.maxLen > 0n ? { maxLength: Number(type.value.maxLen) } : {}),
        ...(type.value.pattern === "" ? {} : { pattern: type.value.pattern }),
      };
    case "uint32":
    case "int32":
      return {
        ...(type.value.greaterThan.case === "gte" ? { minimum: type.value.greaterThan.value } : {}),
        ...(type.value.lessThan.case === "lte" ? { maximum: type.value.lessThan.value } : {}),
      };
    case "uint64": {
      const { greaterThan: from, lessThan: to } = type.value;
      if (from.case === undefined && to.case === undefined) return {};
      return longPattern(from.case === "gte" ? from.value : 0n, to.case === "lte" ? to.value : MOST_UINT64);
    }
    case "repeated":
      return {
        ...(type.value.minItems > 0n ? { minItems: Number(type.value.minItems) } : {}),
        ...(type.value.maxItems > 0n ? { maxItems: Number(type.value.maxItems) } : {}),
      };
    case "map":
      return type.value.maxPairs > 0n ? { maxProperties: Number(type.value.maxPairs) } : {};
    // An enum is always listed by name, so that `defined_only` has nothing to add.
    case "enum":
    case undefined:
      return {};
    default:
      throw new Error(`OpenAPI cannot tell rules of the type ${type?.case} yet: teach generate/constraints.ts.`);
  }
}

/** Values of core are numbers: what would lose digits there is refused (`codec/number.ts`). */
const MOST_UINT64 = BigInt(Number.MAX_SAFE_INTEGER);

/** 64-bit numbers are text, so that their bounds are a pattern. */
export function longPattern(from: bigint = 0n, to: bigint = MOST_UINT64): Json {
  return { pattern: numberPattern(from, to) };
}

/** The forms of CEL that our rules use for strings. */
const CEL: readonly (readonly [RegExp, (found: string) => Json])[] = [
  [/^this\.matches\('(.*)'\)$/, pattern => ({ pattern })],
  [/^!this\.matches\('(.*)'\)$/, pattern => ({ not: { pattern } })],
  [/^this\.size\(\) <= (\d+)$/, length => ({ maxLength: Number(length) })],
  [/^this\.startsWith\('(.*)'\)$/, text => ({ pattern: `^${literally(text)}` })],
  [/^!this\.contains\('(.*)'\)$/, text => ({ not: { pattern: literally(text) } })],
];

const literally = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");

function celConstraints(id: string, expression: string): Json {
  const parts = expression.split(" && ").map(part => {
    for (const [form, told] of CEL) {
      const found = form.exec(part)?.[1];
      if (found !== undefined) return told(found);
    }
    throw new Error(`OpenAPI cannot tell the rule ${id} (${part}) yet: teach generate/constraints.ts.`);
  });
  return merge(parts);
}

/** All of several schemas: in one, unless they name the same word. */
function merge(parts: readonly Json[]): Json {
  const merged: Json = {};
  const others: Json[] = [];
  for (const part of parts) {
    if (Object.keys(part).some(word => word in merged)) others.push(part);
    else Object.assign(merged, part);
  }
  return others.length === 0 ? merged : { ...merged, allOf: others };
}

/**
 * Whether a request must carry a field: it is said, or the value that stands for absence breaks its
 * rules. Without presence an absent field is empty, zero or false.
 */
export function isRequired(field: DescField): boolean {
  const rules = rulesOf(field);
  if (rules === undefined) return false;
  if (rules.required) return true;
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT && field.fieldKind !== "list") return false;
  const told = constraintsOf(rules);
  if (field.fieldKind === "list") return told["minItems"] !== undefined;
  if (field.fieldKind !== "scalar") return false;
  const fits = (absent: string): boolean =>
    typeof told["pattern"] !== "string" || new RegExp(told["pattern"]).test(absent);
  if (field.scalar === ScalarType.STRING) return told["minLength"] !== undefined || !fits("");
  // 64-bit numbers are text.
  if (field.scalar === ScalarType.UINT64) return !fits("0");
  return typeof told["minimum"] === "number" && told["minimum"] > 0;
}

const saying = (name: string): Json => ({ required: [name], properties: { [name]: { minLength: 1 } } });
const said = (...names: readonly string[]): Json => ({ anyOf: names.map(saying) });

/**
 * Rules about a whole message, by id: CEL has no general translation, so each stands here in both
 * languages.
 */
const MESSAGE_RULES: Readonly<Record<string, Json>> = {
  "create_deployment.one_form": {
    not: {
      required: ["spec"],
      anyOf: [
        ...["projectId", "image", "gitRepo", "branch", "name", "domain"].map(saying),
        { required: ["port"], properties: { port: { minimum: 1 } } },
        { required: ["envVars"], properties: { envVars: { minProperties: 1 } } },
        { required: ["replicas"] },
      ],
    },
  },
  "create_deployment.tenant": said("tenantId", "projectId"),
  "create_deployment.one_tenant": { not: { allOf: ["tenantId", "projectId"].map(saying) } },
  "create_deployment.branch": { anyOf: [{ not: saying("branch") }, saying("gitRepo")] },
  "container_resources.one_spelling": { not: { required: ["ratelimits", "ratelimit"] } },
  "connector_access.one_spelling": { not: { required: ["ratelimits", "ratelimit"] } },
  "connector_specs.one_spelling": { not: { required: ["ratelimits", "ratelimit"] } },
  // Each of its paths carries one of the two.
  "explain_placement.one_subject": {},
};

/** The rules about a whole message. @throws Error for one that has no translation here. */
export function messageConstraints(message: DescMessage): Json {
  const rules = hasOption(message, messageRules) ? getOption(message, messageRules).cel : [];
  const parts = rules.map(({ id }) => {
    const told = MESSAGE_RULES[id];
    if (told === undefined) throw new Error(`OpenAPI cannot tell the rule ${id} yet: teach generate/constraints.ts.`);
    return told;
  });
  const oneofs = message.oneofs.map(oneof => {
    const isOne = hasOption(oneof, oneofRules) && getOption(oneof, oneofRules).required;
    const cases = oneof.fields.map(field => ({ required: [field.jsonName] }));
    return isOne ? { oneOf: cases } : { oneOf: [...cases, { not: { anyOf: cases } }] };
  });
  return merge([...parts, ...oneofs].filter(part => Object.keys(part).length > 0));
}
