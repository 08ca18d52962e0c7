import type { Bug } from "./bug.ts";

const PLAN = "packages/scheduler/src/store/memory/plan.ts";
const STATUS = "packages/scheduler/src/store/memory/status.ts";
const COMMIT_FENCE =
  'databaseNow: number): CommitResult {\n  const { lease } = records;\n  if (lease === undefined || lease.term !== term || lease.expiresAt <= databaseNow) {\n    return { kind: "stale", because: `the lease of term ${term} has ended` };\n  }\n  const before';

/** Bugs in what the database checks; planted in its twin, which stands for the stored functions here. */
export const STORE_BUGS: readonly Bug[] = [
  {
    name: "commit-in-any-term",
    breaks: "A commit of a term that is over is accepted.",
    edits: [
      {
        file: PLAN,
        find: COMMIT_FENCE,
        replace:
          'databaseNow: number): CommitResult {\n  const { lease } = records;\n  if (lease === undefined || databaseNow < 0) {\n    return { kind: "stale", because: `the lease of term ${term} has ended` };\n  }\n  const before',
      },
    ],
    found: /committed in term/,
    quick: true,
  },
  {
    name: "commit-after-expiry",
    breaks: "A commit is accepted although the lease has expired by the database's clock.",
    edits: [
      {
        file: PLAN,
        find: COMMIT_FENCE,
        replace: COMMIT_FENCE.replace(" || lease.expiresAt <= databaseNow", " || databaseNow < 0"),
      },
    ],
    found: /committed .* expired/,
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
        file: PLAN,
        find: "if (takesPortTwice(after.locations))",
        replace: "if (now < 0 && takesPortTwice(after.locations))",
      },
    ],
    found: /is given to/,
  },
  {
    name: "lease-taken-early",
    breaks: "A lease is given to the next although it has not expired.",
    edits: [
      {
        file: PLAN,
        find: "lease.expiresAt <= now) {\n    const term",
        replace: "lease.expiresAt <= now + 2_000) {\n    const term",
      },
    ],
    found: /lead in term|lease/,
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
  },
  {
    name: "restore-over-a-port",
    breaks: "A row is written back although somebody else has its port by now.",
    edits: [
      {
        file: STATUS,
        find: "if (isLive(location) && takesPortTwice([...records.locations.values(), location])) return false;",
        replace: "",
      },
    ],
    found: /is given to/,
  },
];
