import { createWake } from "@skep/kit/wake.ts";
import { createOutage } from "./outage.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** A scheduler that was seen lately. */
export interface SeenReplica {
  readonly name: string;
  readonly version: string;
  readonly leading: boolean;
  readonly seenAt: number;
}

/** Tells the other schedulers that this one lives, and knows what they told. */
export interface Replicas extends Running {
  seen(): readonly SeenReplica[];
  /** Tells at once, because this one began or ceased to lead. */
  tell(): void;
}

/** Begins to tell, every 5 s. */
export function createReplicas(
  ports: LoopPorts,
  self: () => { readonly name: string; readonly version: string; readonly leading: boolean },
): Replicas {
  const { store, clock } = ports;
  const outage = createOutage("replicas", ports);
  let seen: readonly SeenReplica[] = [];
  const wake = createWake(
    async () => {
      const all = await store.tellReplica(self());
      outage.succeeded();
      seen = all.map(({ agoMs, ...rest }) => ({ ...rest, seenAt: clock.now() - agoMs }));
    },
    { minGapMs: 1_000, periodMs: 5_000 },
    clock,
    error => wake.at(clock.now() + outage.failed(error)),
  );
  wake.hint();
  return {
    seen: () => {
      const { name, version, leading } = self();
      const others = seen.filter(one => one.name !== name);
      return [...others, { name, version, leading, seenAt: clock.now() }].toSorted((a, b) =>
        a.name < b.name ? -1 : 1,
      );
    },
    tell: () => wake.hint(),
    close: () => wake.close(),
  };
}
