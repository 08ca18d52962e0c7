import type { Bug } from "./bug.ts";

const STAGES = "packages/core/src/workspace/migration-stages.ts";
const MIGRATION = "packages/core/src/workspace/migration.ts";
const NOBODY_HAS_IT = /nobody has it/;

/** Bugs of the cut-over of a workspace that moves, and of the way back. */
export const MOVE_BUGS: readonly Bug[] = [
  {
    name: "move-drains-nothing",
    breaks: "The cut-over does not wait until nothing is left at the broker that devices have left.",
    edits: [{ file: STAGES, find: "quietMs !== undefined && quietMs >= times.quietMs", replace: "times.quietMs > 0" }],
    found: NOBODY_HAS_IT,
    scenario: "move-databases-away",
  },
  {
    name: "move-waits-for-no-gate",
    breaks: "The cut-over does not wait for gates that have devices at the broker that they are to leave.",
    edits: [{ file: STAGES, find: "return gatesBehind?.length === 0;", replace: "return gatesBehind !== null;" }],
    found: NOBODY_HAS_IT,
    scenario: "move-gates-slow",
  },
  {
    name: "move-target-is-not-subscribed",
    breaks: "Devices are sent to a broker that keeps nothing for the workspace yet.",
    edits: [
      {
        file: "packages/workspace/src/container/standby.ts",
        find: "await factories.subscribe(context);",
        replace: "await Promise.resolve();",
      },
    ],
    found: NOBODY_HAS_IT,
    scenario: "move-there-and-back",
  },
  {
    name: "move-ignores-what-differs",
    breaks: "The reader stores at one half alone, and what the comparison finds is ignored.",
    edits: [
      {
        file: "packages/workspace/src/move/both.ts",
        find: "if (there === undefined) return storedAlone(() => here.store(documents));",
        replace: "if (there === undefined || documents.length > 0) return storedAlone(() => here.store(documents));",
      },
      { file: STAGES, find: 'if (lack !== "") return', replace: "if (lack.length > 1e6) return" },
    ],
    found: NOBODY_HAS_IT,
    scenario: "move-there-and-back",
    quick: true,
  },
  {
    name: "move-back-without-the-copy",
    breaks: "The source reads again without what only the target has.",
    edits: [
      { file: STAGES, find: "if (lacks.source === 0) return", replace: "if (lacks.source !== -1) return" },
      {
        file: MIGRATION,
        find: '["both", "compare", "switch", "drain", "verify", "withdraw", "empty"].includes(stage)',
        replace: '["both", "compare", "switch", "drain", "verify"].includes(stage)',
      },
      { file: MIGRATION, find: 'if (stage === "back") return "source";', replace: "" },
    ],
    found: NOBODY_HAS_IT,
    scenario: "move-aborted",
  },
  {
    name: "move-back-at-once",
    breaks: "A move that goes back once devices were sent elsewhere leaves what waits there.",
    edits: [
      {
        file: MIGRATION,
        find: '["switch", "drain", "cut-over"].includes(stage) ? "halt" : "returned"',
        replace: '"returned"',
      },
    ],
    found: NOBODY_HAS_IT,
    scenario: "move-aborted",
  },
  {
    name: "move-cuts-over-unasked",
    breaks: "The target is to read before the source has let go, and neither plan nor commit compares.",
    edits: [
      {
        file: STAGES,
        find: 'return when(!facts.mayRead.source, "verify", "the source has let go, the target reads");',
        replace: 'return when(true, "verify", "the source has let go, the target reads");',
      },
      {
        file: "packages/core/src/workspace/plan-hosting.ts",
        find: '(one.role !== "standby" && owned.has(one.workspaceId)) || placed',
        replace: "(one.epoch < owned.size - 1e6) || placed",
      },
      {
        file: "packages/core/src/workspace/hosting-plan.ts",
        find: "if (!isStandby && owned.has(id))",
        replace: "if (!isStandby && owned.size < 0)",
      },
    ],
    found: /two owners|has read it/,
    scenario: "move-told-late",
  },
  {
    name: "move-standby-reads",
    breaks: "The half that stands by reads as well, and is granted it.",
    edits: [
      {
        file: "packages/core/src/workspace/take-report.ts",
        find: 'state !== "stopped" && role !== "standby"',
        replace: 'state !== "stopped" && role !== undefined || state !== "stopped"',
      },
      {
        file: "packages/workspace/src/container/hosted.ts",
        find: 'if (workspace.role === "standby") return',
        replace: 'if (workspace.role === "standby" && workspace.epoch < 0) return',
      },
    ],
    found: /two owners|has read it/,
    scenario: "move-there-and-back",
    quick: true,
  },
  {
    name: "move-keeps-the-epoch",
    breaks: "The target reads by the epoch of the source, so that the fence does not part them.",
    edits: [
      {
        file: "packages/core/src/workspace/hosting.ts",
        find: "const epoch = workspace.epoch + 1;",
        replace: "const epoch = Math.max(1, workspace.epoch);",
      },
      {
        file: "packages/core/src/workspace/hosting-plan.ts",
        find: "if ((epochs.get(id) ?? epoch) !== change.epoch - 1)",
        replace: "if ((epochs.get(id) ?? epoch) > change.epoch)",
      },
    ],
    found: /two owners|has read it|does not end|not read|nobody has it|no owner|0 owners|came to returned/,
    scenario: "move-there-and-back",
  },
];
