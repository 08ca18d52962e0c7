import { decodeDirectoryFetch, encodeDirectoryNews } from "@skep/api/codec/directory.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { digestOfParts, keyOfPart, type DirectoryPart } from "@skep/core/network/held-directory.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createLoops } from "@skep/kit/loops.ts";
import { createMemoryNetwork } from "@skep/kit/memory-bus.ts";
import { seededRandom } from "@skep/kit/random.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { afterEach, expect, it } from "vitest";
import { createMemoryMemo } from "../loop/memo.ts";
import { createDirectoryUplink, type DirectoryUplink } from "./directory.ts";

const part = (tenantId: string, digest: bigint): DirectoryPart => ({
  ...{ kind: "tenant", digest, names: { tenantId, entries: [] } },
});

let closing: DirectoryUplink[] = [];
afterEach(async () => {
  await Promise.all(closing.map(one => one.close()));
  closing = [];
});

/** A node, and a leader that says what a test wants. */
function aNode() {
  const clock = createVirtualClock(1_700_000_000_000);
  const network = createMemoryNetwork(clock);
  const log = createRecordingLog();
  const memo = createMemoryMemo();
  const leader = network.connect("leader");
  let incarnation = "inc";
  let seq = 0;
  let asked = 0;
  const news = (all: readonly DirectoryPart[], parts: readonly DirectoryPart[], gone: readonly string[] = []) => {
    const digest = digestOfParts(all);
    return encodeDirectoryNews("n1", { incarnation: "inc", term: 1, seq: ++seq, digest, parts, gone }, 1_000_000);
  };
  return {
    clock,
    log,
    memo,
    asked: () => asked,
    works: (by: string) => void (incarnation = by),
    begin: async () => {
      const loops = createLoops({ clock, log, random: seededRandom("names") });
      const made = createDirectoryUplink({
        ...{ bus: network.connect(`agent-${closing.length}`), clock, log, loops, nodeId: "n1", sessionId: "s", memo },
        ...{ kept: await memo.read(), incarnation: () => incarnation },
      });
      closing.push(made);
      return made;
    },
    tell: async (...told: Parameters<typeof news>) => {
      leader.publish(nodeSubject("names", "n1"), news(...told));
      await clock.advance(100);
    },
    /** Answers with at most `most` of what is lacking. */
    answer: (all: readonly DirectoryPart[], most = 100) =>
      leader.subscribe(nodeSubject("find", "n1"), message => {
        asked += 1;
        const { held } = decodeDirectoryFetch(message.data);
        const lacking = all.filter(one => held.get(keyOfPart(one)) !== one.digest).slice(0, most);
        message.reply(
          news(
            all,
            lacking,
            [...held.keys()].filter(key => !all.some(one => keyOfPart(one) === key)),
          ),
        );
      }),
  };
}

const keys = (uplink: DirectoryUplink) => [...uplink.held().parts.keys()].toSorted();
const all = [part("a", 1n), part("b", 2n), part("c", 4n)];

it("takes what it is told and asks for the rest, as often as it takes", async () => {
  const node = aNode();
  const uplink = await node.begin();
  node.answer(all, 1);
  await node.tell(all, [part("a", 1n), part("old", 8n)]);
  await node.clock.advance(500);
  expect(keys(uplink)).toEqual(["a", "b", "c"]);
  expect(node.asked()).toBe(2);
  await node.tell(all, []);
  expect(node.asked(), "all is as it was").toBe(2);
});

it("asks again where nobody answers, and not without a pause", async () => {
  const node = aNode();
  const uplink = await node.begin();
  await node.tell(all, []);
  await node.clock.advance(2_000);
  node.answer(all);
  await node.clock.advance(1_500);
  expect(keys(uplink)).toEqual(["a", "b", "c"]);
  const other = aNode();
  await other.begin();
  other.answer([]);
  await other.tell(all, []);
  await other.clock.advance(10_000);
  expect(other.asked(), "a leader that knows nothing").toBeLessThan(12);
});

it("knows after a restart what it knew before, though nobody tells it", async () => {
  const node = aNode();
  await node.begin();
  await node.tell(all, all);
  await node.clock.advance(500);
  expect(keys(await node.begin())).toEqual(["a", "b", "c"]);
  await node.memo.write(["nonsense"]);
  expect(keys(await node.begin())).toEqual([]);
  expect(node.log.lines.map(one => one.event)).toContain("directory.spoilt");
});

it("takes no news of other records than those that the node works by", async () => {
  const node = aNode();
  node.works("another");
  const uplink = await node.begin();
  await node.tell(all, all);
  expect(keys(uplink)).toEqual([]);
  node.works("inc");
  await node.tell(all, all);
  expect(keys(uplink)).toEqual(["a", "b", "c"]);
});
