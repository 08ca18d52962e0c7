import type { Bug } from "./bug.ts";

const DEPENDENCIES = "packages/core/src/passes/dependencies.ts";
const NODE_SLOTS = "packages/core/src/placement/node-slots.ts";

/** Bugs in what waits for what, in jobs, and in what runs on each node. */
export const ORDER_BUGS: readonly Bug[] = [
  {
    name: "order-waits-for-nobody",
    breaks: "A first start does not wait for what it depends on.",
    edits: [
      {
        file: DEPENDENCIES,
        find: "if (mates.some(mate => mate.epoch > 0)) return;",
        replace: "if (mates.length >= 0) return;",
      },
    ],
    found: /begins before/,
    hasProject: true,
    quick: true,
  },
  {
    name: "order-job-counts-as-complete-once-it-runs",
    breaks: "What waits for a job to complete begins when it runs.",
    edits: [
      {
        file: DEPENDENCIES,
        find: "current !== undefined && isCompleted(current);",
        replace: 'current !== undefined && (isCompleted(current) || current.state === "running");',
      },
    ],
    found: /begins before migrate is completed/,
    hasProject: true,
  },
  {
    name: "job-runs-again",
    breaks: "What is completed is placed again, as if it had ended too early.",
    edits: [
      {
        file: "packages/core/src/passes/retry.ts",
        find: 'if (isCompleted(current)) return condition !== "any";',
        replace: "if (isCompleted(current)) return false;",
      },
    ],
    found: /was completed before/,
    hasProject: true,
    quick: true,
  },
  {
    name: "job-without-bound",
    breaks: "A job starts more instances at once than it may.",
    edits: [
      {
        file: "packages/core/src/passes/deployments.ts",
        find: "const most = spec.job?.maxConcurrent ?? Infinity;",
        replace: "const most = Infinity;",
      },
    ],
    found: /of a job of which/,
    hasProject: true,
  },
  {
    name: "global-keeps-drained",
    breaks: "A node that is drained keeps its copy of a global deployment.",
    edits: [
      {
        file: NODE_SLOTS,
        find: 'if (availability === "drain") return false;',
        replace: "",
      },
    ],
    found: /not as desired/,
    hasProject: true,
  },
  {
    name: "global-on-any-node",
    breaks: "An instance of a global deployment gets onto a node whose slot is another's.",
    edits: [
      {
        file: "packages/core/src/placement/filter.ts",
        find: "nodeSlotsOf(fleet)[index] === slot",
        replace: "nodeSlotsOf(fleet)[index] === slot || slot >= 0",
      },
    ],
    found: /are both on|not as desired/,
    hasProject: true,
    quick: true,
  },
];
