import { isControlPlane } from "@skep/core/model/node.ts";
import type { Manager } from "./manager.ts";

/** The part of a Swarm node that decides what runs there. */
export interface LayoutNode {
  readonly Spec: {
    readonly Availability: string;
    readonly Role: "manager" | "worker";
    readonly Labels?: Readonly<Record<string, string>> | null;
  };
  /** Where the others reach it. */
  readonly Status?: { readonly Addr?: string };
}

interface PlacedService {
  readonly Spec: {
    readonly Name: string;
    readonly TaskTemplate: { readonly Placement?: { readonly Constraints?: readonly string[] | null } };
  };
}

/** What was chosen for a Swarm: variables of the stack file, and a sentence for each choice. */
export interface Layout {
  readonly env: Readonly<Record<string, string>>;
  readonly sentences: readonly string[];
}

const ON_MANAGERS = "node.role == manager";
const MOST_SCHEDULERS = 3;
/** Hosts of workspaces, and gates: one more than is needed, so that one may die. */
const MOST_OF_WORKSPACES = 2;

/**
 * Chooses how many schedulers, hosts and gates run, where schedulers do, and whether tenants run on
 * nodes of the control plane. What `given` has stays as it is. Where managers have room for all
 * schedulers, those go there and leave the workers to tenants. A service that runs keeps its
 * constraint (`present`), so that an update moves no scheduler; the constraint chosen here is
 * chosen anew, for managers may have left.
 */
export function chooseLayout(
  nodes: readonly LayoutNode[],
  given: Readonly<Record<string, string | undefined>>,
  present?: string,
): Layout {
  const active = nodes.filter(node => node.Spec.Availability === "active");
  const managers = active.filter(node => node.Spec.Role === "manager").length;
  // A node takes one scheduler; more than there are nodes would be waited for in vain.
  const replicas = given["SKEP_SCHEDULER_REPLICAS"] || String(Math.min(MOST_SCHEDULERS, active.length));
  const fits = managers >= Number(replicas) ? ON_MANAGERS : undefined;
  const constraint = given["SKEP_SCHEDULER_CONSTRAINT"] || (present === ON_MANAGERS ? undefined : present) || fits;
  const free = active.filter(({ Spec }) => !isControlPlane({ role: Spec.Role, labels: Spec.Labels ?? {} })).length;
  const isEverywhere = constraint !== ON_MANAGERS && Number(replicas) >= active.length;
  const tenants = given["SKEP_TENANTS_ON_MANAGERS"] || (free === 0 || isEverywhere ? "allow" : "avoid");
  const ofWorkspaces = String(Math.min(MOST_OF_WORKSPACES, active.length));
  const env = {
    SKEP_SCHEDULER_REPLICAS: replicas,
    SKEP_TENANTS_ON_MANAGERS: tenants,
    SKEP_WORKSPACE_HOSTS: given["SKEP_WORKSPACE_HOSTS"] || ofWorkspaces,
    SKEP_GATES: given["SKEP_GATES"] || ofWorkspaces,
    SKEP_WORKSPACE_API_URL: given["SKEP_WORKSPACE_API_URL"] || apiUrls(active, constraint, given),
  };
  const fleet = `${counted(managers, "manager")}, ${counted(active.length - managers, "worker")}`;
  return {
    env: constraint === undefined ? env : { ...env, SKEP_SCHEDULER_CONSTRAINT: constraint },
    sentences: [
      `${fleet}: ${schedulersSentence(constraint)}`,
      `${fleet}: ${tenantsSentence(tenants, free, isEverywhere)} (SKEP_TENANTS_ON_MANAGERS=${tenants})`,
    ],
  };
}

/** The API at each node that may have a scheduler: a pod is not on the stack's network. */
function apiUrls(
  active: readonly LayoutNode[],
  constraint: string | undefined,
  given: Readonly<Record<string, string | undefined>>,
): string {
  const port = given["SKEP_API_PUBLISHED_PORT"] || "7700";
  const having = active.filter(({ Spec }) => constraint !== ON_MANAGERS || Spec.Role === "manager");
  // A Swarm of one node may know itself by an address that leads nowhere from within a pod.
  const addresses = having.flatMap(({ Status }) => (Status?.Addr ? [Status.Addr] : []));
  const reached = addresses.filter(one => !/^(127\.|0\.0\.0\.0$|::1?$)/.test(one));
  return reached.map(one => `http://${one}:${port}`).join(",");
}

/** Chooses for the Swarm of a manager, by its present nodes and the scheduler that it may run. */
export async function layoutOf(
  manager: Manager,
  stackName: string,
  given: Readonly<Record<string, string | undefined>>,
): Promise<Layout> {
  const name = `${stackName}_scheduler`;
  const filters = encodeURIComponent(JSON.stringify({ name: [name] }));
  const services = await manager.get<readonly PlacedService[]>(`/services?filters=${filters}`);
  const running = services.find(service => service.Spec.Name === name);
  const constraints = running?.Spec.TaskTemplate.Placement?.Constraints ?? [];
  // The stack file has one; what an overlay adds is the overlay's business.
  return chooseLayout(await manager.get<readonly LayoutNode[]>("/nodes"), given, constraints[0]);
}

function schedulersSentence(constraint: string | undefined): string {
  if (constraint === ON_MANAGERS) return "schedulers run on managers";
  const where = constraint === undefined ? "any Linux node" : `nodes with ${constraint}`;
  return (
    `schedulers run on ${where}, so one may run beside tenants; ` +
    "`skep label NODE skep.control=true` keeps tenants off a node"
  );
}

function tenantsSentence(tenants: string, free: number, isEverywhere: boolean): string {
  if (tenants === "never")
    return free === 0
      ? "no node may take a tenant, for all are of the control plane: add a worker"
      : "tenants run on workers only";
  if (tenants !== "allow") return "tenants run on workers, and on a manager only where no worker can take them";
  if (free === 0) return "tenants also run on managers, for there is no other node";
  if (isEverywhere) return "tenants also run on managers, for every node has a scheduler";
  return "tenants also run on managers";
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
