import type { Failure, Kernel, Sight } from "./kernel.ts";
import { readTable } from "./listed-table.ts";
import { LIST_TABLE, LOOK, readSight, type Listed } from "./look.ts";
import { runProgram, type Ended } from "./program.ts";
import { batchLines, forgetScript, insideScript, nftText, SEPARATOR, toolOf, type Tool } from "./script.ts";
import { watchKernel } from "./watch.ts";
import type { Ruleset } from "../plan/plane.ts";
import type { Step } from "../plan/step.ts";

/** How the programs are run. */
export interface LinuxOptions {
  /** What stands before each program: tests run them in the namespace of a node of theirs. */
  readonly within?: readonly string[];
  /** Longest that a program may take. */
  readonly deadlineMs?: number;
}

/** The kernel of this machine, by iproute2 and nftables. */
export function createLinuxKernel({ within = [], deadlineMs = 10_000 }: LinuxOptions = {}): Kernel {
  // How nft lists the rules that were put there last: it does not list the text that it was given.
  let put: { readonly rules: string; readonly listed: string } | undefined;

  const run = (argv: readonly string[], input: string): Promise<Ended> =>
    runProgram([...within, ...argv], input, deadlineMs);

  async function look(): Promise<Sight> {
    const { stdout, stderr, code } = await run(["sh"], LOOK);
    if (code !== 0) throw new Error(`The node's network cannot be read: ${stderr.trim()}`);
    const listed = readSight(stdout);
    return { survey: listed.survey, plane: { ...listed.plane, ruleset: rulesetOf(listed) } };
  }

  /** Rules that are not listed as they were when we put them were changed by somebody. */
  function rulesetOf({ table }: Listed): Ruleset | undefined {
    if (table === undefined) return undefined;
    return { rules: put?.listed === table.listed ? put.rules : "", sets: table.sets };
  }

  async function carryOut(steps: readonly Step[]): Promise<readonly Failure[]> {
    const failures: Failure[] = [];
    for (const [tool, group] of grouped(steps)) failures.push(...(await runGroup(tool, group)));
    const table = steps.findLast(step => step.kind === "put-table");
    if (table !== undefined && !failures.some(failure => failure.step === table)) await learn(table.ruleset.rules);
    return failures;
  }

  /**
   * Lists the rules where nobody else can change them: in a namespace that is gone afterwards. What
   * is listed beside the node's own table may be somebody else's work already.
   */
  async function learn(rules: string): Promise<void> {
    if (put?.rules === rules) return;
    const { stdout, stderr } = await run(["unshare", "--net", "sh"], listScript(rules));
    const table = readTable(stdout);
    if (table === undefined) throw new Error(`The rules cannot be listed: ${stderr.trim()}`);
    put = { rules, listed: table.listed };
  }

  async function runGroup(tool: Tool, steps: readonly Step[]): Promise<readonly Failure[]> {
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
          return await runBatch(tool, steps);
      }
    } catch (error) {
      const because = error instanceof Error ? error.message : String(error);
      return steps.map(step => ({ step, because }));
    }
  }

  async function runBatch(tool: "ip" | "bridge", steps: readonly Step[]): Promise<readonly Failure[]> {
    const owners = steps.flatMap(step => batchLines(step).map(line => ({ step, line })));
    const ended = await run([tool, "-force", "-batch", "-"], owners.map(({ line }) => line).join("\n"));
    return failuresOfLines(
      owners.map(({ step }) => step),
      ended,
    );
  }

  return {
    look,
    carryOut,
    watch: onChange => watchKernel(within, onChange),
  };
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

function failuresOfAll(steps: readonly Step[], { code, stderr }: Ended): readonly Failure[] {
  return code === 0 ? [] : steps.map(step => ({ step, because: stderr.trim() || `it ended with code ${code}` }));
}

/** A batch says before which of its lines it stopped, and in the line above why. */
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

/** Puts rules into a namespace without anything, and lists them. */
function listScript(rules: string): string {
  const text = nftText([{ kind: "put-table", ruleset: { rules, sets: new Map() } }]);
  return `nft -f - <<'END' && ${LIST_TABLE} < /dev/null\n${text}\nEND\n`;
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
