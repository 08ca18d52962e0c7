export { downFleet, downOnSignals, openFleet, upFleet } from "./fleet-life.ts";
export { docker, execOnNode } from "./exec.ts";
export { cutNode, healNode, killNode, pauseNode, resumeNode, startNode } from "./faults.ts";
export { forward } from "./forward.ts";
/** An open forward, as `forward` returns it. */
export type { Forward } from "./forward.ts";
/** The words of a fleet. */
export type { Fleet, FleetNode, FleetOptions } from "./model.ts";
