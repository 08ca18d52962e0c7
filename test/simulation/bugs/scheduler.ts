import type { Bug } from "./bug.ts";

const STRANGERS = "packages/core/src/identity/strangers.ts";

/** Bugs in the scheduler's loops: who leads, what is told, what is found. */
export const SCHEDULER_BUGS: readonly Bug[] = [
  {
    name: "assignment-no-redelivery",
    breaks: "An agent that missed an assignment is not told again.",
    edits: [
      {
        file: "packages/scheduler/src/loop/redelivery.ts",
        find: "      assignments.again(nodeId);\n",
        replace: "",
      },
    ],
    scenario: "assignment-lost",
    found: /not as desired|not told again/,
  },
  {
    name: "strangers-no-brake",
    breaks: "However much on a node has no record, all of it is removed.",
    edits: [
      {
        file: "packages/core/src/identity/brake.ts",
        find: "return unproven > Math.max(3, seen / 3);",
        replace: "return seen < 0 * unproven;",
      },
    ],
    found: /one of many at once/,
    quick: true,
  },
  {
    name: "restore-without-epoch",
    breaks: "A row is written back for a copy that is older than the latest.",
    edits: [
      {
        file: STRANGERS,
        find: "  if (epoch < instance.epoch) {",
        replace: "  if (epoch < 0) {",
      },
      {
        file: "packages/scheduler/src/store/memory/status.ts",
        find: "instance?.epoch !== location.epoch || records",
        replace: "instance === undefined || records",
      },
    ],
    scenario: "old-row-vanishes",
    found: /is written back, and the latest copy/,
  },
  {
    name: "vanished-lease-forgotten",
    breaks: "An exclusive copy whose row has vanished is placed anew while its lease may hold it running.",
    edits: [
      {
        file: "packages/scheduler/src/loop/missing-rows.ts",
        find: "leased.has(id) ? leasedGraceMs : MISSING_ROW_GRACE_MS",
        replace: "MISSING_ROW_GRACE_MS",
      },
    ],
    scenario: "leased-row-vanishes",
    found: /two copies of/,
  },
  {
    name: "tells-what-it-did-not-see",
    breaks: "A node is told a revision without what another wrote to it between the leader's look and its commit.",
    edits: [
      {
        file: "packages/scheduler/src/loop/tick.ts",
        find: "if (assignmentRevision !== node.assignmentRevision + 1) return [];",
        replace: "",
      },
    ],
    scenario: "row-between-look-and-commit",
    found: /wanted elsewhere or nowhere|not as desired/,
  },
  {
    name: "removals-without-room",
    breaks: "Removals that had no room in what a node was told are never told to it.",
    edits: [
      {
        file: "packages/scheduler/src/loop/removal-ends.ts",
        find: "if (!isDue) return;",
        replace: "if (hasDoneSome || isDue) return;",
      },
    ],
    scenario: "more-strays-than-room",
    found: /not as desired|run on, though/,
  },
  {
    name: "removals-read-over",
    breaks: "Who reads the removals while another adds one puts the former state over it, and none is told again.",
    edits: [
      {
        file: "packages/scheduler/src/loop/removals.ts",
        find: "return (loading ??= read());",
        replace: "return known === undefined ? read() : Promise.resolve(known);",
      },
      {
        file: "packages/scheduler/src/store/memory/plan.ts",
        find: "removals.filter(one => records.nodes.has(one.nodeId));",
        replace: "removals.filter(one => records.nodes.has(one.nodeId) && !records.removals.has(removalKey(one)));",
      },
    ],
    scenario: "stray-and-slow-look",
    found: /wanted elsewhere or nowhere/,
  },
  {
    name: "strangers-never-removed",
    breaks: "What no record explains runs on for ever.",
    edits: [
      {
        file: "packages/scheduler/src/loop/findings.ts",
        find: "await remove(unproven.remove);",
        replace: "await remove([]);",
      },
    ],
    found: /not as desired/,
    quick: true,
  },
  {
    name: "oversize-assignment",
    breaks: "Large specs are carried, so an assignment may be too large for one message, and its node is deaf.",
    edits: [
      {
        file: "packages/api/src/codec/assignment-pack.ts",
        find: "if (bytes <= LARGE_SPEC_BYTES && bytes + ENTRY_BYTES <= free)",
        replace: "if (bytes > 0)",
      },
    ],
    found: /not as desired|not told/,
    quick: true,
  },
  {
    name: "sender-not-compared",
    breaks: "A message counts for the node that it names, whatever its subject.",
    edits: [
      {
        file: "packages/scheduler/src/loop/senders.ts",
        find: "if (sender === claimed) {",
        replace: 'if (sender !== "") {',
      },
    ],
    found: /writes what another said/,
    quick: true,
  },
  {
    name: "routes-never-too-old",
    breaks: "A scheduler that is cut off from the database serves its last routes without end.",
    edits: [
      {
        file: "packages/scheduler/src/edge/routes-view.ts",
        find: "clock.monotonic() - readMs <= maxAgeMs",
        replace: "true",
      },
    ],
    scenario: "stale-edge",
    found: /sends .*, where .* answers/,
  },
  {
    name: "routes-of-other-records",
    breaks: "Edges are told the routes of a database that is not the fleet's.",
    edits: [
      {
        file: "packages/scheduler/src/edge/routes-view.ts",
        find: "if (because !== undefined) throw",
        replace: 'if (because === "") throw',
      },
    ],
    scenario: "empty-database",
    found: /ends or unroutes what runs/,
  },
  {
    name: "belief-written-once",
    breaks: "A leader does not write again what it believes of a node where the record says something else.",
    edits: [
      {
        file: "packages/scheduler/src/loop/node-news.ts",
        find: "for (const { id, liveness } of differing) unsaved.set(id, believed.get(id) ?? liveness);",
        replace: "",
      },
    ],
    scenario: "belief-overwritten",
    found: /is recorded as \w+, but it is/,
  },
  {
    name: "vanished-row-placed-at-once",
    breaks: "An instance whose row has vanished is placed anew before its agent is asked.",
    edits: [
      {
        file: "packages/scheduler/src/loop/missing-rows.ts",
        find: "if (until > now) unseen.set(id, until);",
        replace: "",
      },
    ],
    scenario: "row-vanishes",
    found: /was placed anew|two copies of/,
  },
  {
    name: "report-not-asked-again",
    breaks: "An agent is asked for a full report once, though the question may be lost.",
    edits: [
      {
        file: "packages/scheduler/src/loop/compare.ts",
        find: "clock.monotonic() + retryDelay(tries, random, AGAIN)",
        replace: "Infinity",
      },
    ],
    scenario: "row-vanishes",
    found: /was placed anew/,
  },
  {
    name: "swarm-list-of-anybody",
    breaks: "A worker's list of the Swarm's nodes is believed.",
    edits: [
      {
        file: "packages/scheduler/src/loop/swarm-belief.ts",
        find: "return !managers.some(",
        replace: "return managers.length > 0 || !managers.some(",
      },
    ],
    scenario: "false-list",
    found: /a worker's list of the Swarm/,
  },
];
