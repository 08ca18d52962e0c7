import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Netd, NetState } from "./netd.ts";

/** What the suite needs to know of the netd that it runs against. */
export interface NetdUnderTest {
  readonly netd: Netd;
  /** A path at which there is a network namespace, and one at which there is none. */
  readonly netns: string;
  readonly noNetns: string;
  close(): Promise<void>;
}

/** The contract of the Netd port: the twin and a real netd both pass it. */
export function netdContract(name: string, open: () => Promise<NetdUnderTest>): void {
  describe(`the netd contract: ${name}`, () => {
    let under: NetdUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under?.close());

    const state = (revision: number, over: Partial<NetState> = {}): NetState => ({
      ...{ sessionId: "ses-1", revision: BigInt(revision), pool: "10.128.0.0/10" },
      node: { nodeId: "node-1", block: "10.128.0.0/20", address: "198.18.0.11" },
      ...over,
    });
    const attached = (netns: string): Partial<NetState> => ({
      networks: [{ id: 1, tenantId: "acme", name: "default" }],
      attachments: [
        { instanceId: "acme.web.1", epoch: 2, tenantId: "acme", address: "10.128.0.9", netns, networks: [1] },
      ],
    });

    test("takes a state, and finds nothing wrong with what it can make", async () => {
      expect(await under.netd.apply(state(1, attached(under.netns)))).toEqual([]);
      expect(await under.netd.apply(state(1, attached(under.netns)))).toEqual([]);
    });

    test("names the copy that it cannot attach", async () => {
      const faults = await under.netd.apply(state(2, attached(under.noNetns)));
      expect(faults).toMatchObject([{ reason: "attachment-failed", instanceId: "acme.web.1", epoch: 2 }]);
      expect(faults[0]?.message).not.toBe("");
    });

    test("refuses what is older in one session, and takes anything of the next one", async () => {
      await expect(under.netd.apply(state(1))).rejects.toThrow("[failed_precondition]");
      expect(await under.netd.apply(state(1, { sessionId: "ses-2" }))).toEqual([]);
    });

    test("refuses a state without a node", async () => {
      const { node: _, ...rest } = state(3);
      await expect(under.netd.apply(rest)).rejects.toThrow("[invalid_argument]");
    });
  });
}
