import { fromJson, type DescMessage, type JsonObject, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { SkepError } from "@skep/core/error.ts";

/** Version of what is stored as JSON. 1 was core's own shape and bore no number. */
export const STORED_VERSION = 2;

/**
 * Enums are stored as numbers: a reader drops the name of a value that it does not know, and
 * refuses the number.
 */
export const ENUMS = { enumAsInteger: true } as const;

/** An object of stored JSON. @throws SkepError `internal` `STORED_MALFORMED`. */
export function objectOf(json: unknown, what: string): JsonObject {
  if (!isObject(json)) throw malformed(what, "it is no object");
  return json;
}

/**
 * A list of stored JSON; none where it is absent. @throws SkepError `internal` `STORED_MALFORMED`.
 */
export function listOf(json: unknown, what: string): readonly JsonValue[] {
  if (json === undefined || json === null) return [];
  if (!isList(json)) throw malformed(what, "it is no list");
  return json;
}

/**
 * The version of a stored value.
 * @throws SkepError `failed_precondition` `STORED_TOO_NEW` for one that only a newer program can
 * read.
 */
export function versionOf(stored: JsonObject, what: string): 1 | 2 {
  const { version = 1 } = stored;
  if (version === 1 || version === 2) return version;
  throw new SkepError(
    "failed_precondition",
    "STORED_TOO_NEW",
    `${what} is stored in version ${JSON.stringify(version)}, and this program reads up to ${STORED_VERSION}: update it first.`,
  );
}

/**
 * A stored message. What a newer program added to it is left out. @throws SkepError `internal`
 * `STORED_MALFORMED`.
 */
export function readMessage<D extends DescMessage>(schema: D, json: JsonValue, what: string): MessageShape<D> {
  try {
    return fromJson(schema, json, { ignoreUnknownFields: true });
  } catch (error) {
    throw malformed(what, error instanceof Error ? error.message : String(error));
  }
}

/** What is stored is not what any version has written. */
export function malformed(what: string, because: string): SkepError {
  const message = `${what} cannot be read from the records (${because}); restore it from a backup, or write it again.`;
  return new SkepError("internal", "STORED_MALFORMED", message);
}

function isObject(json: unknown): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function isList(json: unknown): json is readonly JsonValue[] {
  return Array.isArray(json);
}
