import { SkepError } from "@skep/core/error.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { Limits } from "@skep/core/model/resources.ts";
import type { Io } from "../io.ts";
import { readComposeFiles } from "./compose-file.ts";
import type { ComposeOptions, ReadProject } from "./compose-file.ts";
import type { Session } from "./open.ts";
import { patiently } from "./transient.ts";

/**
 * Reads Compose files with the platform's own limits for what says none. The platform is asked once
 * the files are known to have no fault, so that faults are told at once though it is away.
 * @throws SkepError as `readComposeFiles`, or why the platform did not answer in `forMs`.
 */
export async function readForPlatform(
  session: Session,
  services: readonly string[],
  options: ComposeOptions,
  forMs: number,
): Promise<ReadProject> {
  const input = once(() => session.io.readInput());
  const io = { ...session.io, readInput: input };
  const read = (limits: Limits, over: Partial<Io> = {}) =>
    readComposeFiles({ ...io, ...over }, services, options, limits);
  const isFaulty = (): boolean => {
    try {
      read(DEFAULT_RESOURCES, { err: () => undefined });
      return false;
    } catch {
      return true;
    }
  };
  if (isFaulty()) return read(DEFAULT_RESOURCES);
  return read(await patiently(session.io, forMs, () => askLimits(session)));
}

/** Standard input can be read once. */
function once<T>(read: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => (found ??= { value: read() }).value;
}

/** A platform from before they could be set has those of core. */
async function askLimits({ api }: Session): Promise<Limits> {
  try {
    const { cpuMillis, memoryBytes, pids } = await api.deployments.getDefaultLimits({});
    return { cpuMillis, memoryBytes: Number(memoryBytes), pids };
  } catch (error) {
    if (error instanceof SkepError && error.code === "unimplemented") return DEFAULT_RESOURCES;
    throw error;
  }
}
