import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, Measurement } from "./measurement.ts";
import type { EmitAnswer, EmitRequest } from "./p14-server.ts";
import type { SocketsRequest } from "./p14-sockets.ts";
import { rate, significant, type Result } from "./result.ts";
import { interleave } from "./rounds.ts";
import { median } from "./statistics.ts";

const GOAL_RATE = 50_000;
const GOAL_US = 12;
const EVENTS_PER_SECOND = 5_000;
const SOCKETS = 500;
/** Each event is of one device, which ten sockets asked for: a hundred a second for each. */
const DEVICES = 50;
const ROUND_MS = 4_000;

/** Deliveries to sockets while events are emitted as fast as ingest hands them on. */
export const p14: Measurement = {
  name: "P14",
  title: "deliveries to sockets at 5,000 events a second, against bare rooms of Socket.IO",
  run: async bench => {
    const [server, sockets] = [start(bench, "p14-server.ts"), start(bench, "p14-sockets.ts")];
    const ports = await answer<{ readonly ours: number; readonly bare: number }>(server);
    const topics = Array.from({ length: SOCKETS }, (_, index) => `devices/d${index % DEVICES}/telemetry`);
    const hello = (topic: string): readonly string[] => [
      `40/ws/load,{"secret":"sk_of_the_load"}`,
      `42/ws/load,1["subscribe","${topic}"]`,
    ];
    await open(
      sockets,
      "ours",
      ports.ours,
      topics.map(topic => hello(`${topic}/#`)),
    );
    await open(
      sockets,
      "bare",
      ports.bare,
      topics.map(topic => hello(`${topic}/sensors`)),
    );
    const rates = { ours: [] as number[], bare: [] as number[] };
    const lost: number[] = [];
    const one = async (name: "ours" | "bare", round: number): Promise<number> => {
      const before = await count(sockets, name);
      const request: EmitRequest = { emit: name, perSecond: EVENTS_PER_SECOND, ms: ROUND_MS, devices: DEVICES };
      const { emitted, processorUs } = await ask<EmitAnswer>(server, request);
      await sleep(200);
      const delivered = (await count(sockets, name)) - before;
      if (round >= 0) {
        rates[name].push((delivered / ROUND_MS) * 1_000);
        if (name === "ours") lost.push((emitted * SOCKETS) / DEVICES - delivered);
      }
      return processorUs / delivered;
    };
    const us = await interleave(
      bench.rounds(5),
      { ours: round => one("ours", round), bare: round => one("bare", round) },
      true,
    );
    const [ours, bare] = [median(us.ours), median(us.bare)];
    bench.say(`processor time per delivery: ${significant(ours)} us, of a bare room ${significant(bare)} us`);
    bench.say(`worst round ${significant(Math.max(...us.ours))} us; events that sockets missed: ${Math.max(...lost)}`);
    return judge(median(rates.ours), ours, median(rates.bare), bare);
  },
};

function judge(perSecond: number, us: number, bareRate: number, bareUs: number): Result {
  // A round ends between two events: the last of them is not worth a "short".
  const holds = perSecond >= GOAL_RATE * 0.999 && us <= GOAL_US;
  return {
    value: `${rate(perSecond)},${significant(us)}us`,
    baseline: `bare-room:${rate(bareRate)},${significant(bareUs)}us`,
    ratio: us / bareUs,
    goal: `>=${GOAL_RATE}/s,<=${GOAL_US}us`,
    holds,
    because: holds
      ? undefined
      : "A delivery is one write to a socket, and most of its time is the kernel's. Sockets, server and whoever counts share two cores. Writing several events of a batch at once would change it.",
  };
}

function start(bench: Bench, file: string): ChildProcess {
  const child = fork(join(import.meta.dirname, file), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  bench.defer(file, async () => void child.kill());
  return child;
}

function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a process of the measurement ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (message: unknown) => {
      child.off("exit", ended);
      resolve(message as T);
    });
  });
}

async function ask<T>(child: ChildProcess, request: object): Promise<T> {
  const answered = answer<T>(child);
  child.send(request);
  return await answered;
}

async function open(
  sockets: ChildProcess,
  name: string,
  port: number,
  hellos: readonly (readonly string[])[],
): Promise<void> {
  await ask(sockets, { open: name, port, hellos } satisfies SocketsRequest);
}

async function count(sockets: ChildProcess, name: string): Promise<number> {
  const { told } = await ask<{ readonly told: number }>(sockets, { count: name } satisfies SocketsRequest);
  return told;
}
