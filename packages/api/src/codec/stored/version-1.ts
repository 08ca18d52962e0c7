import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { EnumTable } from "../enum-table.ts";
import { protocols, restartConditions, strategies, updateOrders } from "../words.ts";
import { listOf, malformed, objectOf } from "./version.ts";

/** Version 1 of a spec, which was core's shape as JSON, as the JSON of a message. */
export function specOfVersion1(stored: JsonValue, what: string): JsonObject {
  const spec = objectOf(stored, what);
  const { placement, restart, update } = spec;
  return {
    ...spec,
    containers: listOf(spec["containers"], what).map(one => containerOfVersion1(objectOf(one, what), what)),
    placement: withEnum(objectOf(placement, what), "strategy", strategies),
    restart: withEnum(objectOf(restart, what), "condition", restartConditions),
    update: withEnum(objectOf(update, what), "order", updateOrders),
  };
}

/**
 * Replaces a word of core by its number in messages. @throws SkepError `invalid_argument`
 * `UNKNOWN_ENUM`.
 */
export function withEnum(of: JsonObject, key: string, table: EnumTable<string, number>): JsonObject {
  return { ...of, [key]: table.fromText(of[key], key) };
}

function containerOfVersion1(container: JsonObject, what: string): JsonObject {
  const { health, ports, tmpfs, ...rest } = container;
  return {
    ...rest,
    tmpfs: listOf(tmpfs, what).map(target => ({ target })),
    ports: listOf(ports, what).map(port => withEnum(objectOf(port, what), "protocol", protocols)),
    ...(health === undefined || health === null ? {} : { health: healthOfVersion1(objectOf(health, what), what) }),
  };
}

function healthOfVersion1({ probe, ...timing }: JsonObject, what: string): JsonObject {
  const { kind, ...options } = objectOf(probe, what);
  if (typeof kind !== "string") throw malformed(what, "a probe has no kind");
  return { ...timing, [kind]: options };
}
