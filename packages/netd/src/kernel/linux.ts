import type { Ruleset, Sets } from "../plan/plane.ts";
import { carryOut } from "./carry-out.ts";
import type { Kernel, Sight } from "./kernel.ts";
import { readTable } from "./listed-table.ts";
import { LIST_TABLE, lookScript, readSight, type Listed } from "./look.ts";
import { runProgram, type Ended } from "./program.ts";
import { nftText } from "./script.ts";
import { watchKernel } from "./watch.ts";

/** How the programs are run. */
export interface LinuxOptions {
  /** What stands before each program: tests run them in the namespace of a node of theirs. */
  readonly within?: readonly string[];
  /** Longest that a program may take. */
  readonly deadlineMs?: number;
}

/** Elements are read again after so many looks though nothing was heard of a change. */
const READ_EVERY = 12;

/** The kernel of this machine, by iproute2 and nftables. */
export function createLinuxKernel({ within = [], deadlineMs = 10_000 }: LinuxOptions = {}): Kernel {
  // How nft lists the rules that were put there last: it does not list the text that it was given.
  let put: { readonly rules: string; readonly listed: string } | undefined;

  const run = (argv: readonly string[], input: string): Promise<Ended> =>
    runProgram([...within, ...argv], input, deadlineMs);

  // What was in the sets when they were read last. With thousands of elements that takes most of a
  // look, so they are read again only after something was heard of a change, and now and then.
  let elements: { readonly sets: Sets; readonly changes: number; looks: number } | undefined;
  let changes = 0;
  let isHearing = false;

  async function look(): Promise<Sight> {
    const isKnown = isHearing && elements?.changes === changes && ++elements.looks < READ_EVERY;
    const known = isKnown ? elements?.sets : undefined;
    const before = changes;
    const { stdout, stderr, code } = await run(["sh"], lookScript(known === undefined));
    if (code !== 0) throw new Error(`The node's network cannot be read: ${stderr.trim()}`);
    const listed = readSight(stdout);
    const sets = known ?? listed.table?.sets;
    if (known === undefined) elements = sets && { sets, changes: before, looks: 0 };
    return { survey: listed.survey, plane: { ...listed.plane, ruleset: rulesetOf(listed, sets) } };
  }

  /** Rules that are not listed as they were when we put them were changed by somebody. */
  function rulesetOf({ table }: Listed, sets: Sets | undefined): Ruleset | undefined {
    if (table === undefined || sets === undefined) return undefined;
    return { rules: put?.listed === table.listed ? put.rules : "", sets };
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

  return {
    look,
    carryOut: async steps => {
      changes += 1;
      const failures = await carryOut(run, steps);
      const table = steps.findLast(step => step.kind === "put-table");
      if (table !== undefined && !failures.some(failure => failure.step === table)) await learn(table.ruleset.rules);
      return failures;
    },
    watch: onChange => {
      isHearing = true;
      const watch = watchKernel(within, where => {
        if (where === "tables") changes += 1;
        onChange();
      });
      return { close: () => ((isHearing = false), watch.close()) };
    },
  };
}

/** Puts rules into a namespace without anything, and lists them. */
function listScript(rules: string): string {
  const text = nftText([{ kind: "put-table", ruleset: { rules, sets: new Map() } }]);
  return `nft -f - <<'END' && ${LIST_TABLE} < /dev/null\n${text}\nEND\n`;
}
