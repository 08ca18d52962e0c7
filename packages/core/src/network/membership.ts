import type { DeploymentSpec, NetworkMembership } from "../model/deployment.ts";

/** The network of those that name none: that of their project, or of the tenant without one. */
export function defaultNetwork(project: string | undefined): string {
  return project === undefined ? "default" : `${project}_default`;
}

/** The networks of the tenant that the instances of a spec are in; never none. */
export function networksOf({ networks, project }: DeploymentSpec): readonly NetworkMembership[] {
  if (networks !== undefined && networks.length > 0) return networks;
  return [{ name: defaultNetwork(project), aliases: [], isInternal: false }];
}
