import { isWaiting } from "../output/condition.ts";
import { tenantOf } from "@skep/core/model/instance-id.ts";
import type { Command, Option } from "commander";
import type { Deployment } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import type { WatchDeploymentsResponse } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { watch } from "@skep/sdk/watch.ts";
import { ageOption } from "./age.ts";
import { colour } from "../output/colour.ts";
import { createLive } from "../output/live.ts";
import type { Session } from "./open.ts";

/** Options of every command that waits until a change has come true. */
export interface WaitOptions {
  readonly wait: boolean;
  /** How long to wait, in ms. */
  readonly timeout: number;
}

/** Adds them. */
export function waitOptions(command: Command): Command {
  return command.option("--no-wait", "answer when the change is recorded").addOption(timeoutOption("3m"));
}

/** `--timeout`, with a default. */
export function timeoutOption(byDefault: string): Option {
  return ageOption("--timeout <TIME>", "how long to wait, like 90s or 5m", byDefault);
}

/**
 * Shows how deployments converge, until every replica runs and is healthy. Outages of the platform
 * are waited out.
 * @throws SkepError `deadline_exceeded` `NOT_CONVERGED` with what each one lacks, in the platform's
 * own words.
 */
export async function waitFor(
  session: Session,
  wanted: readonly Deployment[],
  options: WaitOptions,
): Promise<readonly Deployment[]> {
  const latest = new Map(wanted.map(deployment => [deployment.id, deployment]));
  if (!options.wait || wanted.length === 0) return wanted;
  const pending = new Map(wanted.map(deployment => [deployment.id, deployment.resourceVersion]));
  const live = createLive(session.io);
  const show = (): void => {
    if (!session.json)
      live.show(new Map([...latest].map(([id, deployment]) => [id, progressLine(session, deployment)])));
  };
  const signal = AbortSignal.any([session.io.signal, AbortSignal.timeout(options.timeout)]);
  const take = (deployment: Deployment): void => {
    const version = pending.get(deployment.id);
    if (version === undefined || deployment.resourceVersion < version) return;
    latest.set(deployment.id, deployment);
    if (deployment.status?.converged === true) pending.delete(deployment.id);
    show();
  };
  show();
  try {
    await follow(session, [...pending.keys()], signal, take, pending);
  } finally {
    live.end();
  }
  if (session.io.signal.aborted)
    session.io.err("skep: no longer waiting. The change is recorded and is carried out all the same.\n");
  else if (pending.size > 0)
    throw notConverged(
      [...pending.keys()].map(id => latest.get(id)),
      options,
    );
  return [...latest.values()];
}

/**
 * Hears of every change until nothing is pending; a scheduler that goes away is followed by
 * another.
 */
async function follow(
  session: Session,
  ids: readonly string[],
  signal: AbortSignal,
  take: (deployment: Deployment) => void,
  pending: ReadonlyMap<string, bigint>,
): Promise<void> {
  const tenants = new Set(ids.map(tenantOf));
  const [tenantId = ""] = tenants;
  const filter = ids.length === 1 ? { deploymentId: ids[0] ?? "" } : tenants.size === 1 ? { tenantId } : {};
  const open = (_: unknown, stop: AbortSignal): AsyncIterable<WatchDeploymentsResponse> =>
    session.api.deployments.watchDeployments(filter, { signal: stop });
  for await (const { change } of watch(open, { signal, maxDelayMs: 2_000 })) {
    if (change.case === "updated") take(change.value);
    if (change.case === "deleted" && pending.has(change.value)) throw gone(change.value);
    if (pending.size === 0) return;
  }
}

/** One deployment in one line: how many are healthy, and what is missing. */
export function progressLine(session: Session, deployment: Deployment): string {
  const { id, status } = deployment;
  const done = status?.converged === true;
  const mood = done ? "good" : status?.troubles.some(one => !isWaiting(one)) === true ? "bad" : "busy";
  const sign = colour(session.io, mood, done ? "ok" : "..");
  const { healthy = 0, completed = 0, wanted = 0 } = status ?? {};
  const ended = completed > 0 ? `${completed} of ${wanted} completed` : "";
  const runs = completed < wanted || completed === 0 ? `${healthy} of ${wanted} healthy` : "";
  const words = done && wanted === 0 ? "stopped" : [runs, ended].filter(Boolean).join(", ");
  return `${sign} ${id}  ${words}${status?.message ? `  ${status.message}` : ""}`;
}

function notConverged(deployments: readonly (Deployment | undefined)[], options: WaitOptions): SkepError {
  const found = deployments.filter(one => one !== undefined);
  return new SkepError(
    "deadline_exceeded",
    "NOT_CONVERGED",
    `After ${Math.round(options.timeout / 1000)} s ${found.length === 1 ? "one deployment is" : `${found.length} deployments are`} not as wanted. ` +
      "The platform goes on trying; `skep apps` shows how far it is:",
    {
      issues: found.flatMap(({ id, status }) => {
        const troubles = status?.troubles ?? [];
        if (troubles.length === 0) return [{ path: id, problem: status?.message ?? "", advice: "" }];
        return troubles.map(({ instanceId, sentence, advice }) => ({ path: instanceId, problem: sentence, advice }));
      }),
    },
  );
}

function gone(id: string): SkepError {
  return new SkepError(
    "not_found",
    "REMOVED_MEANWHILE",
    `${id} was removed by somebody else while this command waited for it.`,
  );
}
