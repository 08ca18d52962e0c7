import type { Failure } from "./kernel/kernel.ts";
import type { Step } from "./plan/step.ts";
import type { Fault } from "./state/fault.ts";
import type { NetPeer, NetState } from "./state/net-state.ts";
import { formatBlock } from "@skep/core/network/block.ts";
import { linkName } from "./plan/names.ts";

/** What failed steps mean to those whom they concern; of several of one sandbox the first. */
export function faultsOf(failures: readonly Failure[], state: NetState): readonly Fault[] {
  const faults = failures.map(failure => faultOf(failure, state));
  const seen = new Set<string>();
  return faults.filter(({ instanceId, epoch, nodeId, message }) => {
    const key = instanceId === undefined ? `${nodeId} ${message}` : `${instanceId} ${epoch}`;
    return !seen.has(key) && seen.add(key);
  });
}

function faultOf({ step, because }: Failure, state: NetState): Fault {
  const copy = copyOf(step, state);
  if (copy !== undefined) {
    const { instanceId, epoch } = copy;
    const message = `Instance ${instanceId} (epoch ${epoch}) could not be put into the network: ${because}. Where its sandbox is gone, the agent makes another one.`;
    return { reason: "attachment-failed", instanceId, epoch, message };
  }
  const peer = peerOf(step, state);
  if (peer !== undefined) {
    const { nodeId, address, way } = peer;
    const advice = way === "direct" ? "a plain route needs both nodes on one link; elsewhere choose `vxlan`" : "";
    const message = `There is no way to node ${nodeId} (${address}, ${way}): ${because}${advice && `; ${advice}`}.`;
    return { reason: "peer-failed", nodeId, message };
  }
  if (step.kind === "start-forwarding") {
    const message = `The node forwards no packets (${because}): set net.ipv4.ip_forward=1 on it.`;
    return { reason: "no-forwarding", message };
  }
  return { reason: "kernel", message: `The kernel refused a step (${step.kind}): ${because}.` };
}

function copyOf(step: Step, { attachments }: NetState) {
  if ("link" in step) return step.link.copy;
  const device =
    step.kind === "put-route" ? step.route.device : step.kind === "put-neighbour" ? step.neighbour.device : undefined;
  return attachments.find(one => linkName(one) === device);
}

function peerOf(step: Step, { peers }: NetState): NetPeer | undefined {
  if (step.kind === "put-route") return peers.find(peer => formatBlock(peer.block) === step.route.to);
  return step.kind === "put-tunnel-end" ? peers.find(peer => peer.address === step.to) : undefined;
}
