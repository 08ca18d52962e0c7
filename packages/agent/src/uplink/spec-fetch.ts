import { decodeSpecPart, encodeSpecFetch, specFromBytes, type SpecName } from "@skep/api/codec/spec-name.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { SkepError } from "@skep/core/error.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Bus } from "@skep/kit/bus.ts";

const TIMEOUT_MS = 5_000;
/** Far beyond what the API accepts: an answer that promises more is wrong. */
const LARGEST_BYTES = 64 * 1024 * 1024;

/**
 * Asks the schedulers for a spec, part by part.
 * @throws BusError, or SkepError where the records have another spec of that release by now, or
 * none on this node.
 */
export async function fetchSpec(bus: Bus, nodeId: string, name: SpecName): Promise<DeploymentSpec> {
  const { deploymentId, release, digest } = name;
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const question = encodeSpecFetch({ nodeId, deploymentId, release, offset: size });
    const answer = await bus.request(nodeSubject("spec", nodeId), question, { timeoutMs: TIMEOUT_MS });
    const part = decodeSpecPart(answer);
    if (part.digest !== digest) throw moved(name, part.digest === "");
    parts.push(part.data);
    size += part.data.byteLength;
    if (size >= part.totalBytes) break;
    if (part.data.byteLength === 0 || part.totalBytes > LARGEST_BYTES) throw moved(name, false);
  }
  return specFromBytes(
    new Uint8Array(await new Blob(parts.map(part => new Uint8Array(part))).arrayBuffer()),
    `spec of ${deploymentId}`,
  );
}

function moved({ deploymentId, release }: SpecName, isGone: boolean): SkepError {
  const what = isGone ? "is not recorded on this node any more" : "is another one by now";
  return new SkepError("failed_precondition", "SPEC_MOVED", `release ${release} of ${deploymentId} ${what}`);
}
