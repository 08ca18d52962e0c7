import type { Bug } from "./bug.ts";

/** Bugs of placement, of the fence between hosts, and of what is stored and acknowledged. */
export const HOST_BUGS: readonly Bug[] = [
  {
    name: "host-reads-on-in-silence",
    breaks: "A host reads on though no scheduler has answered it for longer than its lease.",
    edits: [
      {
        file: "packages/workspace/src/host/read-leases.ts",
        find: "mayRead: of => clock.monotonic() < (until.get(keyOf(of)) ?? -Infinity)",
        replace: "mayRead: of => until.has(keyOf(of))",
      },
    ],
    found: /two owners|has read it/,
    scenario: "host-cut-off",
    quick: true,
  },
  {
    name: "host-cut-over-early",
    breaks: "A workspace is begun elsewhere as soon as its host was told to let go, and not once it has.",
    edits: [
      {
        file: "packages/core/src/workspace/hosting.ts",
        find: 'location.state === "stopped" || isSilenced(hosts.get(location.hostId))',
        replace: 'location.desired === "stop" || isSilenced(hosts.get(location.hostId))',
      },
      {
        file: "packages/core/src/workspace/hosting-plan.ts",
        find: 'location.state !== "stopped" && !isSilenced(location.hostId)',
        replace: 'location.desired !== "stop" && !isSilenced(location.hostId)',
      },
    ],
    found: /two owners|has read it/,
    scenario: "host-cut-over",
    quick: true,
  },
  {
    name: "host-down-within-its-lease",
    breaks: "A host is held to be down before the leases that it was given have ended.",
    edits: [
      {
        file: "packages/scheduler/src/loop/host-watch.ts",
        find: "DOWN_AFTER_MS = HOLD_MS + 1_500",
        replace: "DOWN_AFTER_MS = 1_600",
      },
    ],
    found: /two owners|has read it/,
    scenario: "host-cut-off",
  },
  {
    name: "host-commit-counts-no-leases",
    breaks: "A plan is written although a host that it holds to be silent got another lease meanwhile.",
    edits: [
      {
        file: "packages/core/src/workspace/hosting-plan.ts",
        find: "plan.silenced.get(id) === (hosts.get(id)?.renewals ?? NaN)",
        replace: "plan.silenced.has(id) && hosts.has(id)",
      },
    ],
    found: /two owners|has read it/,
    scenario: "host-back-in-time",
  },
  {
    name: "host-acknowledges-without-asking",
    breaks: "A host acknowledges what it has stored without asking whether the workspace is its own.",
    edits: [
      {
        file: "packages/workspace/src/ingest/pipeline.ts",
        find: "if (!(await owns())) return false;",
        replace: "if (ending.signal.aborted) return false;",
      },
    ],
    found: /its lease is over|has read it/,
    hasWorkspaces: true,
    quick: true,
  },
  {
    name: "host-stores-after-looking",
    breaks: "A host stores what it looked up though it lost the workspace as it looked.",
    edits: [
      {
        file: "packages/workspace/src/ingest/storing.ts",
        find: "if (!settings.mayRead()) throw new Error(NOT_OURS);",
        replace: "",
      },
    ],
    found: /stores messages.*(lease is over|has read it|two owners)|stored 2 times/,
    hasWorkspaces: true,
  },
  {
    name: "host-connects-without-asking",
    breaks: "A host connects to the broker of a workspace without asking whether it is its own.",
    edits: [
      {
        file: "packages/workspace/src/channel/reader.ts",
        find: "await owned(mayRead, clock, ending.signal); failures",
        replace: "await owned(() => true, clock, ending.signal); failures",
      },
    ],
    found: /connects.*(two owners|has read it|lease is over)/,
    hasWorkspaces: true,
  },
  {
    name: "host-acknowledges-unstored",
    breaks: "A batch is acknowledged while it is being stored.",
    edits: [
      {
        file: "packages/workspace/src/ingest/storing.ts",
        find: "const buried = await rescue(ports.database, kept, refused);",
        replace: `const buried = 0;
      void rescue(ports.database, kept, refused).catch(() => undefined);`,
      },
    ],
    found: /which is not stored/,
    hasWorkspaces: true,
  },
  {
    name: "host-forgets-redelivery",
    breaks: "What the broker delivers again gets another key.",
    edits: [
      {
        file: "packages/workspace/src/ingest/storing.ts",
        find: 'known?.get(keys.prefix(delivery) ?? "") ?? keys',
        replace: "keys",
      },
    ],
    found: /is stored 2 times/,
    hasWorkspaces: true,
  },
  {
    name: "host-lease-from-the-answer",
    breaks: "A lease is counted from when its answer came, however late that is.",
    edits: [
      {
        file: "packages/workspace/src/host/read-leases.ts",
        find: "const ends = sentAtMs + holdMs;",
        replace: "const ends = Math.max(sentAtMs, clock.monotonic()) + holdMs;",
      },
      {
        file: "packages/workspace/src/host/reporter.ts",
        find: "const ANSWER_MS = 600;",
        replace: "const ANSWER_MS = 60_000;",
      },
    ],
    found: /two owners|has read it|lease is over/,
    hasWorkspaces: true,
  },
  {
    name: "host-lease-longer-than-watched",
    breaks: "A host is granted a longer lease than the leader waits for.",
    edits: [
      {
        file: "packages/scheduler/src/api/hosts.ts",
        find: "saveHostReport(report, HOLD_MS,",
        replace: "saveHostReport(report, 4 * HOLD_MS,",
      },
    ],
    found: /two owners|has read it|lease is over/,
    scenario: "host-cut-off",
    hasWorkspaces: true,
  },
  {
    name: "hosting-forgets-what-it-wrote",
    breaks: "A leader places at once what a failover has lost, though a host still reads by the lost placement.",
    edits: [
      {
        file: "packages/scheduler/src/loop/hosting.ts",
        find: "if (placements.haveLost(records)) {",
        replace: "if (placements.haveLost(records) && closed) {",
      },
    ],
    found: /two owners|has read it|lease is over/,
    scenario: "host-placement-lost",
    hasWorkspaces: true,
    quick: true,
  },
  {
    name: "hosting-written-after-the-term",
    breaks: "A leader whose term is over writes placements.",
    edits: [
      {
        file: "packages/scheduler/src/store/memory/hosting.ts",
        find: "if (!leads(records, mandate, databaseNow))",
        replace: "if (records.lease === undefined)",
      },
    ],
    found: /committed (in term .* )?by commitHosting/,
    hasWorkspaces: true,
  },
  {
    name: "host-told-once",
    breaks: "A host whose stream tells nothing any more does not attach anew.",
    edits: [
      {
        file: "packages/workspace/src/host/host-life.ts",
        find: `    attachment.renew();
`,
        replace: "",
      },
    ],
    found: /has 0 owners|is not read/,
    hasWorkspaces: true,
  },
  {
    name: "host-end-outlives-the-workspace",
    breaks: "What was over for a deleted workspace is over for the next one of its id.",
    edits: [
      {
        file: "packages/workspace/src/host/keeper.ts",
        find: "const isAnew = last !== undefined && assignment.revision > last.revision;",
        replace: "const isAnew = last !== undefined && assignment.revision < 0;",
      },
    ],
    found: /has 0 owners/,
    hasWorkspaces: true,
  },
  {
    name: "host-strangers-believed",
    breaks: "A host that the records do not know, or know less of than it does, is believed what it names.",
    edits: [
      {
        file: "packages/workspace/src/host/host-life.ts",
        find: "if (revision < heard)",
        replace: "if (revision < 0)",
      },
      {
        file: "packages/core/src/workspace/take-report.ts",
        find: 'if (anew !== "") {',
        replace: "if (anew.length > 1_000) {",
      },
      {
        file: "packages/core/src/workspace/take-report.ts",
        find: "location !== undefined && isReader(location) && !stopped.has(keyOf(status))",
        replace: "(location === undefined || isReader(location)) && !stopped.has(keyOf(status))",
      },
      {
        file: "packages/core/src/workspace/take-report.ts",
        find: "named.filter(({ location }) => location === undefined)",
        replace: "named.slice(0, 0)",
      },
    ],
    found: /two owners|has read it/,
    scenario: "host-cut-off",
    hasWorkspaces: true,
  },
  {
    name: "host-lease-not-counted",
    breaks: "A report is answered without being counted, so that a host that reads is held to be silent.",
    edits: [
      {
        file: "packages/scheduler/src/store/memory/hosting.ts",
        find: "renewals: (known?.renewals ?? 0) + 1",
        replace: "renewals: known?.renewals ?? 1",
      },
    ],
    found: /two owners|has read it|no owner/,
    scenario: "host-dies",
    hasWorkspaces: true,
  },
  {
    name: "host-takes-older-assignments",
    breaks: "A host takes an assignment that is older than what it works by, and lower epochs in it.",
    edits: [
      {
        file: "packages/core/src/workspace/host-assignment.ts",
        find: "if (next.revision < held.revision)",
        replace: "if (next.revision < 0)",
      },
      {
        file: "packages/workspace/src/host/lane.ts",
        find: "if (next.epoch > known.epoch) return undefined;",
        replace: "if (next.epoch !== known.epoch) return undefined;",
      },
      {
        file: "packages/workspace/src/host/keeper.ts",
        find: "if (last !== undefined && !isAnew && workspace.epoch <= last.epoch) continue;",
        replace: "",
      },
    ],
    found: /an older assignment|after epoch/,
    scenario: "host-told-again",
    hasWorkspaces: true,
  },
];
