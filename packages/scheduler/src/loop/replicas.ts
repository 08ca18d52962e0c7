import type { Replica } from "../store/store.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** A scheduler that was seen lately. */
export interface SeenReplica extends Omit<Replica, "agoMs"> {
  readonly seenAt: number;
}

/** Tells the other schedulers that this one lives, and keeps what they told. */
export interface Replicas extends Running {
  seen(): readonly SeenReplica[];
  /** Whether the leader moves nothing: as it last told, where it is another one. */
  frozen(): boolean;
  /** Tells at once, because this one began or ceased to lead, or to move nothing. */
  tell(): void;
}

/** Begins to tell, every 5 s. */
export function createReplicas(ports: LoopPorts, self: () => Omit<Replica, "agoMs">): Replicas {
  const { store, clock, loops } = ports;
  let seen: readonly SeenReplica[] = [];
  const loop = loops.begin(
    "replicas",
    async () => {
      const all = await store.tellReplica(self());
      seen = all.map(({ agoMs, ...rest }) => ({ ...rest, seenAt: clock.now() - agoMs }));
    },
    { minGapMs: 1_000, periodMs: 5_000 },
  );
  loop.hint();
  const present = (): readonly SeenReplica[] => {
    const me = self();
    const others = seen.filter(one => one.name !== me.name);
    return [...others, { ...me, seenAt: clock.now() }].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  };
  return {
    seen: present,
    // A leader that died still stands there for a minute: the one that told last is the one that
    // leads.
    frozen: () =>
      present()
        .filter(one => one.leading)
        .toSorted((a, b) => b.seenAt - a.seenAt)[0]?.frozen ?? false,
    tell: () => loop.hint(),
    close: () => loop.close(),
  };
}
