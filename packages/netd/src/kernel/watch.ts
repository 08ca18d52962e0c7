import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { GATEWAY, LINK_PREFIX, ROUTE_PROTOCOL, TABLE } from "../plan/names.ts";

/** Both print a line for each change, whoever makes it and whatever it is about. */
const MONITORS: readonly (readonly string[])[] = [
  ["nft", "monitor"],
  ["ip", "-4", "monitor", "link", "address", "route"],
];

/** What is in those that may concern us; the rest is left to the look that comes anyway. */
const OURS = new RegExp(`${LINK_PREFIX}|${TABLE}|proto ${ROUTE_PROTOCOL}|${GATEWAY}|DOCKER-USER`);

/** One that ended is begun again after this time, and its end counts as a change. */
const AGAIN_MS = 2_000;

/** Calls back whenever the kernel tells of a change that may concern us. */
export function watchKernel(
  within: readonly string[],
  onChange: (where: "tables" | "links") => void,
): { close(): void } {
  let isClosed = false;
  const children = new Set<ChildProcess>();
  const timers = new Set<NodeJS.Timeout>();
  const begin = (argv: readonly string[]): void => {
    const [program = "", ...args] = [...within, ...argv];
    const where = argv === MONITORS[0] ? "tables" : "links";
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    children.add(child);
    createInterface({ input: child.stdout }).on("line", line => {
      if (OURS.test(line)) onChange(where);
    });
    const again = (): void => {
      if (!children.delete(child) || isClosed) return;
      onChange(where);
      const timer = setTimeout(() => (timers.delete(timer), begin(argv)), AGAIN_MS);
      timers.add(timer);
    };
    child.on("error", again).on("close", again);
  };
  for (const argv of MONITORS) begin(argv);
  return {
    close: () => {
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      for (const child of children) child.kill("SIGKILL");
    },
  };
}
