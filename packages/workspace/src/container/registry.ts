import { SkepError } from "@skep/core/error.ts";
import type { Container } from "./container.ts";

/** What is known of a container (R105, R106). */
export type ContainerHealth =
  | { readonly status: "not_found" }
  | {
      readonly status: "healthy" | "unhealthy";
      /** ms since it was deployed. */
      readonly uptime: number;
      readonly resources: Readonly<Record<string, number>>;
      /** Empty where nothing failed. */
      readonly lastError: string;
    };

/** The containers of this process, by namespace and id: `MCS[namespace][id]` (R7, R104). */
export type ManagedContainers = Readonly<Record<string, Readonly<Record<string, Container>> | undefined>>;

const managed: Record<string, Record<string, Container>> = Object.create(null) as Record<
  string,
  Record<string, Container>
>;

/** The managed container system of this process (R6). */
export const MCS: ManagedContainers = managed;

/** The namespace of containers that many tenants share the resources of. */
export const SHARED = "shared";

/**
 * Enters a container, until it is dropped.
 * @throws SkepError `already_exists` where its namespace has one of its id.
 */
export function manageContainer(namespace: string, container: Container): void {
  const known = (managed[namespace] ??= Object.create(null) as Record<string, Container>);
  if (known[container.id] !== undefined) {
    const sentence = `Container ${container.id} is in namespace ${namespace} already; drop it first.`;
    throw new SkepError("already_exists", "CONTAINER_EXISTS", sentence);
  }
  known[container.id] = container;
  container.onDrop(() => {
    delete known[container.id];
    if (Object.keys(known).length === 0) delete managed[namespace];
  });
}

/** How a container is (R104..R106). */
export function healthOf(namespace: string, id: string): ContainerHealth {
  const container = managed[namespace]?.[id];
  if (container === undefined) return { status: "not_found" };
  const { uptime, resourceUsage } = container.getStats();
  return {
    status: container.isHealthyNow() ? "healthy" : "unhealthy",
    uptime,
    resources: resourceUsage,
    lastError: container.lastError(),
  };
}
