import { deploymentOf, tenantOf } from "@skep/core/model/instance-id.ts";
import { InstanceSchema } from "@skep/api/gen/skep/v1/instance_pb.ts";
import type { Instance } from "@skep/api/gen/skep/v1/instance_pb.ts";
import type { Orphan } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { renderInstances } from "../output/instances.ts";
import { renderOrphans } from "../output/orphans.ts";
import { listJson, print } from "../output/print.ts";
import { act, examples } from "../session/act.ts";
import { deploymentId } from "../session/names.ts";
import type { Session } from "../session/open.ts";
import { allPages } from "../session/pages.ts";
import type { Setup } from "./command.ts";

interface Options {
  readonly allTenants?: boolean;
  readonly node?: string;
}

/** `skep ps`. */
export const ps: Setup = (command, io) => {
  command
    .argument("[name]", "only this deployment's")
    .option("-A, --all-tenants", "those of every tenant")
    .option("--node <NODE>", "only those on this node (id or hostname)");
  examples(command, [
    ["skep ps", "every instance of your tenant"],
    ["skep ps web", "those of one deployment"],
    ["skep ps -A --node node-2", "everything that runs on a node"],
  ]);
  act(command, io, async (session, options: Options, name: string | undefined) => {
    const found = await findInstances(session, options, name);
    const { unrecovered, orphans } = await session.api.platform.getStatus({});
    const theirs = orphans.filter(one => isWanted(session, options, name, one));
    const parts = [renderInstances(session, found), renderOrphans(session, theirs), line(unrecovered)];
    print(
      session,
      () => listJson(InstanceSchema, found),
      () => parts.filter(part => part !== "").join("\n"),
    );
  });
};

async function findInstances(
  session: Session,
  options: Options,
  name: string | undefined,
): Promise<readonly Instance[]> {
  const node = options.node === undefined ? undefined : await session.api.nodes.getNode({ nodeId: options.node });
  const filter = {
    tenantId: options.allTenants === true || name !== undefined ? "" : session.tenant,
    deploymentId: name === undefined ? "" : deploymentId(session, name),
    nodeId: node?.node?.id ?? "",
  };
  // A name that does not exist is an error, not an empty list.
  if (filter.deploymentId !== "") await session.api.deployments.getDeployment({ deploymentId: filter.deploymentId });
  return allPages(
    pageToken => session.api.instances.listInstances({ ...filter, pageSize: 500, pageToken }),
    page => page.instances,
  );
}

const line = (text: string): string => (text === "" ? "" : `${text}\n`);

function isWanted(session: Session, options: Options, name: string | undefined, orphan: Orphan): boolean {
  if (options.node !== undefined && options.node !== orphan.nodeId && options.node !== orphan.hostname) return false;
  if (name !== undefined) return deploymentOf(orphan.instanceId) === deploymentId(session, name);
  return options.allTenants === true || tenantOf(deploymentOf(orphan.instanceId)) === session.tenant;
}
