import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startWorkspaceFleet, type HostProcess, type WorkspaceFleet } from "../support/workspace-fleet.ts";
import { DEVICES, startPublishing, WHOLE, type Publishing } from "./publishing.ts";

// Hosts that die or stand still, while 2,000 devices publish at QoS 1 through a gate.

let fleet: WorkspaceFleet;
const hosts = new Map<string, HostProcess>();
beforeAll(async () => {
  fleet = await startWorkspaceFleet({ hosts: 0 });
  await addHost();
  await addHost();
});
afterAll(() => fleet.close());

async function addHost(): Promise<void> {
  const host = await fleet.startHost();
  const [, id = ""] = /"hostId":"([^"]+)"/.exec(host.child.output()) ?? [];
  hosts.set(id, host);
}

async function ownerOf(
  workspaceId: string,
): Promise<{ readonly id: string; readonly epoch: bigint; readonly host: HostProcess }> {
  const { workspace } = await fleet.client.workspaces.getWorkspace({ workspaceId });
  const { hostId = "", epoch = 0n } = workspace?.location ?? {};
  const host = hosts.get(hostId);
  if (host === undefined) throw new Error(`${workspaceId} is at "${hostId}", which is no host of this test`);
  return { id: hostId, epoch, host };
}

/**
 * Resolves when the host of a later epoch has stored a message; answers how long that took, ms.
 */
async function takenOver({ id, db }: Publishing, epoch: bigint): Promise<number> {
  const from = performance.now();
  const since = new Date();
  await eventually(async () => expect((await ownerOf(id)).epoch).toBeGreaterThan(epoch), 30_000, 20);
  await eventually(
    async () => {
      const stored = await db
        .collection("messages")
        .findOne({ receivedAt: { $gt: new Date(since.getTime() + 2_500) } });
      expect(stored).not.toBeNull();
    },
    30_000,
    20,
  );
  return performance.now() - from;
}

test("a host that is killed is followed by another one within seconds, and nothing is lost or doubled", async () => {
  const publishing = await startPublishing(fleet, "dies");
  const { host, epoch } = await ownerOf("dies");
  host.child.process.kill("SIGKILL");
  const tookMs = await takenOver(publishing, epoch);
  console.log(`killed: the next host stored after ${Math.round(tookMs)} ms`);
  await publishing.sending.goesOn(3 * DEVICES);
  expect(await publishing.settled()).toMatchObject(WHOLE);
  await addHost();
});

test("a host that stands still past its lease reads nothing more when it goes on", async () => {
  const publishing = await startPublishing(fleet, "pauses");
  const { host, epoch } = await ownerOf("pauses");
  const { process: paused } = host.child;
  onTestFinished(() => void paused.kill("SIGCONT"));
  const pausedAt = new Date();
  paused.kill("SIGSTOP");
  await takenOver(publishing, epoch);
  const goesOn = new Date();
  paused.kill("SIGCONT");
  await publishing.sending.goesOn(5 * DEVICES);
  expect(await publishing.settled()).toMatchObject(WHOLE);
  // What was read since then has keys of one maker, and it is not the one of before.
  const makersOf = async (when: object): Promise<readonly string[]> => {
    const keys = await publishing.db
      .collection<{ _id: string }>("messages")
      .find({ receivedAt: when, _id: /\./ })
      .toArray();
    return [
      ...new Set(keys.filter(({ _id }) => !_id.startsWith("id.")).map(({ _id }) => _id.split(".")[1]!.slice(0, 8))),
    ];
  };
  const before = await makersOf({ $lt: pausedAt });
  const after = await makersOf({ $gt: goesOn });
  expect([before.length, after.length]).toEqual([1, 1]);
  expect(before).not.toContain(after[0]);
});
