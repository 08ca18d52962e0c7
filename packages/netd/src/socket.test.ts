import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { NetService } from "@skep/api/gen/skep/v1/net_pb.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createLoops } from "@skep/kit/loops.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKeeper, type Keeper } from "./keeper.ts";
import { createMemoryKernel } from "./kernel/memory.ts";
import { listenOnSocket } from "./socket.ts";
import { createMemoryState } from "./state/kept-state.ts";
import { fullMessage } from "./testing/states.ts";

let dir: string;
let keeper: Keeper;
let socket: { close(): Promise<void> };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "skep-netd-"));
  const [clock, log] = [createVirtualClock(), createRecordingLog()];
  const loops = createLoops({ clock, log, random: () => 0.5 });
  const kernel = createMemoryKernel(["/run/netns/one"]);
  keeper = await createKeeper({ kernel, kept: createMemoryState(), clock, log, loops });
  // What a process leaves that was killed.
  await writeFile(join(dir, "netd.sock"), "");
  socket = await listenOnSocket(join(dir, "netd.sock"), keeper);
});

afterEach(async () => {
  await socket.close();
  await keeper.close();
  await rm(dir, { recursive: true });
});

function client() {
  const nodeOptions = { socketPath: join(dir, "netd.sock") };
  return createClient(NetService, createConnectTransport({ baseUrl: "http://netd", httpVersion: "1.1", nodeOptions }));
}

const state = () => fullMessage(["/run/netns/one", "/run/netns/gone"]);

describe("the socket of netd", () => {
  it("is for its group alone", async () => {
    expect((await stat(join(dir, "netd.sock"))).mode & 0o777).toBe(0o660);
  });

  it("takes a state, and answers what was done and what was not", async () => {
    const { revision, done, faults } = await client().apply({ state: state() });
    expect(revision).toBe(1n);
    expect(done).toContain("put-table");
    expect(faults).toMatchObject([{ reason: "attachment-failed", instanceId: "b1", epoch: 1 }]);
    expect(await client().inspect({})).toMatchObject({ revision: 1n, sessionId: "session", repairs: 0n });
  });

  it("refuses a state in the words of its kind", async () => {
    await expect(client().apply({ state: { ...state(), pool: "none" } })).rejects.toThrow("[invalid_argument]");
    await expect(client().apply({})).rejects.toThrow("[invalid_argument] No state was sent");
  });

  it("refuses a state that only a newer netd may act on", async () => {
    const newer = { ...state(), minReaderVersion: 99 };
    await expect(client().apply({ state: newer })).rejects.toThrow("update netd first");
    expect((await client().inspect({})).revision).toBe(0n);
  });
});
