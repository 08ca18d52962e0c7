import { describe, expect, it } from "vitest";
import { parseBlock } from "@skep/core/network/block.ts";
import { aNode } from "@skep/core/testing/builders.ts";
import { someFacts } from "../store/testing/records.ts";
import { createRig } from "../testing/rig.ts";
import { createBlocks, HEAR_FIRST_MS } from "./blocks.ts";
import { createHints } from "./hints.ts";

const POOL = { block: parseBlock("10.128.0.0/19")!, nodeBits: 20 };

async function aLeader() {
  const rig = createRig();
  const ports = { ...rig.ports("one"), pool: POOL };
  const lease = await ports.store.takeLease("one", 3_600_000);
  const leadership = { term: lease.term, holder: "one", identity: lease.identity, holds: () => true };
  let woken = 0;
  const blocks = createBlocks(ports, {
    leadership,
    hints: createHints(ports.bus, ports.clock),
    wake: () => void (woken += 1),
  });
  const come = async (nodeId: string, block?: string) => {
    await ports.store.saveFacts(someFacts({ nodeId, ...(block === undefined ? {} : { block }) }), rig.clock.now());
    blocks.saw((await ports.store.loadWorld()).nodes);
  };
  const given = async () => (await ports.store.loadBlocks()).map(one => one.block);
  const said = () => rig.database.records.decisions.map(({ decision }) => decision.sentence);
  return { rig, ports, blocks, come, given, said, woken: () => woken };
}

describe("the giver of blocks", () => {
  it("believes agents at once, and gives new blocks only when all had the time to say theirs", async () => {
    const { rig, blocks, come, given, said, woken } = await aLeader();
    await come("a");
    await rig.clock.advance(2_000);
    await come("b", "10.128.0.0/20");
    await rig.clock.advance(2_000);
    expect(await given()).toEqual([undefined, "10.128.0.0/20"]);
    await rig.clock.advance(HEAR_FIRST_MS);
    expect(await given()).toEqual(["10.128.16.0/20", "10.128.0.0/20"]);
    expect(woken()).toBe(2);
    expect(said()).toEqual([
      "Node b has the addresses 10.128.0.0/20: its agent works by it.",
      "Node a has the addresses 10.128.16.0/20: it is the lowest one that nobody has.",
    ]);
    await blocks.close();
  });

  it("says once that the pool is full, and goes on", async () => {
    const { rig, blocks, come, said } = await aLeader();
    for (const id of ["a", "b", "c"]) await come(id);
    for (let times = 0; times < 3; times += 1) {
      await rig.clock.advance(HEAR_FIRST_MS);
      await come("c");
    }
    const full = said().filter(one => one.includes("No block of addresses is left for node c"));
    expect(full).toHaveLength(1);
    await blocks.close();
  });

  it("reads nothing while nobody wants a block", async () => {
    const { rig, ports, blocks } = await aLeader();
    let reads = 0;
    ports.store.loadBlocks = async () => ((reads += 1), []);
    blocks.saw([aNode({ block: "10.128.0.0/20" })]);
    await rig.clock.advance(120_000);
    expect(reads).toBe(0);
    await blocks.close();
  });
});
