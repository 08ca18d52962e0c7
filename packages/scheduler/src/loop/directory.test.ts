import { decodeDirectoryNews, encodeDirectoryFetch } from "@skep/api/codec/directory.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import { takeNews, NOTHING_HELD, type HeldDirectory } from "@skep/core/network/held-directory.ts";
import { aDeployment, aLocation, aNode, aRelease, aWorld } from "@skep/core/testing/builders.ts";
import type { World } from "@skep/core/world/world.ts";
import { describe, expect, it } from "vitest";
import { createRig } from "../testing/rig.ts";
import { createDirectory, type Directory } from "./directory.ts";

const nodes = ["a", "b"].map((id, at) => aNode({ id, address: `10.0.0.${at + 1}`, block: `10.128.${at * 16}.0/20` }));

function worldWith(health: "none" | "unhealthy" = "none"): World {
  const web = { instanceId: "acme.web.1", nodeId: "a", address: "10.128.0.2", health };
  return aWorld({
    nodes,
    deployments: [aDeployment(), aDeployment({ tenantId: "other" })],
    releases: [aRelease(), aRelease({ deploymentId: "other.web" })],
    locations: [
      aLocation(web),
      aLocation({ instanceId: "other.web.1", nodeId: "b", address: "10.128.16.2" }),
      aLocation({ instanceId: "acme.web.2", nodeId: "b", address: "10.128.16.3" }),
    ],
  });
}

function aRig() {
  const rig = createRig();
  const ports = rig.ports("one");
  const said: Decision[] = [];
  const terms: Directory[] = [];
  /** What each agent holds, and how much came by itself. */
  const held = new Map<string, HeldDirectory>();
  const came: string[] = [];
  const asks: string[] = [];
  let isDeaf = false;
  const agent = rig.network.connect("agents");
  const take = (bytes: Uint8Array): void => {
    const news = decodeDirectoryNews(bytes);
    const { nodeId } = news;
    const taken = takeNews(held.get(nodeId) ?? NOTHING_HELD, news, news.incarnation);
    held.set(nodeId, taken.held);
    if (!taken.isWhole) ask(nodeId).catch(() => undefined);
  };
  const ask = async (nodeId: string): Promise<void> => {
    asks.push(nodeId);
    const parts = held.get(nodeId)?.parts ?? new Map();
    const digests = new Map([...parts].map(([key, part]) => [key, part.digest] as const));
    const question = encodeDirectoryFetch({ nodeId, sessionId: "s", held: digests });
    take(await agent.request(nodeSubject("find", nodeId), question, { timeoutMs: 1_000 }));
  };
  agent.subscribe("skep.v1.names.*", message => {
    if (isDeaf) return;
    const { nodeId, parts, gone } = decodeDirectoryNews(message.data);
    came.push(
      `${nodeId}: ${[...parts.map(one => (one.kind === "tenant" ? one.names.tenantId : "nodes")), ...gone.map(one => `-${one}`)].join(" ")}`,
    );
    take(message.data);
  });
  return {
    rig,
    ports,
    said,
    asks,
    agent,
    deafen: (deaf: boolean) => void (isDeaf = deaf),
    /** `refused`: nodes of whose agents nothing counts. */
    begin: (term: number, maxPayload = 1_000_000, refused: readonly string[] = []): Directory => {
      const identity = rig.database.records.platform;
      const beats = { isRefused: (nodeId: string) => refused.includes(nodeId) };
      const bus = { ...ports.bus, maxPayload: () => maxPayload };
      const options = {
        leadership: { term, identity },
        beats,
        senders: { isGenuine: (subject: string, nodeId: string) => subject.endsWith(`.${nodeId}`) },
      };
      const made = createDirectory({ ...ports, bus }, { ...options, say: all => void said.push(...all) });
      terms.push(made);
      return made;
    },
    tell: async (directory: Directory, world: World) => {
      came.length = 0;
      asks.length = 0;
      directory.tell(world);
      await rig.clock.advance(50);
      return [...came];
    },
    holds: (nodeId: string) =>
      [...(held.get(nodeId)?.parts.values() ?? [])].flatMap(part =>
        part.kind === "network"
          ? [`${part.network.peers.length} nodes`]
          : part.names.entries.map(one =>
              [part.names.tenantId, ...one.well, ...one.others.map(other => `(${other})`)].join(" "),
            ),
      ),
    close: () => Promise.all(terms.map(one => one.close())),
  };
}

describe("what a leader tells of names", () => {
  it("brings a node all that concerns it, and then the changed part of each tenant that is there", async () => {
    const { begin, tell, holds, asks, close } = aRig();
    const directory = begin(1);
    expect(await tell(directory, worldWith())).toEqual(["a: ", "b: "]);
    expect(asks, "a new leader knows not what they hold").toEqual(["a", "b"]);
    expect(holds("a")).toEqual(["2 nodes", "acme 10.128.0.2 10.128.16.3"]);
    expect(holds("b")).toEqual(["2 nodes", "acme 10.128.0.2 10.128.16.3", "other 10.128.16.2"]);
    expect(await tell(directory, worldWith()), "nothing has changed").toEqual([]);
    expect(await tell(directory, worldWith("unhealthy"))).toEqual(["a: acme", "b: acme"]);
    expect(holds("a")).toEqual(["2 nodes", "acme 10.128.16.3 (10.128.0.2)"]);
    const without = { ...worldWith(), locations: worldWith().locations.filter(one => one.nodeId === "a") };
    expect(await tell(directory, without)).toEqual(["a: acme", "b: -acme -other"]);
    expect(holds("b")).toEqual(["2 nodes"]);
    expect(asks).toEqual([]);
    await close();
  });

  it("brings what a node missed within ten seconds", async () => {
    const { rig, begin, tell, holds, deafen, close } = aRig();
    const directory = begin(1);
    await tell(directory, worldWith());
    deafen(true);
    await tell(directory, worldWith("unhealthy"));
    deafen(false);
    expect(holds("a")[1]).toBe("acme 10.128.0.2 10.128.16.3");
    await rig.clock.advance(10_100);
    expect(holds("a")[1]).toBe("acme 10.128.16.3 (10.128.0.2)");
    await close();
  });

  it("answers nobody who asks for another node, or is refused", async () => {
    const { begin, tell, agent, rig, holds, close } = aRig();
    await tell(begin(1, undefined, ["b"]), worldWith());
    expect(holds("b")).toEqual([]);
    const question = encodeDirectoryFetch({ nodeId: "a", sessionId: "s", held: new Map() });
    const stolen = agent.request(nodeSubject("find", "b"), question, { timeoutMs: 500 });
    const ended = expect(stolen).rejects.toThrow();
    await rig.clock.advance(1_500);
    await ended;
    await close();
  });

  it("says little as a leader follows another, and what that one still says counts no more", async () => {
    const { begin, tell, holds, asks, close } = aRig();
    const old = begin(1);
    await tell(old, worldWith());
    const next = begin(2);
    expect(await tell(next, worldWith())).toEqual(["a: ", "b: "]);
    expect(asks, "they hold the same").toEqual([]);
    await tell(old, worldWith("unhealthy"));
    expect(holds("a")[1]).toBe("acme 10.128.0.2 10.128.16.3");
    await close();
  });

  it("comes in several messages where one has no room, and names the tenant that no message takes", async () => {
    const many = worldWith();
    const aliases = Array.from({ length: 16 }, (_, at) => `alias-${at}-${"x".repeat(60)}`);
    const release = aRelease();
    const networks = [{ name: "default", aliases, isInternal: false }];
    const releases = [{ ...release, spec: { ...release.spec, networks } }, many.releases[1]!];
    const small = aRig();
    expect(await small.tell(small.begin(1, 1_500), { ...many, releases })).toEqual(["a: ", "b: "]);
    expect(small.holds("b")).toEqual(["2 nodes", "other 10.128.16.2"]);
    expect(small.said.map(one => `${one.kind} ${one.tenantId}`)).toEqual(["network.names-left-out acme"]);
    await small.close();
    const larger = aRig();
    await larger.tell(larger.begin(1, 2_360), { ...many, releases });
    expect(larger.asks.filter(one => one === "b").length).toBeGreaterThan(1);
    expect(larger.holds("b")).toHaveLength(3);
    await larger.close();
  });
});
