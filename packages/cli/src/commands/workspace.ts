import { Option, type Command } from "commander";
import { WorkspaceDesired, WorkspaceSchema } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import type { Workspace } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import type { GetContainerStatusResponse } from "@skep/api/gen/skep/v1/container_service_pb.ts";
import {
  DeleteWorkspaceResponseSchema,
  PreviewWorkspaceResponseSchema,
} from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import { listJson, messageJson, print } from "../output/print.ts";
import { renderPlan, renderWorkspace, renderWorkspaces } from "../output/workspaces.ts";
import { act, examples } from "../session/act.ts";
import { newKey } from "../session/change.ts";
import type { Session } from "../session/open.ts";
import { allPages } from "../session/pages.ts";
import { wholeNumber } from "../session/whole-number.ts";
import {
  changedConnector,
  newConnector,
  purposeOf,
  purposeOptions,
  strategyOf,
  strategyOption,
  type ConnectorOptions,
  type PurposeOptions,
} from "../session/workspace-options.ts";
import type { Io } from "../io.ts";
import type { Setup } from "./command.ts";
import { setupMove } from "./workspace-move.ts";
import { setupScaling } from "./workspace-scaling.ts";
import { setupWebhooks } from "./workspace-webhook.ts";
import { setupAccess } from "./workspace-access.ts";

interface CreateOptions extends ConnectorOptions, PurposeOptions {
  readonly strategy?: string;
}

interface UpdateOptions extends CreateOptions {
  readonly pool?: number;
  readonly desired?: "run" | "stopped";
}

interface PlanOptions extends PurposeOptions {
  readonly devices: number;
  readonly messages: number;
  readonly connections: number;
}

/** `skep workspace`. */
export const workspace: Setup = (command, io) => {
  examples(command, [
    ["skep workspace create fleet", "a shared one with the defaults; its secret is made and shown once"],
    ["skep workspace create -f connector.json --secret-file secret", "as a connector says, with a secret of yours"],
    ["skep workspace create clinic --mode standalone --regulated", "one that may not be shared"],
    ["skep workspace list", "every workspace, and the host that has it"],
    ["skep workspace show fleet", "one in full"],
    ["skep workspace update fleet -f connector.json --pool 20", "other limits; an absent secret stays"],
    ["skep workspace update fleet --desired stopped", "keep its record and its data, and run nothing"],
    ["skep workspace webhook add fleet ops https://hooks.example.com/x", "where its rules may post to"],
    ["skep workspace scaling fleet --enable --messages 2000", "more room above 2,000 messages a second"],
    ["skep workspace scaling fleet --dry-run", "what its policy would do now, and why"],
    ["skep workspace metrics fleet", "what it does at present"],
    ["skep workspace restart fleet", "its host tears it down and begins it anew"],
    ["skep workspace token fleet --topic devices/+/telemetry/# --for 8h", "what a program opens sockets with"],
    ["skep workspace logs fleet -f", "what its host logs about it"],
    ["skep workspace migrate fleet --to standalone --dry-run", "what moving it would do"],
    ["skep workspace migrate fleet --to standalone", "move it while its devices send; it says how far it is"],
    ["skep workspace migrate fleet --abort", "have it go back to where it was"],
    ["skep workspace drop fleet", "remove it; its data stays"],
    ["skep workspace drop fleet --data", "remove it with its database and its files"],
    ["skep workspace plan --devices 30000 --messages 5000000", "which mode fits, and what it takes"],
  ]);
  setupCreate(command, io);
  setupReading(command, io);
  setupChanges(command, io);
  setupWebhooks(command, io);
  setupAccess(command, io);
  setupScaling(command, io);
  setupMove(command, io);
};

function setupCreate(command: Command, io: Io): void {
  const create = connectorOptions(command.command("create").summary("Create a workspace."))
    .argument("[id]", "its id, which stands at the front of its topics")
    .addOption(new Option("--mode <MODE>", "whether it shares its host").choices(["shared", "standalone"]))
    .option("--name <NAME>", "its name, for people");
  act(strategyOption(purposeOptions(create)), io, async (session, options: CreateOptions, id: string | undefined) => {
    const { connector, secret } = newConnector(io, id, options);
    const purpose = purposeOf(options);
    const { workspace: made } = await session.api.workspaces.createWorkspace({
      ...{ tenantId: session.tenant, connector, strategy: strategyOf(options.strategy), idempotencyKey: newKey() },
      ...(purpose === undefined ? {} : { purpose }),
    });
    if (made === undefined) return;
    print(
      session,
      () => ({ ...(messageJson(WorkspaceSchema, made) as object), ...(secret === undefined ? {} : { secret }) }),
      () =>
        renderWorkspaces(session, [made]) +
        (secret === undefined ? "" : `\nIts secret, which nobody can show again: ${secret}\n`),
    );
  });
}

function setupReading(command: Command, io: Io): void {
  const list = command.command("list").alias("ls").summary("List workspaces.").option("--all", "of every tenant");
  act(list, io, async (session, options: { readonly all?: boolean }) => {
    const tenantId = options.all === true ? "" : session.tenant;
    const found = await allPages(
      pageToken => session.api.workspaces.listWorkspaces({ tenantId, pageSize: 500, pageToken }),
      page => page.workspaces,
    );
    print(
      session,
      () => listJson(WorkspaceSchema, found),
      () => renderWorkspaces(session, found),
    );
  });
  const one = command.command("show").summary("Show one workspace.").argument("<id>", "the workspace");
  act(one, io, async (session, _options: object, workspaceId: string) => {
    const { workspace: found } = await session.api.workspaces.getWorkspace({ workspaceId });
    const container = await session.api.containers.getContainerStatus({ containerId: workspaceId });
    if (found !== undefined) show(session, found, container);
  });
  const plan = purposeOptions(command.command("plan").summary("Say which mode fits, and what a fleet takes."))
    .option("--devices <N>", "how many devices", wholeNumber(100_000_000), 0)
    .option("--messages <N>", "messages of all devices in a day", wholeNumber(100_000_000_000_000), 0)
    .option("--connections <N>", "connections at once", wholeNumber(100_000_000), 0);
  act(plan, io, async (session, options: PlanOptions) => {
    const { devices, messages, connections } = options;
    const purpose = purposeOf(options);
    const answer = await session.api.workspaces.previewWorkspace({
      fleet: { devices, messagesPerDay: BigInt(messages), connections },
      ...(purpose === undefined ? {} : { purpose }),
    });
    print(
      session,
      () => messageJson(PreviewWorkspaceResponseSchema, answer),
      () => renderPlan(answer),
    );
  });
}

function setupChanges(command: Command, io: Io): void {
  const update = connectorOptions(command.command("update").summary("Change what is wanted of a workspace."))
    .argument("<id>", "the workspace")
    .option("--pool <N>", "connections to its database", wholeNumber(1_000))
    .addOption(new Option("--desired <STATE>", "whether it runs").choices(["run", "stopped"]));
  act(strategyOption(purposeOptions(update)), io, async (session, options: UpdateOptions, workspaceId: string) => {
    const connector = changedConnector(io, options);
    const { workspace: known } = await session.api.workspaces.getWorkspace({ workspaceId });
    const purpose = purposeOf(options, known?.purpose);
    const { workspace: changed } = await session.api.workspaces.updateWorkspace({
      ...{ workspaceId, idempotencyKey: newKey(), strategy: strategyOf(options.strategy) },
      ...(known === undefined ? {} : { resourceVersion: known.resourceVersion }),
      ...(connector === undefined ? {} : { connector }),
      ...(purpose === undefined ? {} : { purpose }),
      ...(options.pool === undefined ? {} : { databasePoolSize: options.pool }),
      ...(options.desired === undefined ? {} : { desired: DESIRED[options.desired] }),
    });
    if (changed !== undefined) show(session, changed);
  });
  const restart = command.command("restart").summary("Begin a workspace anew.").argument("<id>", "the workspace");
  act(restart, io, async (session, _options: object, workspaceId: string) => {
    const request = { workspaceId, idempotencyKey: newKey() };
    const { workspace: changed } = await session.api.workspaces.restartWorkspace(request);
    print(
      session,
      () => (changed === undefined ? {} : messageJson(WorkspaceSchema, changed)),
      () => `${workspaceId}: restarts\n`,
    );
  });
  const drop = command
    .command("drop")
    .summary("Remove a workspace.")
    .argument("<id>", "the workspace")
    .option("--data", "remove its database, its files and the volumes of its pod as well, once and for all");
  act(drop, io, async (session, { data: removeData = false }: { readonly data?: boolean }, workspaceId: string) => {
    const request = { workspaceId, removeData, idempotencyKey: newKey() };
    const dropped = await session.api.workspaces.deleteWorkspace(request);
    print(
      session,
      () => messageJson(DeleteWorkspaceResponseSchema, dropped),
      () => [`${workspaceId}: leaves; its record goes once no host has it`, ...dropped.data, ""].join("\n"),
    );
  });
}

const DESIRED = { run: WorkspaceDesired.RUN, stopped: WorkspaceDesired.STOPPED } as const;

function connectorOptions(command: Command): Command {
  return command
    .option("-f, --file <FILE>", "its connector, as JSON or YAML (`-` for standard input)")
    .option("--secret-file <FILE>", "the file that has its secret");
}

function show(session: Session, one: Workspace, container?: GetContainerStatusResponse): void {
  print(
    session,
    () => messageJson(WorkspaceSchema, one),
    () => renderWorkspace(one, container),
  );
}
