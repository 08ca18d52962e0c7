import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { TenantSchema } from "@skep/api/gen/skep/v1/tenant_pb.ts";
import type { Quota, Tenant } from "@skep/api/gen/skep/v1/tenant_pb.ts";
import { Problems } from "../compose/problems.ts";
import { readBytes, readCores } from "../compose/values.ts";
import { listJson, messageJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { bytes, cores } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { newKey } from "../session/change.ts";
import { allPages } from "../session/pages.ts";
import type { Setup } from "./command.ts";

interface Bounds {
  readonly instances?: number;
  readonly cpus?: bigint;
  readonly memory?: bigint;
}

/** `skep tenant`. */
export const tenant: Setup = (command, io) => {
  examples(command, [
    ["skep tenant create acme --instances 20 --cpus 8 --memory 16G", "a tenant with bounds"],
    ["skep tenant list", "every tenant and its bounds"],
    ["skep tenant quota acme --memory 32G", "other bounds; those not named end"],
    ["skep tenant rm acme", "remove one without deployments"],
  ]);
  const create = bounds(command.command("create").summary("Create a tenant.").argument("<name>", "its name"));
  act(create, io, async (session, options: Bounds, tenantId: string) => {
    const quota = toQuota(options);
    const made = await session.api.tenants.createTenant({ tenantId, quota, idempotencyKey: newKey() });
    if (made.tenant !== undefined) show(session, made.tenant);
  });
  const quota = bounds(command.command("quota").summary("Replace a tenant's bounds.").argument("<name>", "the tenant"));
  act(quota, io, async (session, options: Bounds, tenantId: string) => {
    const request = { tenantId, quota: toQuota(options), idempotencyKey: newKey() };
    const made = await session.api.tenants.updateTenant(request);
    if (made.tenant !== undefined) show(session, made.tenant);
  });
  act(command.command("list").alias("ls").summary("List tenants."), io, async session => {
    const found = await allPages(
      pageToken => session.api.tenants.listTenants({ pageSize: 500, pageToken }),
      page => page.tenants,
    );
    print(
      session,
      () => listJson(TenantSchema, found),
      () => renderTenants(found),
    );
  });
  const remove = command.command("rm").summary("Remove a tenant without deployments.").argument("<name>", "the tenant");
  act(remove, io, async (session, _options: object, tenantId: string) => {
    await session.api.tenants.deleteTenant({ tenantId, idempotencyKey: newKey() });
    print(
      session,
      () => ({}),
      () => `${tenantId}: is removed\n`,
    );
  });
};

function bounds(command: Command): Command {
  return command
    .option("--instances <N>", "most instances", parseInstances)
    .option("--cpus <CORES>", "most cores of all limits together, like 8 or 0.5", parseCpus)
    .option("--memory <AMOUNT>", "most memory of all limits together, like 16G", parseMemory);
}

function toQuota({ instances, cpus, memory }: Bounds): Omit<Quota, "$typeName"> {
  return {
    ...(instances === undefined ? {} : { instances }),
    ...(cpus === undefined ? {} : { cpuMillis: cpus }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
  };
}

function show(session: Parameters<typeof print>[0], made: Tenant): void {
  print(
    session,
    () => messageJson(TenantSchema, made),
    () => renderTenants([made]),
  );
}

function renderTenants(tenants: readonly Tenant[]): string {
  const rows = tenants.map(({ id, quota }) => [
    id,
    quota?.instances === undefined ? "-" : String(quota.instances),
    quota?.cpuMillis === undefined ? "-" : cores(Number(quota.cpuMillis)),
    quota?.memoryBytes === undefined ? "-" : bytes(Number(quota.memoryBytes)),
  ]);
  const right = "right" as const;
  return renderTable(
    [
      { heading: "TENANT" },
      { heading: "INSTANCES", align: right },
      { heading: "CPUS", align: right },
      { heading: "MEMORY", align: right },
    ],
    rows,
  );
}

function parseInstances(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("Write a whole number.");
  return value;
}

function parseCpus(text: string): bigint {
  return parseWith(readCores, text);
}

function parseMemory(text: string): bigint {
  return parseWith(readBytes, text);
}

/** Reads an amount as a Compose file writes it. */
function parseWith(read: typeof readCores, text: string): bigint {
  const problems = new Problems();
  const at = { source: { name: "", folder: "", variables: {} }, line: 1, column: 1 };
  const spot = { kind: "scalar" as const, at, path: "", value: text };
  const value = read(spot, problems);
  if (value === undefined) throw new InvalidArgumentError(problems.issues()[0]?.advice ?? "");
  return BigInt(value);
}
