import { spawn, type ChildProcess } from "node:child_process";

/** Both print a line for each change, whoever makes it. */
const MONITORS: readonly (readonly string[])[] = [
  ["nft", "monitor"],
  ["ip", "-4", "monitor", "link", "address", "route"],
];

/** One that ended is begun again after this time, and its end counts as a change. */
const AGAIN_MS = 2_000;

/** Calls back whenever the kernel tells of a change of its network. */
export function watchKernel(within: readonly string[], onChange: () => void): { close(): void } {
  let isClosed = false;
  const children = new Set<ChildProcess>();
  const timers = new Set<NodeJS.Timeout>();
  const begin = (argv: readonly string[]): void => {
    const [program = "", ...args] = [...within, ...argv];
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    children.add(child);
    child.stdout.on("data", () => onChange());
    const again = (): void => {
      if (!children.delete(child) || isClosed) return;
      onChange();
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
