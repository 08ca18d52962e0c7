import { fork } from "node:child_process";
import { join } from "node:path";
import { startChild } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import type { MosquittoServer } from "../support/mosquitto-server.ts";
import { processorMs } from "../support/processor.ts";
import { referencePackages } from "./p13-python.ts";

/** What takes messages from the broker and stores them, in a process of its own. */
export interface Gateway {
  /** How many it says that it has stored; `undefined` where it does not say. */
  stored(): number | undefined;
  processorMs(): number;
  close(): Promise<void>;
}

/** Our own; without a database it stores at once. Resolves when it reads. */
export async function startOurs(broker: MosquittoServer, mongoUrl?: string): Promise<Gateway> {
  const args = [broker.url, ...(mongoUrl === undefined ? [] : [mongoUrl])];
  const child = fork(join(import.meta.dirname, "p13-gateway.ts"), args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const said = { stored: 0, state: "" };
  child.on("message", message => void Object.assign(said, message));
  const ended = new Promise<void>(resolve => child.once("exit", () => resolve()));
  await eventually(() => {
    if (child.exitCode !== null) throw new Error("our gateway has ended");
    if (said.state !== "connected") throw new Error("our gateway does not read yet");
  }, 30_000);
  return {
    stored: () => said.stored,
    processorMs: () => processorMs(child.pid ?? 0),
    close: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The reference of R207 to R211. Resolves when it reads. */
export async function startReference(broker: MosquittoServer, mongoUrl: string): Promise<Gateway> {
  const program = join(import.meta.dirname, "p13-mongogw.py");
  const args = [program, "-b", "127.0.0.1", "-p", String(broker.port), "-m", mongoUrl];
  const env = { ...process.env, PYTHONPATH: await referencePackages() };
  const child = startChild("python3", args, { env });
  await eventually(() => {
    if (child.output().includes("subscribed")) return;
    throw new Error(`the reference gateway does not read: ${child.output()}`);
  }, 30_000);
  return {
    stored: () => undefined,
    processorMs: () => processorMs(child.process.pid ?? 0),
    close: () => child.end("SIGKILL"),
  };
}
