import { NetWay } from "@skep/api/gen/skep/v1/net_pb.ts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { desire } from "../plan/desire.ts";
import { difference } from "../plan/difference.ts";
import type { Plane } from "../plan/plane.ts";
import { EMPTY_SURVEY } from "../plan/survey.ts";
import { fullMessage, message, stateOf } from "../testing/states.ts";
import type { Failure, Kernel } from "./kernel.ts";

/** A node with the address 198.18.0.11 on a link of 1,500 bytes, and sandboxes beside it. */
export interface NodeUnderTest {
  readonly kernel: Kernel;
  /** Two namespaces that can be opened. */
  readonly namespaces: readonly [string, string];
  /** Ends one of them, as the engine does with a sandbox. */
  end(namespace: string): Promise<void>;
  close(): Promise<void>;
}

/** What every kernel does, the real one and the twin. */
export function describeKernel(name: string, open: () => Promise<NodeUnderTest>): void {
  describe(name, () => {
    let node: NodeUnderTest;
    beforeEach(async () => (node = await open()));
    afterEach(() => node?.close());

    const planeOf = (told: Parameters<typeof stateOf>[0]): Plane => desire(stateOf(told), EMPTY_SURVEY).plane;
    const stepsTo = async (plane: Plane) => difference((await node.kernel.look()).plane, plane);
    const make = async (plane: Plane): Promise<readonly Failure[]> => node.kernel.carryOut(await stepsTo(plane));

    it("shows what was made, down to the last element, so that nothing is left to do", async () => {
      const wanted = planeOf(fullMessage(node.namespaces));
      expect(await make(wanted)).toEqual([]);
      const { plane } = await node.kernel.look();
      expect(difference(plane, wanted)).toEqual([]);
      expect(plane.links).toEqual(wanted.links);
      expect(plane.tunnel).toEqual(wanted.tunnel);
    });

    it("goes from one plane to another and back to nothing", async () => {
      await make(planeOf(fullMessage(node.namespaces)));
      const other = planeOf(fullMessage([node.namespaces[1], node.namespaces[0]], NetWay.DIRECT));
      expect(await make(other)).toEqual([]);
      expect(await stepsTo(other)).toEqual([]);
      const nothing = planeOf(message({ peers: [] }));
      expect(await make(nothing)).toEqual([]);
      const { plane } = await node.kernel.look();
      expect(plane.links.size + plane.neighbours.size + plane.tunnelEnds.size).toBe(0);
      expect([...plane.routes.keys()]).toEqual(["10.128.0.0/20"]);
      expect(plane.tunnel).toBeUndefined();
    });

    it("names what failed, and does the rest", async () => {
      const told = fullMessage([node.namespaces[0], "/run/netns/nowhere"]);
      const failures = await make(planeOf(told));
      expect(new Set(failures.map(({ step }) => ("link" in step ? step.link.copy.instanceId : "")))).toContain("b1");
      expect(failures[0]?.because).not.toBe("");
      const { plane } = await node.kernel.look();
      expect([...plane.links.values()].filter(link => link.isReady).map(link => link.copy.instanceId)).toEqual(["a1"]);
      expect(plane.routes.has("10.128.0.2/32")).toBe(true);
    });

    it("loses a link with its sandbox, and what went by it", async () => {
      await make(planeOf(fullMessage(node.namespaces)));
      await node.end(node.namespaces[0]);
      await vi.waitFor(async () => {
        const { plane } = await node.kernel.look();
        expect([...plane.links.values()].map(link => link.copy.instanceId)).toEqual(["b1"]);
        expect(plane.routes.has("10.128.0.2/32")).toBe(false);
      });
    });

    it("changes all elements or none", async () => {
      const wanted = planeOf(fullMessage(node.namespaces));
      await make(wanted);
      const remove = new Map([["members", new Map([["10.128.0.2 . 77", ""]])]]);
      const add = new Map([["members", new Map([["10.128.0.2 . 99", ""]])]]);
      const failures = await node.kernel.carryOut([{ kind: "change-elements", remove, add }]);
      expect(failures).toHaveLength(1);
      expect(await stepsTo(wanted)).toEqual([]);
    });

    it("changes the size of a link that is in use", async () => {
      const wanted = planeOf(fullMessage(node.namespaces));
      await make(wanted);
      const wider = new Map([...wanted.links].map(([name, link]) => [name, { ...link, mtu: 1_400 }]));
      const steps = await stepsTo({ ...wanted, links: wider });
      expect(steps.map(step => step.kind)).toEqual(["resize-link", "resize-link"]);
      expect(await node.kernel.carryOut(steps)).toEqual([]);
      expect((await node.kernel.look()).plane.links).toEqual(wider);
    });

    it("tells of changes", async () => {
      const onChange = vi.fn();
      const watch = node.kernel.watch(onChange);
      await vi.waitFor(async () => {
        await make(planeOf(fullMessage(node.namespaces)));
        await make(planeOf(message({ peers: [] })));
        expect(onChange).toHaveBeenCalled();
      });
      watch.close();
    });
  });
}
