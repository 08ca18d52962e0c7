import { request } from "node:http";
import { LABEL } from "../engine/labels.ts";
import { GUARD_GRACE_MS } from "@skep/core/model/lease.ts";
import type { Ender } from "./ender.ts";

/** An answer of an engine must come within this time, beyond what the call itself takes. */
const DEADLINE_MS = 5_000;

interface Inspected {
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null };
  readonly State?: { readonly Running?: boolean };
}

/**
 * The real one. It uses plain HTTP, so that a guard is small and shares neither connections nor
 * breakers with an agent.
 */
export function createDockerEnder(socketPath: string): Ender {
  const call = async (method: string, path: string, tookMs = 0): Promise<{ status: number; text: string }> => {
    const answer = await send(socketPath, method, path, DEADLINE_MS + tookMs);
    const isSo = answer.status < 300 || answer.status === 304 || answer.status === 404;
    if (isSo) return answer;
    throw new Error(`The engine refused ${method} ${path} with ${answer.status}: ${answer.text.slice(0, 300)}`);
  };

  async function runs(containerId: string): Promise<boolean> {
    const { status, text } = await call("GET", `/containers/${containerId}/json`);
    if (status === 404) return false;
    const { Config, State } = JSON.parse(text) as Inspected;
    if (Config?.Labels?.[LABEL.instance] === undefined)
      throw new Error(`Container ${containerId} is not ours: it runs on.`);
    return State?.Running === true;
  }

  return {
    end: async containerId => {
      if (!(await runs(containerId))) return false;
      const seconds = Math.ceil(GUARD_GRACE_MS / 1_000);
      try {
        await call("POST", `/containers/${containerId}/stop?t=${seconds}`, GUARD_GRACE_MS);
      } catch (error) {
        // A stop waits for what else is done to the container; a kill does not.
        await call("POST", `/containers/${containerId}/kill`).catch(() => undefined);
        if (await runs(containerId)) throw error;
      }
      return true;
    },
  };
}

function send(
  socketPath: string,
  method: string,
  path: string,
  deadlineMs: number,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { socketPath, method, path, signal: AbortSignal.timeout(deadlineMs), agent: false as const };
    const asked = request(options, response => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => void chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}
