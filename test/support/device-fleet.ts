import { fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Db } from "mongodb";
import type { DeviceAnswer, DeviceOrder, SentDevice } from "./device-fleet-process.ts";
import { eventually } from "./eventually.ts";

/** Devices that publish numbers, in a process of their own. */
export interface DeviceFleet {
  count(): Promise<DeviceAnswer>;
  /** Resolves when so many more numbers of all devices have their PUBACK. */
  goesOn(more: number, withinMs?: number): Promise<void>;
  /** Rejects where any of them has a PUBACK within this time. */
  waits(ms: number): Promise<void>;
  /** Ends them; resolves with what has its PUBACK once all that was sent has. */
  end(withinMs?: number): Promise<DeviceAnswer>;
  /** Ends the process, whatever is under way. */
  kill(): void;
}

/**
 * Starts them at a port, each to publish one number each `everyMs`; resolves when all are
 * connected. Where there are several hosts a device takes the next one after each failure.
 */
export async function startDeviceFleet(
  port: number,
  devices: readonly SentDevice[],
  everyMs: number,
  hosts: readonly string[] = ["127.0.0.1"],
): Promise<DeviceFleet> {
  const child = fork(join(import.meta.dirname, "device-fleet-process.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const tell = (order: DeviceOrder): void => void child.send(order);
  async function answered(order: DeviceOrder, withinMs: number): Promise<DeviceAnswer> {
    const ending = new AbortController();
    const late = AbortSignal.any([ending.signal, AbortSignal.timeout(withinMs)]);
    try {
      return await new Promise((resolve, reject) => {
        const ended = (code: number | null): void => reject(new Error(`the devices' process ended with ${code}`));
        child.once("exit", ended);
        child.once("message", (answer: unknown) => {
          child.off("exit", ended);
          resolve(answer as DeviceAnswer);
        });
        late.addEventListener("abort", () => reject(new Error(`devices had no PUBACK within ${withinMs} ms`)));
        tell(order);
      });
    } finally {
      ending.abort();
    }
  }
  const count = (): Promise<DeviceAnswer> => answered({ kind: "count" }, 10_000);
  tell({ kind: "begin", port, hosts, devices, everyMs });
  await eventually(async () => {
    const { connected, refused } = await count();
    if (connected !== devices.length) throw new Error(`${connected} devices are connected, ${refused} refused`);
  }, 60_000);
  return {
    count,
    goesOn: async (more, withinMs = 60_000) => {
      const before = sum((await count()).acknowledged);
      await eventually(async () => {
        const now = sum((await count()).acknowledged);
        if (now < before + more) throw new Error(`only ${now - before} of ${more} more numbers have their PUBACK`);
      }, withinMs);
    },
    waits: async ms => {
      const before = sum((await count()).acknowledged);
      await sleep(ms);
      const more = sum((await count()).acknowledged) - before;
      if (more > 0) throw new Error(`${more} numbers have their PUBACK, though nobody stores them`);
    },
    end: (withinMs = 60_000) => answered({ kind: "end" }, withinMs),
    kill: () => void child.kill("SIGKILL"),
  };
}

/** What of the numbers of devices is stored. */
export interface StoredNumbers {
  /** Documents, and how many of them are of a number that another one has too. */
  readonly documents: number;
  readonly doubled: number;
  /** Numbers with a PUBACK that are not stored, and stored ones without. */
  readonly missing: number;
  readonly unacknowledged: number;
}

/** Compares what has a PUBACK with what a majority of a workspace's database has. */
export async function storedNumbers(
  db: Db,
  devices: readonly SentDevice[],
  acknowledged: readonly number[],
): Promise<StoredNumbers> {
  const messages = db.collection("messages", { readConcern: { level: "majority" } });
  const stored = new Map<string, ReadonlySet<number>>();
  let documents = 0;
  let doubled = 0;
  const found = messages.aggregate<{ _id: string; numbers: number[] }>([
    { $group: { _id: "$deviceId", numbers: { $push: "$value.n" } } },
  ]);
  for await (const { _id, numbers } of found) {
    const distinct = new Set(numbers);
    stored.set(_id, distinct);
    documents += numbers.length;
    doubled += numbers.length - distinct.size;
  }
  let missing = 0;
  let unacknowledged = 0;
  for (const [index, { user }] of devices.entries()) {
    const numbers = stored.get(user.split("/").at(-1) ?? "") ?? new Set();
    const most = acknowledged[index] ?? 0;
    for (let number = 0; number < most; number += 1) if (!numbers.has(number)) missing += 1;
    unacknowledged += [...numbers].filter(number => number >= most).length;
  }
  return { documents, doubled, missing, unacknowledged };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
