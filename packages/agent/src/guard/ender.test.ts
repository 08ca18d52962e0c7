import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { identityLabels } from "../engine/labels.ts";
import { MemoryEngine } from "../engine/memory.ts";
import { someFacts } from "../testing/facts.ts";
import { settle } from "../testing/rig.ts";
import { enderContract } from "./ender.contract.ts";
import { createMemoryEnder } from "./memory-ender.ts";

const OURS = identityLabels({
  ...{ tenantId: "acme", deploymentId: "acme.web", instanceId: "acme.web.1", epoch: 1, release: 1 },
  ...{ container: "app", role: "app", specHash: "h", isExclusive: false },
});

enderContract("the twin in memory", async () => {
  const clock = createVirtualClock(1_700_000_000_000);
  const engine = new MemoryEngine({ clock, facts: someFacts(), registry: new Set() });
  return {
    ender: createMemoryEnder(engine),
    runOurs: async () => engine.plant(OURS),
    runForeign: async () => engine.plant({ some: "label" }),
    isRunning: async id => engine.containers().some(one => one.id === id && one.state === "running"),
    within: promise => settle({ clock }, promise),
    close: async () => undefined,
  };
});
