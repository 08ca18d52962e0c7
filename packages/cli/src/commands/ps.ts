import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Health, InstanceDesired, InstanceSchema, InstanceState } from "@skep/api/gen/skep/v1/instance_pb.ts";
import type { Instance } from "@skep/api/gen/skep/v1/instance_pb.ts";
import type { Orphan } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { colourState } from "../output/colour.ts";
import { enumWord } from "../output/enum-word.ts";
import { listJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { duration } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { deploymentId, shortName } from "../session/names.ts";
import type { Session } from "../session/open.ts";
import { allPages } from "../session/pages.ts";
import type { Setup } from "./index.ts";

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
  if (name !== undefined) return orphan.instanceId.startsWith(`${deploymentId(session, name)}.`);
  return options.allTenants === true || orphan.instanceId.startsWith(`${session.tenant}.`);
}

/** What runs without a record, as a table of its own. */
function renderOrphans({ io }: Session, orphans: readonly Orphan[]): string {
  if (orphans.length === 0) return "";
  const rows = orphans.map(one => [
    `${one.instanceId} (epoch ${one.epoch})`,
    one.hostname,
    one.since === undefined ? "" : duration(io.now() - timestampMs(one.since)),
    one.because,
  ]);
  const table = renderTable(
    ["WITHOUT A RECORD", "NODE", "SINCE", "LEFT ALONE BECAUSE"].map(heading => ({ heading })),
    rows,
    io.isTty ? io.width : undefined,
  );
  return `${table}\`skep recover\` shows what can be done about them.\n`;
}

/** Instances as a table; the last column says what each waits for. */
export function renderInstances(session: Session, instances: readonly Instance[]): string {
  const { io } = session;
  const rows = instances.map(instance => {
    const [location] = instance.locations;
    return [
      shortName(session, instance.id),
      instance.hostname === "" ? "-" : instance.hostname,
      colourState(io, stateWord(instance)),
      colourState(io, enumWord(Health, instance.health) || "-"),
      (location?.containerIds ?? []).map(id => id.slice(0, 12)).join(" ") || "-",
      (location?.ports ?? []).map(port => `${location?.address}:${port.hostPort}->${port.containerPort}`).join(" ") ||
        "-",
      instance.createdAt === undefined ? "" : duration(io.now() - timestampMs(instance.createdAt)),
      instance.refusal?.advice ?? (instance.message || restartWords(instance)),
    ];
  });
  return renderTable(
    ["INSTANCE", "NODE", "STATE", "HEALTH", "CONTAINERS", "PORTS", "AGE", "MESSAGE"].map(heading => ({ heading })),
    rows,
    io.isTty ? io.width : undefined,
  );
}

/** Between two failures of a container nothing is wrong at the moment; how often it was started again still tells. */
function restartWords({ locations: [location] }: Instance): string {
  const words = (location?.containers ?? [])
    .filter(({ restarts }) => restarts > 0)
    .map(({ name, restarts }) => `${name} was started again ${restarts === 1 ? "once" : `${restarts} times`}`);
  return words.join(", ");
}

function stateWord(instance: Instance): string {
  const state = enumWord(InstanceState, instance.state);
  const leaving = instance.desired === InstanceDesired.STOP && state === "running";
  return leaving ? "stopping" : state;
}
