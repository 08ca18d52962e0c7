import type Docker from "dockerode";
import type { Calls } from "./docker-calls.ts";
import type { SwarmNodeUpdate, SwarmNodeView } from "./engine.ts";
import { engineErrorCode } from "./errors.ts";

const DEADLINE_MS = 10_000;

/** A node as Swarm's API writes it; only what is read here. */
interface RawNode {
  readonly ID?: string;
  readonly Version?: { readonly Index?: number };
  readonly Spec?: {
    readonly Role?: string;
    readonly Availability?: string;
    readonly Labels?: Readonly<Record<string, string>>;
  };
  readonly Description?: { readonly Hostname?: string };
  readonly Status?: { readonly State?: string; readonly Addr?: string };
  readonly ManagerStatus?: { readonly Addr?: string };
}

/** The Swarm's nodes; `undefined` where this engine is no manager, which it says with 503. */
export async function listSwarmNodes(docker: Docker, calls: Calls): Promise<readonly SwarmNodeView[] | undefined> {
  try {
    const nodes = await calls.call({ deadlineMs: DEADLINE_MS }, abortSignal => docker.listNodes({ abortSignal }));
    return (nodes ?? []).map(node => toView(node as RawNode));
  } catch (error) {
    if (engineErrorCode(error) === "unavailable") return undefined;
    throw error;
  }
}

/** Changes availability and labels of a node, based on the version it has now. */
export async function updateNode(docker: Docker, calls: Calls, update: SwarmNodeUpdate): Promise<void> {
  const node = docker.getNode(update.nodeId);
  await calls.call({ deadlineMs: DEADLINE_MS }, async abortSignal => {
    const raw = (await node.inspect({ abortSignal })) as RawNode;
    const kept = Object.entries(raw.Spec?.Labels ?? {}).filter(([key]) => !update.removeLabels.includes(key));
    await node.update({
      ...raw.Spec,
      Labels: { ...Object.fromEntries(kept), ...update.addLabels },
      Availability: update.availability ?? raw.Spec?.Availability,
      version: raw.Version?.Index,
      abortSignal,
    });
  });
}

function toView(node: RawNode): SwarmNodeView {
  const availability = node.Spec?.Availability;
  // A manager sees itself at 0.0.0.0; its address among managers is the one that others reach.
  const asManager = node.ManagerStatus?.Addr?.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  const address = node.Status?.Addr === "0.0.0.0" ? asManager : node.Status?.Addr;
  return {
    nodeId: node.ID ?? "",
    hostname: node.Description?.Hostname ?? "",
    role: node.Spec?.Role === "manager" ? "manager" : "worker",
    availability: availability === "pause" || availability === "drain" ? availability : "active",
    state: node.Status?.State ?? "unknown",
    address: address ?? "",
    labels: node.Spec?.Labels ?? {},
    versionIndex: node.Version?.Index ?? 0,
  };
}
