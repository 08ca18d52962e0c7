import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import type { ContainerSpec } from "@skep/core/model/deployment.ts";
import { expect, test } from "vitest";
import { engineContract } from "./engine.contract.ts";
import { EngineError } from "./errors.ts";
import type { ExecRequest } from "./engine.ts";
import type { MemoryCommand } from "./memory-exec.ts";
import type { MemoryProgram } from "./memory-container.ts";
import { MemoryEngine } from "./memory.ts";
import { someFacts } from "../testing/facts.ts";

/** Plays the few programs of the contract: `sleep N`, and `sh -c` of echo, sleep and exit. */
function program(container: ContainerSpec): MemoryProgram {
  const script = (container.command ?? []).join(" ");
  const exit = /exit (\d+)/.exec(script)?.[1];
  return {
    lines: [...script.matchAll(/echo (\w+)/g)].map(match => match[1] ?? ""),
    runsMs: exit === undefined ? undefined : Number(/sleep (\d+)/.exec(script)?.[1] ?? 0) * 1_000,
    exitCode: Number(exit ?? 0),
  };
}

/** Plays the few commands of the contract: `true`, `cat`, and `sh -c` of echo, sleep and exit. */
function command({ argv, stdin }: ExecRequest): MemoryCommand | undefined {
  const [program = "", , script = ""] = argv;
  if (program === "cat") return { output: [["stdout", stdin]], runsMs: 0, exitCode: 0 };
  if (program !== "true" && program !== "sh") return undefined;
  return {
    output: [...script.matchAll(/echo (\w+)( >&2)?/g)].map(([, word, err]) => [
      err === undefined ? "stdout" : "stderr",
      `${word}\n`,
    ]),
    runsMs: Number(/sleep (\d+)/.exec(script)?.[1] ?? 0) * 1_000,
    exitCode: Number(/exit (\d+)/.exec(script)?.[1] ?? 0),
  };
}

engineContract("the twin in memory", async () => {
  const clock = createVirtualClock(1_700_000_000_000);
  const engine = new MemoryEngine({
    clock,
    facts: someFacts(),
    registry: new Set(),
    images: ["box"],
    programs: program,
    commands: command,
  });
  return {
    engine,
    image: "box",
    unknownImage: "nothing",
    ports: [20_001, 20_002],
    within: async promise => {
      let ended = false;
      const end = (): void => {
        ended = true;
      };
      promise.then(end, end);
      while (!ended) {
        await clock.advance(50);
        await new Promise(resolve => setTimeout(resolve, 0));
      }
      return promise;
    },
    removeOutside: async id => engine.removeOutside(id),
    close: async () => {},
  };
});

test("a container that hangs makes only its own calls wait", async () => {
  const clock = createVirtualClock();
  const engine = new MemoryEngine({ clock, facts: someFacts(), registry: new Set() });
  const stuck = engine.plant({ "skep.instance": "a.b.1" });
  const fine = engine.plant({ "skep.instance": "a.b.2" });
  engine.hang(stuck, true);
  let outcome: unknown;
  void engine.stop(stuck, 0).catch((error: unknown) => {
    outcome = error;
  });
  void engine.stop(fine, 0);
  await clock.advance(1_000);
  expect(engine.containers().map(container => container.state)).toEqual(["running", "exited"]);
  await clock.advance(10_000);
  expect(outcome).toBeInstanceOf(EngineError);
});
