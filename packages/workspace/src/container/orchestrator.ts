import type { Connector } from "@skep/core/workspace/connector.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Container } from "./container.ts";
import { createJobs } from "./jobs.ts";

/** What effects are told of a container (R102). */
export interface EffectData {
  readonly containerId: string;
  /** Its connector has changed; `connector` is the new one. */
  readonly connectorUpdated?: boolean;
  readonly connector?: Connector;
  /** Its health has changed (R129). */
  readonly healthChanged?: boolean;
  readonly isHealthy?: boolean;
}

/** Called with what happened; `dispose` takes it out again (R103). */
export type Effect = (data: EffectData, dispose: () => void) => void | Promise<void>;

/** Watches the containers of a process, and tells what happens to them (R6, R97..R101). */
export interface Orchestrator {
  readonly effect: {
    /** Registers under a name for people and a scope: a container's id, or `*` for all. */
    register(effect: Effect, name: string, scope: string): () => void;
  };
  readonly job: {
    /** Runs again and again, not before it has ended (R97). */
    register(run: () => void | Promise<void>, name: string, everyMs: number): () => void;
  };
  /** Tells of something that happened; resolves when all effects have ended. */
  emit(data: EffectData): Promise<void>;
  /** Takes a changed connector: the container's resources follow, then effects hear of it. */
  updateConnector(container: Container, connector: Connector): Promise<void>;
  /** Watches the health of a container until it is dropped (R59, R99, R129). */
  watch(container: Container): void;
  close(): Promise<void>;
}

interface Registered {
  readonly effect: Effect;
  readonly name: string;
  readonly scope: string;
}

const WATCH_MS = 1_000;

/** Makes one. What an effect or a job throws is said in the log, and ends nothing else. */
export function createOrchestrator({ clock, log }: { readonly clock: Clock; readonly log: Log }): Orchestrator {
  const effects = new Set<Registered>();
  const jobs = createJobs({ clock, log });
  const watched = new Map<Container, boolean | undefined>();

  async function tell(one: Registered, data: EffectData): Promise<void> {
    try {
      await one.effect(data, () => effects.delete(one));
    } catch (error) {
      const fields = { name: one.name, scope: one.scope, containerId: data.containerId, error };
      log.warn("effect.failed", "An effect of a container failed.", fields);
    }
  }

  async function emit(data: EffectData): Promise<void> {
    const concerned = [...effects].filter(one => one.scope === "*" || one.scope === data.containerId);
    await Promise.all(concerned.map(one => tell(one, data)));
  }

  async function look(): Promise<void> {
    for (const [container, before] of watched) {
      const isHealthy = container.isHealthyNow();
      if (isHealthy === before || container.status === "DROPPED") continue;
      watched.set(container, isHealthy);
      if (before !== undefined || !isHealthy) await emit({ containerId: container.id, healthChanged: true, isHealthy });
    }
  }

  jobs.register(look, "health", WATCH_MS);
  return {
    effect: {
      register: (effect, name, scope) => {
        const one = { effect, name, scope };
        effects.add(one);
        return () => effects.delete(one);
      },
    },
    job: { register: jobs.register },
    emit,
    updateConnector: async (container, connector) => {
      await container.update(connector);
      await emit({ containerId: container.id, connectorUpdated: true, connector });
    },
    watch: container => {
      watched.set(container, undefined);
      container.onDrop(() => watched.delete(container));
    },
    close: jobs.close,
  };
}
