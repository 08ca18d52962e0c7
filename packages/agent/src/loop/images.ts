import type { Log } from "@skep/kit/log.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Engine } from "../engine/engine.ts";
import type { AuthSource } from "./registry-auth.ts";

/** Brings images to the node. */
export interface Images {
  /**
   * Pulls the image; callers that want the same image at the same time share one pull.
   * @throws EngineError as the engine's `pull`.
   */
  pull(image: string): Promise<void>;
  /** How far a pull has come, `pulling nginx:1: 45 %`; `undefined` while none runs. */
  progressOf(image: string): string | undefined;
}

/** A line of progress at most this often: for people, not for a plot. */
const LINE_EVERY_MS = 5_000;
/** Progress is news when it moved by so much; each news is a report. */
const STEP_PERCENT = 5;

/** Makes the images over an engine; `onProgress` is called when what `progressOf` says has changed. */
export function createImages(deps: {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly auth: AuthSource;
  readonly onProgress: () => void;
}): Images {
  const { engine, clock, log, auth, onProgress } = deps;
  const pulls = new Map<string, { readonly done: Promise<void>; percent: number | undefined }>();

  async function pull(image: string): Promise<void> {
    const startedAt = clock.monotonic();
    let saidAt = startedAt;
    log.info("image.pulling", `Pulling ${image}.`, { image });
    await engine.pull(image, auth(image), ({ share }) => {
      const entry = pulls.get(image);
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
  }

  return {
    pull: image => {
      const running = pulls.get(image);
      if (running !== undefined) return running.done;
      const done = pull(image).finally(() => pulls.delete(image));
      pulls.set(image, { done, percent: undefined });
      return done;
    },
    progressOf: image => {
      const entry = pulls.get(image);
      if (entry === undefined) return undefined;
      return entry.percent === undefined ? `pulling ${image}` : `pulling ${image}: ${entry.percent} %`;
    },
  };
}
