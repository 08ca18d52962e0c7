import type { Bug } from "./bug.ts";

const PLAN = "packages/scheduler/src/store/memory/plan.ts";
const STATUS = "packages/scheduler/src/store/memory/status.ts";
/**
 * Bugs in what the database checks; planted in its twin, which stands for the stored functions
 * here.
 */
export const STORE_BUGS: readonly Bug[] = [
  {
    name: "commit-in-any-term",
    breaks: "A commit of a term that is over is accepted.",
    edits: [
      {
        file: PLAN,
        find: "lease === undefined || !leads(records, mandate, databaseNow)",
        replace: "lease === undefined || databaseNow < 0",
      },
    ],
    found: /committed in term/,
  },
  {
    name: "commit-after-expiry",
    breaks: "A commit is accepted although the lease has expired by the database's clock.",
    edits: [
      {
        file: PLAN,
        find: "lease.holder === holder && lease.expiresAt > now",
        replace: "lease.holder === holder && now > 0",
      },
    ],
    found: /committed .* expired/,
  },
  {
    name: "late-leader-write",
    breaks: "What a deposed leader believes of nodes, restores or prunes is written all the same.",
    edits: [
      {
        file: "packages/scheduler/src/store/memory/memory-store.ts",
        find: "if (!leads(records, mandate, clock.now())) throw",
        replace: "if (mandate.term < 0) throw",
      },
    ],
    found: /committed in term \d+ by (save|restore|prune)/,
    quick: true,
  },
  {
    name: "write-in-a-shared-term",
    breaks: "A write is accepted from another holder than the lease's, of the same term.",
    edits: [
      { file: PLAN, find: "&& lease.holder === holder && lease.expiresAt", replace: "&& holder && lease.expiresAt" },
    ],
    scenario: "shared-term",
    found: /committed in term/,
  },
  {
    name: "commit-without-basis",
    breaks: "A location is stopped or given up although it has another state than when that was decided.",
    edits: [
      {
        file: "packages/core/src/world/stale.ts",
        find: " ?? whyBasisMoved(world, plan)",
        replace: "",
      },
    ],
    scenario: "late-plan",
    found: /a plan for .* was committed/,
  },
  {
    name: "commit-without-compare",
    breaks: "A plan is committed without comparing what it was based on.",
    edits: [{ file: PLAN, find: '  if (because !== undefined) return { kind: "stale", because };', replace: "" }],
    found: /twice|ahead|reaches|not as desired|is given to|jumps/,
  },
  {
    name: "commit-port-twice",
    breaks: "A commit gives a port that somebody else has.",
    edits: [
      {
        file: "packages/core/src/placement/fleet.ts",
        find: "if (location.ports.length > 0) {",
        replace: 'if (location.ports.length > 0 && location.desired === "run") {',
      },
      {
        file: PLAN,
        find: "if (takesPortTwice(after.locations))",
        replace: "if (now < 0 && takesPortTwice(after.locations))",
      },
    ],
    scenario: "short-of-ports",
    found: /is given to/,
  },
  {
    name: "lease-taken-early",
    breaks: "A lease is given to the next although it has not expired.",
    edits: [
      {
        file: PLAN,
        find: "lease.expiresAt <= now;",
        replace: "lease.expiresAt <= now + 2_000;",
      },
    ],
    found: /takes the lease/,
    quick: true,
  },
  {
    name: "report-of-the-gone-dropped",
    breaks: "What an agent says is gone is not written.",
    edits: [
      {
        file: STATUS,
        find: "for (const [key, status] of latest(report)) {",
        replace:
          'for (const [key, status] of latest({ ...report, gone: [], statuses: report.statuses.filter(one => one.state !== "stopped") })) {',
      },
    ],
    found: /not as desired/,
    quick: true,
  },
  {
    name: "report-of-an-old-session",
    breaks: "A report of an agent's former life is written over that of its present one.",
    edits: [
      {
        file: STATUS,
        find: "entry === undefined || entry.sessionId !== report.sessionId",
        replace: "entry === undefined",
      },
      { file: STATUS, find: "if (report.seq <= entry.reportSeq) return", replace: "if (report.seq < 0) return" },
    ],
    scenario: "late-report",
    found: /not as desired|reaches|older report/,
  },
  {
    name: "report-moves-back",
    breaks: "A state goes backwards: what has ended is live again.",
    edits: [
      {
        file: STATUS,
        find: "|| !canBecome(before.state, status.state)) continue",
        replace: "|| !canBecome(status.state, status.state)) continue",
      },
    ],
    found: /was over|is given to|reaches/,
    quick: true,
  },
  {
    name: "restore-over-a-port",
    breaks: "A row is written back although somebody else has its port by now.",
    edits: [
      {
        file: STATUS,
        find: "if (takesPortTwice([...records.locations.values(), asLive])) return false;",
        replace: "",
      },
    ],
    scenario: "port-of-vanished-row",
    found: /is given to/,
  },
  {
    name: "serials-begin-again",
    breaks: "A name that comes again gives the ids of its former instances.",
    edits: [
      {
        file: "packages/scheduler/src/store/memory/spec.ts",
        find: "records.serials.get(id) ?? firstSerials(records.platform.serialFloor)",
        replace: "firstSerials(records.platform.serialFloor)",
      },
    ],
    scenario: "name-again",
    found: /a name that comes again has not started|not as desired/,
  },
  {
    name: "lease-by-the-database-alone",
    breaks: "Nobody takes a lease whose end the database's clock was set back from.",
    edits: [
      { file: PLAN, find: "if (isFree || (stalled !== undefined && ", replace: 'if (isFree || (holder === "" && ' },
    ],
    scenario: "clock-set-back",
    found: /nobody leads/,
  },
  {
    name: "removal-never-over",
    breaks: "What was removed stays among what is to be removed.",
    edits: [
      {
        file: STATUS,
        find: "for (const one of report.gone) records.removals.delete(removalKey({ nodeId: report.nodeId, ...one }));",
        replace: "",
      },
    ],
    scenario: "stray-goes",
    found: /a removal is still recorded/,
  },
  {
    name: "stamps-alike",
    breaks: "A copy of the records that counts up to a number gives it the stamp that it had before.",
    edits: [
      { file: "packages/scheduler/src/store/memory/raise.ts", find: "return ++lastStamp;", replace: "return 1;" },
    ],
    scenario: "counted-past",
    found: /takes the end of/,
  },
];
