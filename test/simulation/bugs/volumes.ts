import type { Bug } from "./bug.ts";

/** Bugs about where volumes are, and what mounts them. */
export const VOLUME_BUGS: readonly Bug[] = [
  {
    name: "volume-no-filter",
    breaks: "An instance with a volume is placed on a node that does not have it.",
    edits: [
      {
        file: "packages/core/src/placement/filter.ts",
        find: "    ...volumeFiltersOf(fleet, need),\n",
        replace: "",
      },
    ],
    found: /and its data is|and its volume .* is on/,
    quick: true,
  },
  {
    name: "volume-of-each-deployment",
    breaks: "Services of a project that share a volume get one each, as if none knew of the other.",
    edits: [
      {
        file: "packages/core/src/placement/fleet.ts",
        find: "  return nodesWith(fleet, need.volumes.map(mountKey));\n",
        replace:
          "  const own = fleet.deployed.get(need.deploymentId) ?? new Map<number, number>();\n" +
          "  const nodes = nodesWith(fleet, need.volumes.map(mountKey));\n" +
          "  return nodes.filter(id => own.has(fleet.indexOf.get(id) ?? -1));\n",
      },
      {
        file: "packages/core/src/placement/fleet.ts",
        find: "homesOf(fleet, need).length > 0 ? [] : nodesWith",
        replace: "homesOf(fleet, need).length >= 0 ? [] : nodesWith",
      },
    ],
    found: /and its data is|and its volume .* is on/,
    quick: true,
  },
  {
    name: "volume-not-awaited",
    breaks: "What mounts a volume is given up when the volume's node is down, and is placed elsewhere.",
    edits: [
      {
        file: "packages/core/src/passes/leaving.ts",
        find: "mounts.set(key, one.mayMoveEmpty && mounts.get(key) !== false);",
        replace: "mounts.set(key, true);",
      },
    ],
    found: /is left behind on .*, and .* waits for it/,
    quick: true,
  },
  {
    name: "volume-left-too-early",
    breaks: "A volume is left behind as soon as its node is silent.",
    edits: [
      {
        file: "packages/core/src/passes/leaving.ts",
        find: 'node === undefined || node.liveness === "down";',
        replace: 'node === undefined || node.liveness !== "ready";',
      },
    ],
    found: /is given up, though/,
  },
];
