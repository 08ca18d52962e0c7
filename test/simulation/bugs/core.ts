import type { Bug } from "./bug.ts";

const LIVENESS = "packages/core/src/liveness.ts";
const RECORDS_AGE = "packages/core/src/identity/records-age.ts";
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
        find: 'seen !== undefined && isBack(seen, settings, now) ? "ready" : "down"',
        replace: '"down"',
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
    scenario: "agent-forgets",
    found: /was over/,
  },
  {
    name: "room-of-the-ending",
    breaks: "Room on a node is free for the next as soon as its user is told to stop.",
    edits: [
      {
        file: "packages/core/src/placement/fleet.ts",
        find: "const live = isLive(location);",
        replace: 'const live = isLive(location) && location.desired === "run";',
      },
    ],
    scenario: "full-node",
    found: /instances, it takes|reserved of|more memory reserved/,
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
        file: "packages/core/src/world/assignment-of.ts",
        find: 'const isOver = desired === "stop" || state === "lost";',
        replace: 'const isOver = desired === "stop";',
      },
      {
        file: "packages/core/src/passes/eviction.ts",
        find: "else if (isBack(draft, location))",
        replace: "else if (draft.now < 0 && isBack(draft, location))",
      },
    ],
    scenario: "node-returns",
    found: /not as desired/,
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
    name: "single-beside-another",
    breaks: "A single copy starts while another one of its deployment still runs on the node.",
    edits: [
      {
        file: "packages/core/src/converge/run.ts",
        find: "isSingle(instance.spec) && !group.some(runs)",
        replace: "isSingle(instance.spec) && group.length > 1_000",
      },
    ],
    scenario: "single-again",
    found: /two copies of/,
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
    scenario: "port-rests",
    found: /is given again before it has rested|sends .*, where .* answers/,
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
    scenario: "exclusive-cut-off",
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
    scenario: "exclusive-cut-off",
    found: /two copies of/,
  },
  {
    name: "older-records-not-noticed",
    breaks: "Records that are behind what agents hold are taken for the fleet's.",
    edits: [
      {
        file: RECORDS_AGE,
        find: `if (term > records.term || line === undefined) return term > records.term;
  // An older copy counts up as well, and may be past the agent's number when it is heard.
  return revision > line.revision || !mayHaveGiven(line, held);`,
        replace: "return term < 0 && revision < 0 && line === undefined;",
      },
    ],
    scenario: "older-copy",
    found: /an older copy of the database/,
  },
  {
    name: "older-records-by-terms-only",
    breaks: "An older copy of the database is taken for the newest where as many leaders have led it.",
    edits: [
      {
        file: RECORDS_AGE,
        find: "return revision > line.revision || !mayHaveGiven(line, held);",
        replace: "return revision < 0;",
      },
    ],
    scenario: "older-revisions",
    found: /an older copy of the database/,
  },
  {
    name: "older-records-by-numbers-only",
    breaks: "An older copy of the database that has counted up to what an agent holds is taken for the newest.",
    edits: [{ file: RECORDS_AGE, find: " || !mayHaveGiven(line, held)", replace: "" }],
    scenario: "counted-past",
    found: /an older copy of the database/,
  },
  {
    name: "other-records-not-noticed",
    breaks: "Records of another incarnation than what agents hold are taken for the fleet's.",
    edits: [
      {
        file: RECORDS_AGE,
        find: "if (foreign.length >= fewest && areMany(foreign))",
        replace: "if (foreign.length < 0)",
      },
    ],
    scenario: "empty-database",
    found: /an empty database/,
  },
  {
    name: "brake-of-single-nodes",
    breaks: "Only the strangers of one node are counted before they are removed, not those of the fleet.",
    edits: [
      {
        file: "packages/core/src/identity/brake.ts",
        find: "    fleet: tooMany(",
        replace: "    fleet: counts.length < 0 && tooMany(",
      },
    ],
    scenario: "all-forgotten",
    found: /though it is the whole fleet/,
  },
  {
    name: "move-without-grace",
    breaks: "An old copy that is unwell for a moment is stopped before the new one serves.",
    edits: [
      {
        file: SUPERSEDE,
        find: "if (serves || graceEnd(draft, settings, instance, location) > draft.now) return;",
        replace: "if (serves) return;",
      },
    ],
    scenario: "unwell-move",
    found: /stops before anything serves in its place/,
  },
  {
    name: "row-of-the-ended-runs-on",
    breaks: "A row that is written back after its instance was ended is not told to stop.",
    edits: [
      {
        file: SUPERSEDE,
        find: "      stopRestored(draft, locations);\n",
        replace: "",
      },
    ],
    scenario: "row-comes-back",
    found: /written back after its end runs on|not as desired/,
  },
  {
    name: "ended-row-of-the-ended-runs-on",
    breaks: "A row that was over when it was written back after its instance was ended is not told to stop.",
    edits: [
      {
        file: SUPERSEDE,
        find: "locations.filter(one => !isGone(one))",
        replace: "locations.filter(isLive)",
      },
    ],
    scenario: "ended-row-comes-back",
    found: /written back after its end runs on|not as desired/,
  },
  {
    name: "routes-of-the-newest-release",
    breaks: "A route leads to the port of the newest release, also while only an older one serves.",
    edits: [
      {
        file: "packages/core/src/routing/traefik-config.ts",
        find: "const leading = serving[0] ?? newest;",
        replace: "const leading = serving.length === -1 ? 0 : newest;",
      },
      {
        file: "packages/core/src/routing/traefik-config.ts",
        find: "of serving.length === 0 ? [newest] : serving)",
        replace: "of serving.length === -1 ? serving : [newest])",
      },
      {
        file: "packages/core/src/routing/traefik-config.ts",
        find: "const own = by === route.release ? route : sameIn(ofRelease(by), route);",
        replace: "const own = by > 0 ? route : undefined;",
      },
    ],
    scenario: "port-of-release",
    found: /leaves a route without a server/,
  },
];
