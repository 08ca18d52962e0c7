import type { Step } from "../plan/step.ts";
import type { Failure } from "./kernel.ts";
import type { Ended } from "./program.ts";
import { batchLines, forgetScript, insideScript, nftText, SEPARATOR, toolOf, type Tool } from "./script.ts";

/** Runs a program on the node with this input. */
export type Run = (argv: readonly string[], input: string) => Promise<Ended>;

/** Takes the steps in their order, with as few processes as that allows. */
export async function carryOut(run: Run, steps: readonly Step[]): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  for (const [tool, group] of grouped(steps)) failures.push(...(await runGroup(run, tool, group)));
  return failures;
}

/** Steps that follow each other and are done by one program, as one call of it. */
function grouped(steps: readonly Step[]): readonly (readonly [Tool, readonly Step[]])[] {
  const groups: (readonly [Tool, Step[]])[] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (last?.[0] === toolOf(step)) last[1].push(step);
    else groups.push([toolOf(step), [step]]);
  }
  return groups;
}

async function runGroup(run: Run, tool: Tool, steps: readonly Step[]): Promise<readonly Failure[]> {
  try {
    switch (tool) {
      case "nft":
        return failuresOfAll(steps, await run(["nft", "-f", "-"], nftText(steps)));
      case "conntrack":
        return failuresOfAll(steps, await run(["sh"], forgetScript(steps)));
      case "forwarding":
        return failuresOfAll(steps, await run(["sh"], "echo 1 > /proc/sys/net/ipv4/ip_forward"));
      case "docker":
        return failuresOfAll(steps, await run(["sh"], PASS_DOCKER));
      case "inside":
        return failuresInside(steps, await run(["sh"], insideScript(steps)));
      default:
        return await runBatch(run, tool, steps);
    }
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    return steps.map(step => ({ step, because }));
  }
}

async function runBatch(run: Run, tool: "ip" | "bridge", steps: readonly Step[]): Promise<readonly Failure[]> {
  const lines = steps.flatMap(step => batchLines(step).map(line => ({ step, line })));
  const ended = await run([tool, "-force", "-batch", "-"], lines.map(({ line }) => line).join("\n"));
  return failuresOfLines(
    lines.map(({ step }) => step),
    ended,
  );
}

function failuresOfAll(steps: readonly Step[], { code, stderr }: Ended): readonly Failure[] {
  return code === 0 ? [] : steps.map(step => ({ step, because: stderr.trim() || `it ended with code ${code}` }));
}

/** A batch says which of its lines failed, and in the line above why. */
function failuresOfLines(owners: readonly Step[], { stderr, code }: Ended): readonly Failure[] {
  const failures = new Map<Step, string>();
  let words: string[] = [];
  for (const line of stderr.split("\n")) {
    const [, number] = /^Command failed -:(\d+)/.exec(line) ?? [];
    if (number === undefined) {
      if (line.trim() !== "") words.push(line.trim());
      continue;
    }
    const step = owners[Number(number) - 1];
    if (step !== undefined && !failures.has(step)) failures.set(step, words.join(" "));
    words = [];
  }
  if (code !== 0 && failures.size === 0) for (const step of owners) failures.set(step, words.join(" "));
  return [...failures].map(([step, because]) => ({ step, because }));
}

function failuresInside(steps: readonly Step[], { stdout }: Ended): readonly Failure[] {
  return [...stdout.matchAll(new RegExp(`([^${SEPARATOR}]*)${SEPARATOR}(\\d+) `, "g"))].flatMap(
    ([, said = "", index]) => {
      const step = steps[Number(index)];
      return step === undefined ? [] : [{ step, because: said.replaceAll(/\s+/g, " ").trim() }];
    },
  );
}

/** The engine's own chain for its users, in each flavour of iptables that has it. */
const PASS_DOCKER = `
set -e
for each in iptables-nft iptables-legacy; do
  command -v $each > /dev/null || continue
  # Asking the older flavour would begin it on a node that does not use it.
  [ $each = iptables-nft ] || grep -q filter /proc/net/ip_tables_names 2> /dev/null || continue
  $each -w 5 -n -L DOCKER-USER > /dev/null 2>&1 || continue
  for way in -i -o; do
    $each -w 5 -C DOCKER-USER $way skn+ -m comment --comment skep -j ACCEPT 2> /dev/null ||
      $each -w 5 -I DOCKER-USER $way skn+ -m comment --comment skep -j ACCEPT
  done
done
`;
