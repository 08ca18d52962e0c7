import { after } from "../plan/after.ts";
import { EMPTY_PLANE, type Plane } from "../plan/plane.ts";
import type { Step } from "../plan/step.ts";
import { EMPTY_SURVEY, type Survey } from "../plan/survey.ts";
import type { Failure, Kernel } from "./kernel.ts";

/** The twin, and what its tests may do behind its user's back. */
export interface MemoryKernel extends Kernel {
  plane: Plane;
  survey: Survey;
  /** Namespaces that can be opened. */
  readonly namespaces: Set<string>;
  /** Ends a namespace; its link goes with it. */
  end(namespace: string): void;
  /** Every step that worked, in order. */
  readonly taken: Step[];
  /** Why a step fails; `undefined` for one that works. */
  refuse: (step: Step) => string | undefined;
  /** Tells those who watch. */
  stir(): void;
}

/** A node in memory, without anything of ours. */
export function createMemoryKernel(namespaces: Iterable<string> = []): MemoryKernel {
  const watchers = new Set<() => void>();
  const kernel: MemoryKernel = {
    plane: EMPTY_PLANE,
    survey: EMPTY_SURVEY,
    namespaces: new Set(namespaces),
    taken: [],
    refuse: () => undefined,
    end: namespace => {
      kernel.namespaces.delete(namespace);
      const links = [...kernel.plane.links.values()].filter(link => link.netns === namespace);
      kernel.plane = after(
        kernel.plane,
        links.map(({ name }) => ({ kind: "remove-link", name })),
      );
      kernel.stir();
    },
    stir: () => {
      for (const each of watchers) each();
    },
    look: async () => ({ plane: kernel.plane, survey: kernel.survey }),
    carryOut: async steps => {
      const failures: Failure[] = [];
      for (const step of steps) {
        const because = kernel.refuse(step) ?? whyNot(kernel, step);
        if (because !== undefined) failures.push({ step, because });
        else {
          kernel.plane = after(kernel.plane, [step]);
          kernel.taken.push(step);
          kernel.stir();
        }
      }
      return failures;
    },
    watch: onChange => {
      watchers.add(onChange);
      return { close: () => void watchers.delete(onChange) };
    },
  };
  return kernel;
}

/** What the real one refuses too. */
function whyNot({ plane, namespaces }: MemoryKernel, step: Step): string | undefined {
  switch (step.kind) {
    case "add-link":
      if (plane.links.has(step.link.name)) return "File exists";
      return namespaces.has(step.link.netns) ? undefined : `no namespace ${step.link.netns}`;
    case "set-up-inside":
    case "mark-ready":
    case "resize-link":
      return plane.links.has(step.link.name) ? undefined : `no link ${step.link.name}`;
    case "put-route":
      return isThere(plane, step.route.device) ? undefined : `no device ${step.route.device}`;
    case "put-neighbour":
      return isThere(plane, step.neighbour.device) ? undefined : `no device ${step.neighbour.device}`;
    case "change-elements":
      return whyNotElements(plane, step);
    default:
      return undefined;
  }
}

function isThere({ links, tunnel }: Plane, device: string | undefined): boolean {
  return device === undefined || links.has(device) || (tunnel !== undefined && device.includes("vxlan"));
}

function whyNotElements({ ruleset }: Plane, step: Extract<Step, { kind: "change-elements" }>): string | undefined {
  if (ruleset === undefined) return "no table";
  const isMissing = [...step.remove].some(([name, elements]) =>
    [...elements.keys()].some(element => !ruleset.sets.get(name)?.has(element)),
  );
  return isMissing ? "no such element" : undefined;
}
