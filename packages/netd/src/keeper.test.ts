import { createRecordingLog } from "@skep/kit/log.ts";
import { createLoops } from "@skep/kit/loops.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { describe, expect, it } from "vitest";
import { createKeeper, type Keeper } from "./keeper.ts";
import { createMemoryKernel, type MemoryKernel } from "./kernel/memory.ts";
import { after } from "./plan/after.ts";
import { createMemoryState, type KeptState } from "./state/kept-state.ts";
import { fullMessage, message } from "./testing/states.ts";

const NAMESPACES = ["/run/netns/one", "/run/netns/two"] as const;

async function begin(kernel: MemoryKernel = createMemoryKernel(NAMESPACES), kept: KeptState = createMemoryState()) {
  const clock = createVirtualClock();
  const log = createRecordingLog();
  const loops = createLoops({ clock, log, random: () => 0.5 });
  const heard: number[] = [];
  const onTold = ({ revision }: { readonly revision: number }): void => void heard.push(revision);
  const keeper: Keeper = await createKeeper({ kernel, kept, clock, log, loops, onTold });
  const events = (): readonly string[] => log.lines.map(line => line.event);
  return { clock, kernel, kept, keeper, events, heard };
}

const told = (change: object = {}) => ({ ...fullMessage(NAMESPACES), ...change });

describe("a keeper", () => {
  it("passes each state on, and as it begins the one that it kept", async () => {
    const { keeper, kept, heard } = await begin();
    await keeper.apply(told());
    await keeper.apply(told({ revision: 2n }));
    expect(heard).toEqual([1, 2]);
    expect((await begin(undefined, kept)).heard).toEqual([2]);
  });

  it("makes what it is told, and does nothing for the same again", async () => {
    const { keeper } = await begin();
    const first = await keeper.apply(told());
    expect(first.faults).toEqual([]);
    expect(first.done.length).toBeGreaterThan(10);
    expect((await keeper.apply(told({ revision: 2n }))).done).toEqual([]);
    expect(keeper.inspect()).toMatchObject({ revision: 2, sessionId: "session", repairs: 0 });
  });

  it("refuses what its session told before something newer, and takes a new session's", async () => {
    const { keeper } = await begin();
    await keeper.apply(told({ revision: 5n }));
    await expect(keeper.apply(told({ revision: 4n }))).rejects.toThrow("older than 5");
    expect((await keeper.apply(told({ revision: 1n, sessionId: "next" }))).revision).toBe(1);
  });

  it("makes the latest of what is told at once, and answers all by it", async () => {
    const { keeper, kernel } = await begin();
    const states = [told(), told({ revision: 2n, attachments: [] }), told({ revision: 3n })];
    const answers = await Promise.all(states.map(state => keeper.apply(state)));
    expect(answers.map(answer => answer.revision)).toEqual([3, 3, 3]);
    expect(answers[2]?.done).toEqual(answers[0]?.done);
    expect(kernel.taken.filter(step => step.kind === "put-table")).toHaveLength(1);
    expect(kernel.taken.filter(step => step.kind === "remove-link")).toEqual([]);
    await expect(keeper.apply(told({ revision: 2n }))).rejects.toThrow("older than 3");
  });

  it("keeps what it works by when it refuses a state", async () => {
    const { keeper, kept } = await begin();
    await keeper.apply(told());
    await expect(keeper.apply(told({ revision: 2n, pool: "none" }))).rejects.toThrow("the pool");
    expect((await kept.read())?.revision).toBe(1n);
  });

  it("puts back what was changed, says so once, and counts it", async () => {
    const { keeper, kernel, clock, events } = await begin();
    await keeper.apply(told());
    const before = kernel.plane;
    kernel.plane = { ...before, routes: new Map(), ruleset: undefined };
    kernel.stir();
    await clock.advance(2_000);
    expect(kernel.plane).toEqual(before);
    expect(events().filter(event => event === "network.repaired")).toHaveLength(1);
    expect(keeper.inspect().repairs).toBeGreaterThan(0);
  });

  it("looks now and then though it heard nothing", async () => {
    const { keeper, kernel, clock } = await begin();
    await keeper.apply(told());
    await clock.advance(10_000);
    const before = kernel.plane;
    kernel.plane = { ...before, hasGateway: false };
    await clock.advance(6_000);
    expect(kernel.plane).toEqual(before);
  });

  it("goes on after a restart by what it kept, without the agent", async () => {
    const { keeper, kernel, kept } = await begin();
    await keeper.apply(told());
    await keeper.close();
    const before = kernel.plane;
    kernel.plane = { ...before, neighbours: new Map() };
    const again = await begin(kernel, kept);
    await again.clock.advance(1_000);
    expect(kernel.plane).toEqual(before);
    expect(again.keeper.inspect()).toMatchObject({ revision: 1, repairs: 0, faults: [] });
  });

  it("takes nothing down when it ends", async () => {
    const { keeper, kernel } = await begin();
    await keeper.apply(told());
    const before = kernel.plane;
    await keeper.close();
    expect(kernel.plane).toBe(before);
  });

  it("gives nobody a way while the walls cannot be put up", async () => {
    const { keeper, kernel, clock } = await begin();
    kernel.refuse = step => (step.kind === "put-table" ? "nft is not there" : undefined);
    const { faults } = await keeper.apply(told());
    expect(kernel.plane.links.size + kernel.plane.routes.size).toBe(0);
    expect(faults).toMatchObject([{ reason: "kernel" }]);
    kernel.refuse = () => undefined;
    await clock.advance(6_000);
    expect(kernel.plane.links.size).toBe(2);
    expect(keeper.inspect().faults).toEqual([]);
  });

  it("puts the whole table where the sets are not as it thought", async () => {
    const { keeper, kernel, clock } = await begin();
    await keeper.apply(told());
    await clock.advance(2_000);
    const { ruleset } = kernel.plane;
    kernel.plane = { ...kernel.plane, ruleset: { rules: ruleset!.rules, sets: new Map() } };
    const { faults } = await keeper.apply(told({ revision: 2n, remotes: [] }));
    expect(faults).toEqual([]);
    expect(kernel.plane.ruleset?.sets.get("members")?.size).toBe(3);
  });

  it("looks before it goes on after a step that failed half way", async () => {
    const { keeper, kernel, clock } = await begin();
    kernel.refuse = step => {
      if (step.kind === "add-link") kernel.plane = after(kernel.plane, [step]);
      return "link" in step ? "half done" : undefined;
    };
    expect((await keeper.apply(told())).faults).toHaveLength(2);
    await clock.advance(2_000);
    kernel.refuse = () => undefined;
    expect((await keeper.apply(told({ revision: 2n }))).faults).toEqual([]);
    expect([...kernel.plane.links.values()].map(link => link.isReady)).toEqual([true, true]);
  });

  it("names a sandbox that is gone, says so once, and says when it is over", async () => {
    const { keeper, kernel, clock, events } = await begin();
    await keeper.apply(told());
    kernel.end(NAMESPACES[1]);
    await clock.advance(20_000);
    expect(keeper.inspect().faults).toMatchObject([{ reason: "attachment-failed", instanceId: "b1", epoch: 1 }]);
    expect(events().filter(event => event === "network.fault")).toHaveLength(1);
    await keeper.apply(told({ revision: 2n, attachments: told().attachments.slice(0, 1) }));
    expect(keeper.inspect().faults).toEqual([]);
    expect(events()).toContain("network.recovered");
  });

  it("removes what is not told any more, and only what is ours", async () => {
    const { keeper, kernel } = await begin();
    kernel.plane = after(kernel.plane, [{ kind: "pass-docker" }]);
    await keeper.apply(told());
    await keeper.apply(message({ revision: 2n, peers: [] }));
    expect(kernel.plane.links.size + kernel.plane.neighbours.size).toBe(0);
    expect(kernel.plane.passesDocker).toBe(true);
  });
});
