import type { ContainerStatus, PortBinding, Refusal } from "@skep/core/model/instance.ts";
import type { Labels } from "@skep/core/model/labels.ts";
import type { Route } from "@skep/core/model/routing.ts";
import { RefusalSchema } from "../../gen/skep/v1/instance_pb.ts";
import { refusalFromProto } from "../instance.ts";
import { listOf, malformed, objectOf, readMessage } from "./version.ts";

/*
 * JSON that stands in columns of its own. SQL reads it too (indexes, generated columns, triggers),
 * so its shape changes by migrations and bears no version. All of it is read each second on every
 * replica, so it is read by hand: a general reader would take ten times as long.
 */

/** `containers` of a location. */
export function containersFromStored(json: unknown): readonly ContainerStatus[] {
  return listOf(json, "A location's containers").map(one => {
    const { name, id, imageId, running, exitCode, restarts } = objectOf(one, "A container");
    if (typeof name !== "string" || typeof id !== "string" || typeof imageId !== "string")
      throw malformed("A container", "its name, id or image is no text");
    if (typeof running !== "boolean" || typeof restarts !== "number")
      throw malformed("A container", "its state is missing");
    return { name, id, imageId, running, exitCode: typeof exitCode === "number" ? exitCode : undefined, restarts };
  });
}

/** `ports` of a location. */
export function portsFromStored(json: unknown): readonly PortBinding[] {
  return listOf(json, "A location's ports").map(one => {
    const { container, containerPort, protocol, hostPort } = objectOf(one, "A port");
    if (typeof container !== "string" || typeof containerPort !== "number" || typeof hostPort !== "number")
      throw malformed("A port", "its container or its numbers are missing");
    if (protocol !== "tcp" && protocol !== "udp") throw malformed("A port", "its protocol is neither tcp nor udp");
    return { container, containerPort, protocol, hostPort };
  });
}

/** `labels` and `engine_labels` of a node. */
export function labelsFromStored(json: unknown): Labels {
  return Object.fromEntries(
    Object.entries(objectOf(json, "A node's labels")).map(([key, value]) => {
      if (typeof value !== "string") throw malformed("A node's labels", `${key} is no text`);
      return [key, value];
    }),
  );
}

/** `refusal` of an instance. */
export function refusalFromStored(json: unknown): Refusal | undefined {
  if (json === null || json === undefined) return undefined;
  return refusalFromProto(readMessage(RefusalSchema, objectOf(json, "A refusal"), "A refusal"));
}

/** `entry_points`, `middlewares` and `service` of a route. */
export function routeFromStored(json: {
  readonly entry_points: unknown;
  readonly middlewares: unknown;
  readonly service: unknown;
}): Pick<Route, "entryPoints" | "middlewares" | "service"> {
  return {
    entryPoints: listOf(json.entry_points, "A route's entry points").map(one => {
      if (typeof one !== "string") throw malformed("A route's entry point", "it is no text");
      return one;
    }),
    middlewares: listOf(json.middlewares, "A route's middlewares").map(one => {
      const { name, options } = objectOf(one, "A middleware");
      if (typeof name !== "string") throw malformed("A middleware", "its name is no text");
      return { name, options: objectOf(options, `The middleware ${name}`) };
    }),
    service: objectOf(json.service, "A route's service"),
  };
}
