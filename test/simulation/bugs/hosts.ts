import type { Bug } from "./bug.ts";

/** Bugs by which two hosts may read one workspace. */
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
];
