import type { Log } from "@skep/kit/log.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Engine } from "../engine/engine.ts";
import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import { createImageRights } from "./image-rights.ts";
import type { KeptSet } from "./memo.ts";
import type { Credentials, Registries } from "./registry-auth.ts";

/** Brings images to the node. */
export interface Images {
  /**
   * Pulls the image with the tenant's rights; tenants that pull as the same user share one pull at
   * a time.
   * @throws EngineError as the engine's `pull`.
   */
  pull(image: string, tenantId: string): Promise<void>;
  /**
   * What of these instances must be pulled with its tenant's own rights though it is here; see
   * `ImageRights`.
   */
  withheld(instances: readonly AssignedInstance[]): readonly string[];
  /** How far a pull has come, `pulling nginx:1: 45 %`; `undefined` while none runs. */
  progressOf(image: string): string | undefined;
}

/** A line of progress at most this often: for people, not for a plot. */
const LINE_EVERY_MS = 5_000;
/** Progress is news when it moved by so much; each news is a report. */
const STEP_PERCENT = 5;

interface Pull {
  readonly image: string;
  readonly done: Promise<string>;
  percent: number | undefined;
}

/**
 * Makes the images over an engine; `onProgress` is called when what `progressOf` says has changed.
 */
export function createImages(deps: {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly registries: Registries;
  /** What the registries answered before. */
  readonly kept: KeptSet;
  readonly onProgress: () => void;
}): Images {
  const { engine, clock, log, registries, kept, onProgress } = deps;
  const rights = createImageRights(kept, registries);
  const pulls = new Map<string, Pull>();

  async function pull(key: string, image: string, credentials: Credentials | undefined): Promise<string> {
    const startedAt = clock.monotonic();
    let saidAt = startedAt;
    log.info("image.pulling", `Pulling ${image}.`, { image });
    const digest = await engine.pull(image, credentials?.auth, ({ share }) => {
      const entry = pulls.get(key);
      const percent = share === undefined ? undefined : Math.floor((share * 100) / STEP_PERCENT) * STEP_PERCENT;
      if (entry === undefined || percent === undefined || percent <= (entry.percent ?? 0)) return;
      entry.percent = percent;
      onProgress();
      if (clock.monotonic() - saidAt < LINE_EVERY_MS) return;
      saidAt = clock.monotonic();
      log.info("image.progressed", `Pulling ${image}: ${percent} %.`, { image, percent });
    });
    const durationMs = Math.round(clock.monotonic() - startedAt);
    log.info("image.pulled", `Pulled ${image} in ${durationMs} ms.`, { image, durationMs });
    return digest;
  }

  return {
    pull: async (image, tenantId) => {
      const credentials = registries.find(image, tenantId);
      const isOwn = credentials?.isOwn === true;
      const key = isOwn ? `${tenantId} ${image}` : image;
      let running = pulls.get(key);
      if (running === undefined) {
        const done = pull(key, image, credentials).finally(() => pulls.delete(key));
        running = { image, done, percent: undefined };
        pulls.set(key, running);
      }
      rights.granted(tenantId, image, await running.done, isOwn);
    },
    withheld: instances => rights.withheld(instances),
    progressOf: image => {
      const entry = [...pulls.values()].find(one => one.image === image);
      if (entry === undefined) return undefined;
      return entry.percent === undefined ? `pulling ${image}` : `pulling ${image}: ${entry.percent} %`;
    },
  };
}
