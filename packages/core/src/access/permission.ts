/**
 * Everything that a principal may be allowed to do. What a method of the API needs:
 * `api/permissions.ts`.
 */
export const PERMISSIONS = [
  "tenants.read",
  "tenants.write",
  "deployments.read",
  "deployments.write",
  "instances.read",
  "instances.exec",
  "logs.read",
  "volumes.read",
  "volumes.write",
  "workspaces.read",
  "workspaces.write",
  "workspaces.token",
  "messages.read",
  "messages.write",
  "files.read",
  "files.write",
  "rules.read",
  "rules.write",
  "devices.read",
  "devices.write",
  "nodes.read",
  "nodes.write",
  "routes.read",
  "events.read",
  "platform.read",
  "platform.recover",
  "hosts.enrol",
  "hosts.serve",
  "devices.admit",
] as const;

/** One of them. */
export type Permission = (typeof PERMISSIONS)[number];
