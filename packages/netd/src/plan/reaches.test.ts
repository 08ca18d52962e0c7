import fc from "fast-check";
import { formatAddress, holds, parseBlock, sizeOf } from "@skep/core/network/block.ts";
import { describe, expect, it } from "vitest";
import type { Reach } from "../state/net-state.ts";
import { disjoint, elementOf } from "./blocks.ts";
import { reachElements } from "./reaches.ts";

/** Blocks close to each other, so that they often hold one another. */
const blocks = fc
  .record({ offset: fc.integer({ min: 0, max: 31 }), bits: fc.integer({ min: 27, max: 32 }) })
  .map(({ offset, bits }) => parseBlock(`${formatAddress(0x0a_00_00_00 + offset)}/${bits}`)!);
const ports = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 3 }))
  .map(([from, more]) => ({ from, to: from + more }));
const reaches: fc.Arbitrary<Reach> = fc.record({
  block: blocks,
  protocol: fc.constant("tcp" as const),
  ports: fc.option(ports, { nil: undefined }),
});

const PORTS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const ADDRESSES = Array.from({ length: sizeOf(27) }, (_, index) => formatAddress(0x0a_00_00_00 + index));

/** How many elements hold this address and port: nftables takes no two of them. */
function holding(elements: readonly string[], address: string, port: number): number {
  return elements.filter(element => {
    const [block = "", , range = ""] = element.split(" . ");
    const [from = 0, to = from] = range.split("-").map(Number);
    return holds(parseBlock(block.includes("/") ? block : `${block}/32`)!, address) && from <= port && port <= to;
  }).length;
}

describe("destinations as elements", () => {
  it("hold what was meant, and each of it once", () => {
    fc.assert(
      fc.property(fc.array(reaches, { maxLength: 4 }), all => {
        const elements = reachElements(all).ports;
        for (const address of ADDRESSES)
          for (const port of PORTS) {
            const isMeant = all.some(
              one =>
                holds(one.block, address) &&
                (one.ports === undefined || (one.ports.from <= port && port <= one.ports.to)),
            );
            expect(holding(elements, address, port), `${address} ${port}`).toBe(isMeant ? 1 : 0);
          }
      }),
      { numRuns: 60 },
    );
  });

  it("name each protocol by its number, and all protocols by none", () => {
    const block = parseBlock("10.0.0.0/24")!;
    const told: readonly Reach[] = [
      { block, protocol: undefined, ports: undefined },
      { block, protocol: "udp", ports: { from: 53, to: 53 } },
    ];
    expect(reachElements(told)).toEqual({ any: ["10.0.0.0/24"], ports: ["10.0.0.0/24 . 17 . 53"] });
  });

  it("leave out a block within another", () => {
    const all = ["10.0.0.0/24", "10.0.0.128/25", "10.0.1.1/32", "10.0.0.0/24"].map(text => parseBlock(text)!);
    expect(disjoint(all).map(elementOf)).toEqual(["10.0.0.0/24", "10.0.1.1"]);
  });
});
