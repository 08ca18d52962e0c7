import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { PodSecrets } from "@skep/core/workspace/pod-spec.ts";
import { mosquittoPassword } from "@skep/kit/mosquitto-password.ts";
import { createHash } from "node:crypto";
import type { HostTokens } from "./host-tokens.ts";

/**
 * What the pod of a workspace shows and is shown. Digests of passwords cost some work and are asked
 * for again and again, so they are remembered.
 */
export function createPodSecrets(tokens: HostTokens): (workspaceId: WorkspaceId) => Promise<PodSecrets> {
  const lines = new Map<string, string>();
  const lineOf = (user: string, password: string): string => {
    const known = lines.get(password);
    if (known !== undefined) return known;
    // The same password gives the same line, so that a pod is not made anew for it.
    const salt = createHash("sha256").update(`salt of ${password}`).digest().subarray(0, 12);
    const line = mosquittoPassword(user, password, salt);
    lines.set(password, line);
    return line;
  };
  return async workspaceId => {
    const host = await tokens.workspaceSecret(workspaceId);
    const broker = await tokens.brokerPassword(workspaceId, "host");
    const gate = await tokens.brokerPassword(workspaceId, "gate");
    const files = await tokens.filesKey(workspaceId);
    return { host, broker, files, passwords: `${lineOf("gate", gate)}\n${lineOf("host", broker)}\n` };
  };
}
