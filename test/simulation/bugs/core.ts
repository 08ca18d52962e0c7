import type { Bug } from "./bug.ts";

const LIVENESS = "packages/core/src/liveness.ts";
const STATE = "packages/core/src/model/state.ts";
const DEPLOYMENTS = "packages/core/src/passes/deployments.ts";
const SUPERSEDE = "packages/core/src/passes/supersede.ts";

/** Bugs in decisions: who is down, what is placed where, what ends when. */
export const CORE_BUGS: readonly Bug[] = [
  {
    name: "liveness-too-early",
    breaks: "A node is called down after a second of silence.",
    edits: [{ file: LIVENESS, find: "silence >= settings.downAfterMs", replace: "silence >= 1_000" }],
    found: /down after it observed/,
    quick: true,
  },
  {
    name: "liveness-without-probe",
    breaks: "A node is called down by silence alone: its peers are not asked.",
    edits: [{ file: LIVENESS, find: "&& isUnreachable && !frozen", replace: "&& !frozen" }],
    found: /down although its peers reach it/,
  },
  {
    name: "liveness-never-frozen",
    breaks: "Half of the fleet falls silent at once and is given up.",
    edits: [{ file: LIVENESS, find: "&& isUnreachable && !frozen", replace: "&& isUnreachable" }],
    found: /silent at once/,
  },
  {
    name: "liveness-inherited-timers",
    breaks: "A scheduler counts silence from before it began to listen.",
    edits: [
      {
        file: LIVENESS,
        find: "Math.max(seen.observingSinceAt, seen.lastBeatAt ?? seen.observingSinceAt)",
        replace: "(seen.lastBeatAt ?? seen.observingSinceAt - 60_000)",
      },
    ],
    found: /down after it observed/,
  },
  {
    name: "liveness-never-ready-again",
    breaks: "A node that was down stays so although it is heard again.",
    edits: [
      {
        file: LIVENESS,
        find: 'if (seen.lastBeatAt !== undefined && silence < settings.suspectAfterMs) return "ready";\n  if (node.liveness === "down") return "down";',
        replace:
          'if (node.liveness === "down") return "down";\n  if (seen.lastBeatAt !== undefined && silence < settings.suspectAfterMs) return "ready";',
      },
    ],
    found: /is recorded as down, but/,
    quick: true,
  },
  {
    name: "control-plane-not-avoided",
    breaks: "A manager is ranked by its score alone.",
    edits: [
      {
        file: "packages/core/src/placement/ranking.ts",
        find: "  if (avoided[a] !== avoided[b]) return avoided[a]! < avoided[b]!;\n",
        replace: "",
      },
    ],
    found: /is placed on the manager/,
    quick: true,
  },
  {
    name: "state-lost-runs-again",
    breaks: "A location that was given up counts as running again when its node reports it.",
    edits: [
      { file: STATE, find: 'lost: ["stopped"],', replace: 'lost: ["stopped", "running", "starting", "preparing"],' },
    ],
    found: /was over|is given to|routed|reaches/,
  },
  {
    name: "state-failed-runs-again",
    breaks: "A location that failed counts as running again when its agent says so.",
    edits: [{ file: STATE, find: 'failed: ["stopped", "lost"],', replace: 'failed: ["stopped", "lost", "running"],' }],
    found: /was over|is given to/,
    notYet: "an agent would have to forget within seconds that it gave an instance up",
  },
  {
    name: "ports-of-the-ending",
    breaks: "A port is free for the next as soon as its user is told to stop.",
    edits: [
      {
        file: "packages/core/src/placement/fleet.ts",
        find: "const live = isLive(location);",
        replace: 'const live = isLive(location) && location.desired === "run";',
      },
    ],
    found: /is given to|slots|reserved|instances/,
    notYet: "a port that is free has rested for minutes, and the commit compares besides",
  },
  {
    name: "supersede-never",
    breaks: "An old copy is not stopped when a newer one has taken its place.",
    edits: [
      {
        file: SUPERSEDE,
        find: '  if (!isLive(location) || location.desired === "stop") return;',
        replace: "  if (settings.edgeSettleMs > 0) return;",
      },
    ],
    found: /not as desired/,
    quick: true,
  },
  {
    name: "eviction-not-told-on-return",
    breaks: "A node that comes back is not told to end what was given up there.",
    edits: [
      {
        file: "packages/core/src/passes/eviction.ts",
        find: "else if (isBack(draft, location))",
        replace: "else if (draft.now < 0 && isBack(draft, location))",
      },
    ],
    found: /not as desired/,
    notYet: "what was given up is older than its instance, and the reconcile removes it",
  },
  {
    name: "eviction-of-suspects",
    breaks: "What runs on a node that is only silent is given up at once.",
    edits: [
      {
        file: "packages/core/src/passes/eviction.ts",
        find: 'if (node !== undefined && node.liveness !== "down") return undefined;',
        replace: 'if (node !== undefined && !["down", "suspect"].includes(node.liveness)) return undefined;',
      },
    ],
    found: /given up, though/,
    quick: true,
  },
  {
    name: "update-order-ignored",
    breaks: "An update that must stop first starts first.",
    edits: [
      {
        file: DEPLOYMENTS,
        find: '?.spec.update.order ?? "start-first";',
        replace: '?.spec.update.order === undefined ? "start-first" : "start-first";',
      },
    ],
    found: /stop-first/,
  },
  {
    name: "update-parallelism-ignored",
    breaks: "An update replaces all copies at once.",
    edits: [{ file: DEPLOYMENTS, find: "return wanted <= 0 ? Infinity : wanted;", replace: "return wanted * 1_000;" }],
    found: /at once, and its update allows/,
  },
  {
    name: "retry-without-backoff",
    breaks: "A placement that failed is followed by the next without a wait.",
    edits: [
      {
        file: "packages/core/src/passes/retry.ts",
        find: "return failed.changedAt + Math.min(",
        replace: "return failed.changedAt + 0 * Math.min(",
      },
    ],
    found: /placed again .* after it failed/,
  },
  {
    name: "drain-stops-first",
    breaks: "A drain stops the old copy before the new one serves.",
    edits: [
      {
        file: SUPERSEDE,
        find: 'if (location.desired === "run" && !isServed) {',
        replace: 'if (location.desired === "run" && !isServed && draft.now < 0) {',
      },
    ],
    found: /stops serving before/,
    quick: true,
  },
  {
    name: "max-per-node-ignored",
    breaks: "More copies of a deployment are placed on a node than it allows.",
    edits: [
      {
        file: "packages/core/src/placement/filter.ts",
        find: "...(need.maxPerNode === undefined ? [] : [maxPerNode]),",
        replace: "...(need.maxPerNode === undefined || need.maxPerNode > 0 ? [] : [maxPerNode]),",
      },
    ],
    found: /as copy \d+ of at most/,
    quick: true,
  },
  {
    name: "volume-no-filter",
    breaks: "An instance with a volume is placed on a node that does not have it.",
    edits: [
      {
        file: "packages/core/src/placement/filter.ts",
        find: "...(need.volumes.length > 0 ? [volume] : []),",
        replace: "",
      },
    ],
    found: /and its data is/,
    quick: true,
  },
  {
    name: "single-beside-another",
    breaks: "A single copy starts while another one of its deployment still runs on the node.",
    edits: [
      {
        file: "packages/core/src/converge/run.ts",
        find: "isSingle(instance.spec) && !group.some(runs)",
        replace: "isSingle(instance.spec) && group.length > 1_000",
      },
    ],
    found: /two copies of/,
    notYet: "the scheduler holds the second copy back; only a name that is used again while its node is away shows it",
  },
  {
    name: "ports-given-at-once",
    breaks: "A host port is given again, lowest first, as soon as its user is forgotten.",
    edits: [
      { file: "packages/core/src/placement/ports.ts", find: "let at = placement % size;", replace: "let at = 0;" },
      {
        file: "packages/core/src/placement/fleet.ts",
        find: "index === undefined || freeAt <= source.now",
        replace: "index === undefined || freeAt > 0",
      },
      {
        file: "packages/scheduler/src/store/memory/plan.ts",
        find: "one.freeAt > location.desiredAt",
        replace: "one.freeAt < 0",
      },
    ],
    found: /sends .*, where .* answers/,
    notYet: "not in 60 seeds: edges are a second behind at most, and seldom is a port given within it",
  },
  {
    name: "exclusive-no-lease-wait",
    breaks: "An exclusive instance of a lost node is placed again before its lease has ended.",
    edits: [
      {
        file: "packages/core/src/passes/single.ts",
        find: "location.changedAt + leaseWait(settings.exclusiveLeaseMs)",
        replace: "location.changedAt + 0 * leaseWait(settings.exclusiveLeaseMs)",
      },
    ],
    found: /two copies of/,
  },
  {
    name: "exclusive-not-stopped-without-lease",
    breaks: "An agent lets an exclusive copy run on whose lease has ended.",
    edits: [
      {
        file: "packages/core/src/converge/run.ts",
        find: "if (lease?.held !== true)",
        replace: "if (lease === undefined)",
      },
    ],
    found: /two copies of/,
  },
];
