import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ensurePrograms } from "@skep/devswarm/prerequisites.ts";
import { runOk } from "@skep/devswarm/command.ts";
import { createLinuxKernel } from "@skep/netd/kernel/linux.ts";
import type { Kernel } from "@skep/netd/kernel/kernel.ts";
import type { Order } from "./net-speaker.ts";

/**
 * Nodes, sandboxes and the world around them as network namespaces of this machine, on a wire of
 * their own. Their names bear this process, and those of processes that are gone are removed.
 */

const PREFIX = "skep-net-";
const ENTER = "nsenter";
const WHERE = "/run/netns";

/** A program that speaks in a namespace. */
export interface Speaker {
  /** What was answered: `NAME saw ADDRESS`, an error code, or `silence`. */
  tell(order: Order): Promise<string>;
  close(): Promise<void>;
}

/** A node: a namespace on the wire. */
export interface RigNode {
  readonly address: string;
  /** A kernel that remembers nothing, as a program finds it that begins. */
  newKernel(): Kernel;
  /** A command line that runs a program in its namespace. */
  argv(...argv: readonly string[]): readonly string[];
  /** Runs a program in its namespace; answers what it printed. */
  run(argv: readonly string[], input?: string): Promise<string>;
}

/** The whole of it. */
export interface NetRig {
  readonly nodes: readonly RigNode[];
  /** A namespace with nothing in it but a loopback; answers its path. */
  sandbox(name: string): Promise<string>;
  removeSandbox(name: string): Promise<void>;
  /** Begins a program in any of the namespaces. */
  speakIn(name: string, ...ports: readonly string[]): Promise<Speaker>;
  /** Lines of `ip -batch` in any of them. */
  ip(name: string, ...lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Addresses outside: one of the internet, a cloud's metadata, and a service of the operator's. */
export const OUTSIDE = { internet: "45.33.0.10", metadata: "169.254.169.254", operator: "10.50.0.5" } as const;

/** Lays the wire, with so many nodes on it. */
export async function openNetRig(count: number): Promise<NetRig> {
  await ensurePrograms(
    () => undefined,
    [
      { program: "nft", package: "nftables" },
      { program: "conntrack", package: "conntrack" },
    ],
  );
  await removeLeftovers();
  const name = (short: string): string => `${PREFIX}${process.pid}-${short}`;
  const made = new Set<string>();
  const speakers = new Set<Speaker>();
  const add = async (short: string): Promise<string> => {
    await runOk(["ip", "netns", "add", name(short)]);
    made.add(short);
    await ipIn(name(short), ["link set lo up"]);
    return join(WHERE, name(short));
  };
  const speakIn = async (short: string, ...ports: readonly string[]): Promise<Speaker> => {
    const speaker = await speak(join(WHERE, name(short)), short, ports);
    speakers.add(speaker);
    return speaker;
  };
  await add("wire");
  await ipIn(name("wire"), ["link add br0 type bridge forward_delay 0", "link set br0 up"]);
  const plug = async (short: string, address: string, more: readonly string[]): Promise<void> => {
    await add(short);
    await ipIn(name("wire"), [
      `link add ${short} type veth peer name eth0 netns ${name(short)}`,
      `link set ${short} master br0 up`,
    ]);
    await ipIn(name(short), [`address add ${address}/24 dev eth0`, "link set eth0 up", ...more]);
  };
  await plug(
    "world",
    "198.18.0.1",
    Object.values(OUTSIDE).map(one => `address add ${one}/32 dev lo`),
  );
  const nodes = await Promise.all(
    Array.from({ length: count }, async (_, index): Promise<RigNode> => {
      const short = `node${index + 1}`;
      const address = `198.18.0.${index + 11}`;
      await plug(short, address, ["route add default via 198.18.0.1"]);
      const within = [ENTER, `--net=${join(WHERE, name(short))}`];
      return {
        address,
        newKernel: () => createLinuxKernel({ within }),
        argv: (...argv) => [...within, ...argv],
        run: (argv, input = "") => runOk([...within, ...argv], { input }),
      };
    }),
  );
  const remove = async (short: string): Promise<void> => {
    made.delete(short);
    await runOk(["ip", "netns", "delete", name(short)]);
  };
  return {
    nodes,
    sandbox: add,
    removeSandbox: remove,
    speakIn,
    ip: (short, ...lines) => ipIn(name(short), lines),
    close: async () => {
      await Promise.all([...speakers].map(speaker => speaker.close()));
      await Promise.all([...made].map(remove));
    },
  };
}

async function ipIn(namespace: string, lines: readonly string[]): Promise<void> {
  await runOk(["ip", "-n", namespace, "-batch", "-"], { input: lines.join("\n") });
}

async function removeLeftovers(): Promise<void> {
  const names = existsSync(WHERE) ? readdirSync(WHERE).filter(name => name.startsWith(PREFIX)) : [];
  const gone = names.filter(name => !existsSync(`/proc/${name.slice(PREFIX.length).split("-")[0]}`));
  for (const each of gone) await runOk(["ip", "netns", "delete", each]);
}

async function speak(path: string, name: string, ports: readonly string[]): Promise<Speaker> {
  const program = join(import.meta.dirname, "net-speaker.ts");
  const argv = [`--net=${path}`, process.execPath, program, name, ...ports];
  const child = spawn(ENTER, argv, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, (answer: string) => void>();
  let next = 0;
  await new Promise<void>((resolve, reject) => {
    child.once("exit", code => reject(new Error(`The speaker ${name} ended with ${code}.`)));
    createInterface({ input: child.stdout }).on("line", line => {
      if (line === "listening") return resolve();
      const { id, answer } = JSON.parse(line) as { readonly id: number; readonly answer: string };
      waiting.get(id)?.(answer);
      waiting.delete(id);
    });
  });
  return {
    tell: order =>
      new Promise(resolve => {
        const id = next++;
        waiting.set(id, resolve);
        child.stdin.write(`${JSON.stringify({ id, ...order })}\n`);
      }),
    close: () => ended(child),
  };
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve();
  return new Promise(resolve => {
    child.once("exit", () => resolve());
    child.stdin?.end();
  });
}
