import { toJson } from "@bufbuild/protobuf";
import type { DescMessage, JsonValue, MessageShape } from "@bufbuild/protobuf";
import type { View } from "./view.ts";

/** Prints indented JSON for programs, text for people. */
export function print(view: View, json: () => JsonValue, text: () => string): void {
  view.io.out(view.json ? `${JSON.stringify(json(), undefined, 2)}\n` : text());
}

/**
 * A message as the JSON that the REST interface answers with: every field, enum words, 64-bit
 * numbers as text.
 */
export function messageJson<D extends DescMessage>(schema: D, message: MessageShape<D>): JsonValue {
  return toJson(schema, message, { alwaysEmitImplicit: true });
}

/** A list of messages. */
export function listJson<D extends DescMessage>(schema: D, messages: readonly MessageShape<D>[]): JsonValue {
  return messages.map(message => messageJson(schema, message));
}
