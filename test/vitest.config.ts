import { dirname } from "node:path";
import { defineConfig } from "vitest/config";

const root = dirname(import.meta.dirname);

/**
 * One vitest for the whole repository; each project is one kind of proof, from milliseconds to
 * minutes.
 */
export default defineConfig({
  root,
  test: {
    projects: [
      { root, test: { name: "tidy", include: ["test/tidy/*.test.ts"] } },
      {
        root,
        test: {
          name: "unit",
          include: [
            "packages/*/src/**/*.test.ts",
            "deploy/**/*.test.ts",
            "test/load/*.test.ts",
            "test/run/*.test.ts",
            "test/support/*.test.ts",
          ],
          testTimeout: 20_000,
        },
      },
      {
        root,
        test: {
          name: "simulation",
          include: ["test/simulation/*.test.ts"],
          testTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        root,
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
      {
        root,
        test: {
          name: "swarm",
          disableConsoleIntercept: true,
          include: ["test/swarm/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
      {
        root,
        test: {
          name: "long",
          disableConsoleIntercept: true,
          include: ["test/long/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
