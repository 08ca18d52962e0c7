import type { Decision } from "@skep/core/model/decision.ts";
import type { Node } from "@skep/core/model/node.ts";
import {
  DEFAULT_POOL,
  planBlocks,
  wantsBlock,
  type BlockChange,
  type BlockFinding,
} from "@skep/core/network/blocks.ts";
import type { Hints } from "./hints.ts";
import type { Leadership } from "./leader.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** The leader's giver of addresses to nodes. */
export interface Blocks extends Running {
  /** The nodes as the tick saw them: one of them may want a block. */
  saw(nodes: readonly Node[]): void;
}

/** What it works with beside the ports. */
export interface BlockOptions {
  readonly leadership: Leadership;
  readonly hints: Hints;
  /** The tick is to look: a node got its block. */
  readonly wake: () => void;
}

/**
 * How long a new leader gives nobody a block that nobody had: after a database was emptied, every
 * agent says within this time which one it works by.
 */
export const HEAR_FIRST_MS = 10_000;
const GAP_MS = 1_000;
const PERIOD_MS = 60_000;

/** Begins to give. It reads and writes only when a node wants a block. */
export function createBlocks(ports: LoopPorts, { leadership, hints, wake }: BlockOptions): Blocks {
  const { store, clock, log, loops, pool = DEFAULT_POOL } = ports;
  const sinceMs = clock.monotonic();
  const said = new Set<string>();
  let wanting = false;

  async function run(): Promise<void> {
    if (!wanting) return;
    const now = clock.now();
    const hearMs = HEAR_FIRST_MS - (clock.monotonic() - sinceMs);
    if (hearMs > 0) loop.at(now + hearMs);
    const { changes, findings } = planBlocks(await store.loadBlocks(), pool, { now, mayGive: hearMs <= 0 });
    if (!leadership.holds()) return;
    const isWritten = changes.length > 0 && (await store.saveBlocks(changes, leadership));
    // What was refused was based on records that have moved on: the next look sees them.
    if (changes.length > 0 && !isWritten) loop.hint();
    const news = [...(isWritten ? changes.map(one => givenOf(one, now)) : []), ...untold(findings, now)];
    if (isWritten) wake();
    if (news.length === 0) return;
    for (const { kind, sentence, nodeId } of news) log.info(kind, sentence, { nodeId });
    hints.tell({ events: news, nodeIds: changes.map(one => one.nodeId) });
    await store.saveDecisions(news);
  }

  /** Each is said once in a term. */
  function untold(findings: readonly BlockFinding[], at: number): readonly Decision[] {
    const news = findings.filter(({ sentence }) => !said.has(sentence));
    for (const { sentence } of news) said.add(sentence);
    return news.map(({ kind, nodeId, sentence }) => ({ ...NOBODY, at, kind, nodeId, sentence }));
  }

  const loop = loops.begin("blocks", run, { minGapMs: GAP_MS, periodMs: PERIOD_MS });
  return {
    saw: nodes => {
      wanting = nodes.some(wantsBlock);
      if (wanting) loop.hint();
    },
    close: () => loop.close(),
  };
}

function givenOf({ nodeId, was, block, because }: BlockChange, at: number): Decision {
  const sentence =
    block === undefined
      ? `Node ${nodeId} has the addresses ${was} no more: ${because}.`
      : `Node ${nodeId} has the addresses ${block}${was === undefined ? "" : ` in place of ${was}`}: ${because}.`;
  return { ...NOBODY, at, kind: "network.block", nodeId, sentence };
}

const NOBODY = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined } as const;
