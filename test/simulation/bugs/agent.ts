import type { Bug } from "./bug.ts";

const INTAKE = "packages/core/src/identity/intake.ts";
const ORDERS = "packages/agent/src/loop/orders.ts";
const LOOP = "packages/agent/src/loop/loop.ts";
const SESSION = "packages/agent/src/uplink/session.ts";

/** Bugs in the agent: what it takes, what it keeps, what it looks at, what it says. */
export const AGENT_BUGS: readonly Bug[] = [
  {
    name: "agent-any-order",
    breaks: "An agent takes assignments in any order: a lower term or revision replaces a higher one.",
    edits: [
      { file: INTAKE, find: "next.term < held.term", replace: "false" },
      {
        file: INTAKE,
        find: "next.incarnation === held.incarnation && next.revision < held.revision",
        replace: "false",
      },
    ],
    found: /takes an assignment of/,
    quick: true,
  },
  {
    name: "agent-lower-term",
    breaks: "An agent obeys a leader whose term is over.",
    edits: [{ file: INTAKE, find: "next.term < held.term", replace: "false" }],
    found: /takes an assignment of/,
  },
  {
    name: "agent-lower-revision",
    breaks: "An agent lets an overtaken assignment of the same term replace a newer one.",
    edits: [
      {
        file: INTAKE,
        find: "next.incarnation === held.incarnation && next.revision < held.revision",
        replace: "false",
      },
    ],
    found: /takes an assignment of/,
    quick: true,
  },
  {
    name: "agent-no-epoch-fence",
    breaks: "An agent runs a copy of which it has seen a newer one.",
    edits: [{ file: INTAKE, find: "one.epoch < (epochs[one.instanceId] ?? 0)", replace: "false" }],
    found: /after it had taken|makes .* which/,
  },
  {
    name: "agent-of-other-records",
    breaks: "An agent obeys the scheduler of another database, whatever it was told before.",
    edits: [
      { file: INTAKE, find: "if (isSuccessor && !next.succeeds.includes(held.incarnation))", replace: "if (false)" },
    ],
    scenario: "foreign-assignment",
    found: /takes an assignment of the records/,
  },
  {
    name: "agent-by-numbers-only",
    breaks: "An agent obeys an older copy of the records that has counted past what it holds.",
    edits: [
      {
        file: INTAKE,
        find: "!mayHaveGiven(next, { revision: held.revision, ...stampOf(held) })",
        replace: "next.revision < 0",
      },
    ],
    scenario: "counted-past",
    found: /takes the end of/,
  },
  {
    name: "agent-of-another-node",
    breaks: "An agent takes what is meant for another node.",
    edits: [{ file: INTAKE, find: "next.nodeId !== nodeId", replace: "false" }],
    found: /takes what is meant for/,
  },
  {
    name: "agent-journal-never-written",
    breaks: "An agent forgets with its own end what it was told.",
    edits: [{ file: ORDERS, find: "await this.#deps.journal.write(this.#entry);", replace: "" }],
    found: /before it was on disk/,
    quick: true,
  },
  {
    name: "agent-journal-after-acting",
    breaks: "An agent acts on an assignment before it is on disk.",
    edits: [
      {
        file: ORDERS,
        find: "    await this.#save();\n    this.#cancel();",
        replace: "    void this.#save();\n    this.#cancel();",
      },
    ],
    found: /before it was on disk/,
    quick: true,
  },
  {
    name: "agent-acts-on-stale-list",
    breaks: "An agent decides on a list of containers that is older than its own last deed.",
    edits: [
      {
        file: LOOP,
        find: "steps.filter(step => !this.#isStale(step, mark))",
        replace: "steps",
      },
      {
        file: "packages/agent/src/loop/work.ts",
        find: "inFlight: [...running.keys(), ...ended], ended",
        replace: "inFlight: [...running.keys()], ended: []",
      },
    ],
    found: /makes .* again, though it has made it/,
  },
  {
    name: "agent-ends-tenants-without-bus",
    breaks: "An agent ends its tenants when the bus is away.",
    edits: [
      {
        file: "packages/agent/src/life.ts",
        find: '  log.info("agent.started",',
        replace:
          "  bus.onStatus(connected => { if (!connected) void engine.observe().then(seen => " +
          "Promise.all(seen.containers.map(one => engine.stop(one.id, 0)))).catch(() => undefined); });\n" +
          '  log.info("agent.started",',
      },
    ],
    found: /which nobody told it to end/,
    quick: true,
  },
  {
    name: "agent-removes-the-unlisted",
    breaks: "An agent ends what no assignment names, instead of reporting it.",
    edits: [
      {
        file: "packages/core/src/converge/converge.ts",
        find: 'isOld ? "a newer placement of it is assigned here" : undefined);',
        replace: '"nobody wants it");',
      },
    ],
    found: /which nobody told it to end/,
    quick: true,
  },
  {
    name: "agent-beats-before-its-report",
    breaks: "An agent calls itself ready before its full report has landed.",
    edits: [{ file: SESSION, find: "reporter.hasLanded() && bus.connected()", replace: "bus.connected()" }],
    found: /beats before its report/,
  },
  {
    name: "agent-restarts-at-once",
    breaks: "An agent starts what ends again and again without a wait.",
    edits: [
      {
        file: "packages/core/src/converge/restart.ts",
        find: "return Math.min(longestDelay(policy), first * 2 ** Math.min(failures - 1, 30));",
        replace: "return 0 * failures * first;",
      },
    ],
    found: /starts .* again after/,
    quick: true,
  },
  {
    name: "health-forgotten",
    breaks: "An agent that starts anew takes what it probes for unwell until it has answered.",
    edits: [
      {
        file: "packages/agent/src/loop/health-watch.ts",
        find: 'health: deps.healthy.has(run) ? "healthy" : "starting"',
        replace: 'health: "starting"',
      },
    ],
    scenario: "agent-restarts",
    found: /restart makes what it probes unwell/,
  },
  {
    name: "port-refused-for-ever",
    breaks: "An instance whose host port somebody else has tries it again and again, and is placed nowhere else.",
    edits: [
      {
        file: "packages/core/src/converge/port-taken.ts",
        find: "if (times >= MOST_REFUSALS)",
        replace: "if (times < 0)",
      },
    ],
    scenario: "port-of-another",
    found: /waits for a host port that somebody else has/,
  },
  {
    name: "turns-in-order-of-names",
    breaks: "Turns to start are given by name, so that one tenant's copies keep another's from starting.",
    edits: [
      {
        file: "packages/core/src/converge/fair.ts",
        find: "return [...inLine.map(one => one.instance), ...whole.toSorted(byInstance)];",
        replace: "return instances.toSorted(byInstance);",
      },
    ],
    scenario: "unfair-tenant",
    found: /waits for its first start behind/,
  },
];
