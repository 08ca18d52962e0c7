import { expect, it } from "vitest";
import { workspaceState } from "./state.ts";

it.each([
  ["waiting", "run", undefined],
  ["stopped", "stopped", undefined],
  ["stopped", "deleted", undefined],
  ["deploying", "run", { desired: "run", state: "assigned" }],
  ["active", "run", { desired: "run", state: "running" }],
  ["stopping", "run", { desired: "stop", state: "running" }],
  ["stopping", "stopped", { desired: "run", state: "running" }],
  ["waiting", "run", { desired: "stop", state: "stopped" }],
  ["stopped", "deleted", { desired: "stop", state: "stopped" }],
] as const)("A workspace is %s where it is to be %s and its host says %o", (state, desired, location) => {
  expect(workspaceState({ desired }, location)).toBe(state);
});
