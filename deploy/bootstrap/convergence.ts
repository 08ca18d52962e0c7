import { setTimeout as sleep } from "node:timers/promises";
import type { Manager } from "./manager.ts";

/** The part of a Swarm service that says how far it is. */
interface Service {
  readonly ID: string;
  readonly Spec: {
    readonly Name: string;
    readonly Mode?: { readonly Replicated?: { readonly Replicas?: number } };
  };
  readonly ServiceStatus?: { readonly RunningTasks: number; readonly DesiredTasks: number };
  readonly UpdateStatus?: { readonly State?: string; readonly Message?: string };
}

interface Task {
  readonly ServiceID: string;
  readonly Status: { readonly State: string; readonly Err?: string; readonly Timestamp: string };
}

/**
 * Waits until every service of a stack runs as many healthy tasks as it should and no update is
 * under way. `say` gets a line whenever the picture changes.
 * @throws Error after `timeoutMs`, or when Swarm gives an update up, that names the services that
 * are behind and the newest error of their tasks.
 */
export async function waitForStack(
  manager: Manager,
  stackName: string,
  timeoutMs: number,
  say: (text: string) => void,
): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.stack.namespace=${stackName}`] }));
  const deadline = performance.now() + timeoutMs;
  const beganAt = new Date().toISOString();
  let shown = "";
  for (;;) {
    const services = await manager.get<readonly Service[]>(`/v1.41/services?status=true&filters=${filters}`);
    const behind = services.filter(service => !isThere(service));
    if (services.length > 0 && behind.length === 0) return;
    const isGivenUp = behind.some(service => /paused|rollback/.test(service.UpdateStatus?.State ?? ""));
    if (isGivenUp || performance.now() > deadline)
      throw new Error(
        await whyBehind(
          manager,
          behind,
          filters,
          isGivenUp ? "gave an update up" : `is not there after ${Math.round(timeoutMs / 1000)} s`,
        ),
      );
    const picture = services
      .map(service => summary(service, stackName))
      .toSorted()
      .join(", ")
      .concat(await newestError(manager, filters, beganAt));
    if (picture !== shown) say(picture);
    shown = picture;
    await sleep(300);
  }
}

function isThere({ Spec, ServiceStatus: status, UpdateStatus: update }: Service): boolean {
  const isUpdating = update?.State !== undefined && update.State !== "completed";
  // Right after its creation a service has no tasks yet; an engine that is left out has none ever.
  const isLeftOut = Spec.Mode?.Replicated?.Replicas === 0;
  const isBegun = isLeftOut || (status?.DesiredTasks ?? 0) > 0;
  return status !== undefined && isBegun && status.RunningTasks >= status.DesiredTasks && !isUpdating;
}

function summary({ Spec, ServiceStatus: status, UpdateStatus: update }: Service, stackName: string): string {
  const name = Spec.Name.replace(`${stackName}_`, "");
  const updating = update?.State === "updating" ? " (updating)" : "";
  return `${name} ${status?.RunningTasks ?? 0}/${status?.DesiredTasks ?? 0}${updating}`;
}

/**
 * What went wrong last since then, so that nobody waits for what cannot come; empty while nothing
 * did.
 */
async function newestError(manager: Manager, filters: string, since: string): Promise<string> {
  const tasks = await manager.get<readonly Task[]>(`/tasks?filters=${filters}`);
  const error = newestErrorOf(tasks.filter(task => task.Status.Timestamp > since));
  return error === undefined ? "" : `; last error: ${error}`;
}

function newestErrorOf(tasks: readonly Task[]): string | undefined {
  const failed = tasks.filter(task => (task.Status.Err ?? "") !== "");
  return failed.toSorted((a, b) => b.Status.Timestamp.localeCompare(a.Status.Timestamp))[0]?.Status.Err;
}

async function whyBehind(manager: Manager, behind: readonly Service[], filters: string, what: string): Promise<string> {
  const tasks = await manager.get<readonly Task[]>(`/tasks?filters=${filters}`);
  const lines = behind.map(service => {
    const error = newestErrorOf(tasks.filter(task => task.ServiceID === service.ID));
    const { RunningTasks: running = 0, DesiredTasks: desired = 0 } = service.ServiceStatus ?? {};
    const said = error ?? service.UpdateStatus?.Message ?? "its tasks report no error; see docker service ps";
    return `  ${service.Spec.Name}: ${running} of ${desired} run; ${said}`;
  });
  return `the stack ${what}:\n${lines.join("\n")}\nSee \`docker service ps --no-trunc NAME\` and \`docker service logs NAME\` on a manager.`;
}
