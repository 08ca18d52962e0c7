import type { Step } from "@skep/core/converge/step.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { EngineEvent } from "../engine/engine.ts";

/**
 * Tells the events that a step of the agent's own brings about from all others. They are no news,
 * since the end of the step is a reason to look anyway; without this each start costs three looks,
 * while the engine has more to do than ever.
 */
export interface Echoes {
  begin(step: Step): void;
  end(step: Step, isDone: boolean): void;
  /**
   * Whether the event only says that a create or a start of ours was carried out. Each of them has
   * one such event.
   */
  isEcho(event: EngineEvent): boolean;
}

interface Expected {
  readonly step: Step;
  readonly action: "create" | "start" | "rename";
  /** The container that is started or renamed, or the instance of which one is made. */
  readonly about: string;
  until: number;
}

/**
 * An engine tells of a start up to this much later than it answers; what comes after it is somebody
 * else's doing.
 */
const LATE_MS = 1_000;

/** Makes it; nothing is expected yet. */
export function createEchoes(clock: Clock): Echoes {
  let expected: readonly Expected[] = [];

  return {
    begin: step => {
      const echo = echoOf(step);
      expected = expected.filter(one => one.until > clock.monotonic());
      if (echo !== undefined) expected = [...expected, { ...echo, step, until: Infinity }];
    },
    end: (step, isDone) => {
      const until = isDone ? clock.monotonic() + LATE_MS : 0;
      for (const one of expected) if (one.step === step) one.until = until;
    },
    isEcho: ({ action, containerId, instanceId }) => {
      const echo = expected.find(
        one =>
          one.action === action &&
          one.about === (action === "create" ? instanceId : containerId) &&
          one.until > clock.monotonic(),
      );
      expected = expected.filter(one => one !== echo);
      return echo !== undefined;
    },
  };
}

function echoOf(step: Step): Pick<Expected, "action" | "about"> | undefined {
  switch (step.kind) {
    case "create-sandbox":
    case "create-container":
      return { action: "create", about: step.instance.instanceId };
    case "start-container":
      return { action: "start", about: step.containerId };
    case "take-sandbox":
      return { action: "rename", about: step.containerId };
    case "make-warm":
      return { action: "create", about: "" };
    case "remove-warm":
    case "stop-container":
    case "remove-container":
    case "pull-image":
    case "create-network":
    case "remove-network":
    case "remove-volume":
      return undefined;
  }
}
