import { describe, expect, it } from "vitest";
import { parseBlock } from "./block.ts";
import { KEEP_BLOCK_MS, planBlocks, wantsBlock, type BlockHolder, type Pool } from "./blocks.ts";

const POOL: Pool = { block: parseBlock("10.128.0.0/18")!, nodeBits: 20 };
const NOW = 1_700_000_000_000;

function holder(id: string, block?: string, reported?: string, goneSince?: number): BlockHolder {
  return { id, block, reported, goneSince };
}

function plan(holders: readonly BlockHolder[], mayGive = true) {
  const { changes, findings } = planBlocks(holders, POOL, { now: NOW, mayGive });
  return {
    given: Object.fromEntries(changes.map(({ nodeId, block }) => [nodeId, block])),
    kinds: findings.map(({ nodeId, kind }) => `${nodeId} ${kind}`),
    changes,
    findings,
  };
}

describe("node blocks", () => {
  it("gives a new node the lowest free one, and leaves everybody what they have", () => {
    const { given } = plan([holder("c"), holder("a", "10.128.0.0/20"), holder("b", "10.128.32.0/20"), holder("d")]);
    expect(given).toEqual({ c: "10.128.16.0/20", d: "10.128.48.0/20" });
  });

  it("is its own fixpoint", () => {
    const first = plan([holder("a"), holder("b", undefined, "10.128.0.0/20")]).given;
    expect(first).toEqual({ a: "10.128.16.0/20", b: "10.128.0.0/20" });
    expect(plan([holder("a", first.a), holder("b", first.b, "10.128.0.0/20")]).changes).toEqual([]);
  });

  it("gives nothing new while nodes may still say what they have, and believes those that did", () => {
    const { given } = plan([holder("a"), holder("b", undefined, "10.128.0.0/20")], false);
    expect(given).toEqual({ b: "10.128.0.0/20" });
  });

  it("gives no node what another works by", () => {
    const gone = holder("z", undefined, "10.128.0.0/20", NOW - 1);
    expect(plan([holder("a"), gone]).given).toEqual({ a: "10.128.16.0/20" });
  });

  it("believes an agent that works by a free block, whatever is recorded", () => {
    const { given, changes } = plan([holder("a", "10.128.0.0/20", "10.128.48.0/20"), holder("b", "10.128.16.0/20")]);
    expect(given).toEqual({ a: "10.128.48.0/20" });
    expect(changes[0]).toMatchObject({ was: "10.128.0.0/20", because: "its agent works by it" });
  });

  it("takes a block from a recorded node that never worked by it, and gives that one another", () => {
    const { given, changes } = plan([holder("a", "10.128.0.0/20"), holder("b", "10.128.16.0/20", "10.128.0.0/20")]);
    expect(given).toEqual({ a: "10.128.16.0/20", b: "10.128.0.0/20" });
    expect(changes).toHaveLength(2);
  });

  it("lets the recorded one of two that work by one block keep it, and names the other", () => {
    const { given, kinds, findings } = plan([
      holder("a", "10.128.16.0/20", "10.128.0.0/20"),
      holder("b", "10.128.0.0/20", "10.128.0.0/20"),
    ]);
    expect(given).toEqual({});
    expect(kinds).toEqual(["a network.block-refused"]);
    expect(findings[0]?.sentence).toContain("node b works by them too");
  });

  it.each(["10.77.0.0/16", "10.128.0.0/19", "10.128.64.0/20", "nonsense"])("believes no claim of %s", claim => {
    const { given, kinds } = plan([holder("a", "10.128.0.0/20", claim)]);
    expect(given).toEqual({});
    expect(kinds).toEqual(["a network.block-refused"]);
  });

  describe("once the pool is used up", () => {
    const three = [holder("a", "10.128.0.0/20"), holder("b", "10.128.16.0/20"), holder("c", "10.128.32.0/20")];

    it("says so by the node's name", () => {
      const { given, findings } = plan([...three, holder("d", "10.128.48.0/20"), holder("e")]);
      expect(given).toEqual({});
      expect(findings[0]?.sentence).toContain("No block of addresses is left for node e: all of 10.128.0.0/18");
    });

    it("gives the block of the node that has been gone for longest, if long enough", () => {
      const goneAt = (ms: number) => holder("z", "10.128.48.0/20", "10.128.48.0/20", NOW - ms);
      expect(plan([...three, goneAt(KEEP_BLOCK_MS - 1), holder("e")]).given).toEqual({});
      const { changes } = plan([...three, goneAt(KEEP_BLOCK_MS), holder("e")]);
      expect(changes.map(({ nodeId, block }) => [nodeId, block])).toEqual([
        ["z", undefined],
        ["e", "10.128.48.0/20"],
      ]);
    });
  });

  it("passes over a block of another size, as one from before the setting was changed", () => {
    expect(plan([holder("a", "10.128.0.0/19"), holder("b")]).given).toEqual({ b: "10.128.32.0/20" });
  });

  it("knows who wants one", () => {
    expect(wantsBlock({})).toBe(true);
    expect(wantsBlock({ block: "10.128.0.0/20", reportedBlock: "10.128.16.0/20" })).toBe(true);
    expect(wantsBlock({ block: "10.128.0.0/20", reportedBlock: "10.128.0.0/20" })).toBe(false);
    expect(wantsBlock({ block: "10.128.0.0/20" })).toBe(false);
  });
});
