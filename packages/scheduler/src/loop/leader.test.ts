import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRig, type Rig } from "../testing/rig.ts";
import { createLeader, type Leader, type Leadership } from "./leader.ts";

const TTL_MS = 3_000;

let rig: Rig;
let leaders: Leader[];
let began: string[];
let leaderships: Leadership[];

beforeEach(() => {
  rig = createRig();
  [leaders, began, leaderships] = [[], [], []];
});
afterEach(async () => {
  rig.database.heal();
  rig.database.setPolicy(() => ({ delayMs: 0, lost: "no" }));
  const closing = Promise.all(leaders.map(leader => leader.close()));
  await rig.clock.advance(120_000);
  await closing;
});

function begin(name: string): Leader {
  const leader = createLeader(rig.ports(name), {
    holder: name,
    ttlMs: TTL_MS,
    lead: leadership => {
      began.push(`${name} begins ${leadership.term}`);
      leaderships.push(leadership);
      return {
        close: async () => {
          // A loop may take its time to end; the next term waits for it.
          await rig.clock.sleep(10);
          began.push(`${name} ends ${leadership.term}`);
        },
      };
    },
  });
  leaders.push(leader);
  return leader;
}

describe("a leader", () => {
  it("leads alone and keeps its term while it renews", async () => {
    const [a, b] = [begin("a"), begin("b")];
    await rig.clock.advance(60_000);
    expect([a.term(), b.term()].filter(term => term !== undefined)).toEqual([1]);
    expect(began).toEqual(["a begins 1"]);
  });

  it("is followed within the lease's time when it dies", async () => {
    begin("a");
    const b = begin("b");
    await rig.clock.advance(1_000);
    rig.database.cut("a");
    expect(await rig.clock.runUntil(() => b.term() !== undefined, TTL_MS + 100)).toBe(true);
    expect(b.term()).toBe(2);
  });

  it("is followed soon though the database's clock was set back as it died", async () => {
    begin("a");
    const b = begin("b");
    await rig.clock.advance(1_000);
    rig.database.cut("a");
    rig.database.records.lease!.expiresAt += 3_600_000;
    expect(await rig.clock.runUntil(() => b.term() !== undefined, 2 * TTL_MS)).toBe(true);
    expect(b.term()).toBe(2);
  });

  it("is not followed while it renews, however far away its lease's end is", async () => {
    const a = begin("a");
    begin("b");
    await rig.clock.advance(1_000);
    for (let second = 0; second < 20; second++) {
      rig.database.records.lease!.expiresAt += 3_600_000;
      await rig.clock.advance(1_000);
    }
    expect(a.term()).toBe(1);
    expect(began).toEqual(["a begins 1"]);
  });

  it("steps down by its own clock before anybody else can lead", async () => {
    const a = begin("a");
    const b = begin("b");
    await rig.clock.advance(1_000);
    rig.database.setPolicy(name => (name === "a" ? { delayMs: 60_000, lost: "no" } : { delayMs: 0, lost: "no" }));
    let together = false;
    await rig.clock.runUntil(() => {
      together ||= a.term() !== undefined && b.term() !== undefined;
      return b.term() !== undefined;
    }, 10_000);
    expect(b.term()).toBe(2);
    expect(together).toBe(false);
    expect(leaderships[0]?.holds()).toBe(false);
  });

  it("does not lead on a renewal whose answer came too late", async () => {
    rig.database.setPolicy(() => ({ delayMs: TTL_MS + 1, lost: "no" }));
    const a = begin("a");
    await rig.clock.advance(20_000);
    expect(a.term()).toBeUndefined();
    expect(began).toEqual([]);
  });

  it("ends the loops of one term before those of the next begin", async () => {
    const a = begin("a");
    await rig.clock.advance(100);
    rig.database.cut("a");
    await rig.clock.advance(TTL_MS + 1_000);
    expect(a.term()).toBeUndefined();
    const other = rig.database.connect("other");
    await other.takeLease("other", 10);
    await rig.clock.advance(20);
    rig.database.heal("a");
    expect(await rig.clock.runUntil(() => a.term() !== undefined, 5_000)).toBe(true);
    expect(began).toEqual(["a begins 1", "a ends 1", "a begins 3"]);
  });

  it("gives the lease back when it stops, so that a follower need not wait", async () => {
    const a = begin("a");
    const b = begin("b");
    await rig.clock.advance(1_000);
    const closing = a.close();
    await rig.clock.advance(50);
    await closing;
    expect(await rig.clock.runUntil(() => b.term() !== undefined, TTL_MS / 3 + 100)).toBe(true);
  });

  it("says once that the database is away and once that it is back", async () => {
    begin("a");
    await rig.clock.advance(100);
    rig.database.cut();
    await rig.clock.advance(30_000);
    rig.database.heal();
    await rig.clock.advance(2_000);
    const said = rig.lines.filter(line => line.fields.loop === "leader").map(line => line.event);
    expect(said).toEqual(["loop.failed", "loop.recovered"]);
  });
});
