import { expect, test } from "vitest";
import { EMPTY_MEMORY, noteBoot } from "./memory.ts";
import { aContainer, aSpec } from "../testing/builders.ts";
import { ToyNode } from "../testing/toy-node.ts";

const ONCE = aSpec({ restart: { condition: "on-failure" } });

function end(node: ToyNode, exitCode = 0): ToyNode {
  return node.edit("app", { state: "exited", exitCode, finishedAt: node.now });
}

/** The agent begins anew, and knows nothing of before. */
function restart(node: ToyNode): void {
  node.memory = EMPTY_MEMORY;
}

function keep(node: ToyNode): void {
  const { assignment } = node;
  node.assignment = { ...assignment!, instances: assignment!.instances.map(one => ({ ...one, desired: "keep" })) };
}

const stateOf = (node: ToyNode): string | undefined => node.settle().statuses[0]?.state;

test("what ended with 0 before its agent came up may have been ended by the engine: it runs again, unless it is to run once", () => {
  const [service, job, once] = [
    new ToyNode(ONCE),
    new ToyNode({ ...ONCE, mode: "replicated-job" }),
    new ToyNode(aSpec({ restart: { condition: "none" } })),
  ];
  for (const node of [service, job, once]) {
    node.settle();
    end(node.pass(1000));
    restart(node);
    node.memory = noteBoot(node.memory, node.observed);
    node.confirmed = false;
    expect(stateOf(node)).toBe("assigned");
    node.confirmed = true;
    node.settle();
    node.pass(60_000);
  }
  expect([service, job, once].map(stateOf)).toEqual(["running", "completed", "completed"]);
  // From here on its agent has seen it run.
  expect(stateOf(end(service.pass(1000)))).toBe("completed");
});

test("what its agent saw end with 0 stays ended, however long", () => {
  const node = new ToyNode(ONCE);
  node.settle();
  end(node.pass(1000));
  for (let at = 0; at < 5; at++) expect(stateOf(node.pass(600_000))).toBe("completed");
});

test("what is kept is neither made nor started again, whatever becomes of its containers and its agent", () => {
  const node = new ToyNode(ONCE);
  node.settle();
  end(node.pass(1000));
  keep(node);
  restart(node);
  expect(stateOf(node)).toBe("completed");
  expect(node.observed.containers).toHaveLength(1);
  node.edit("app", { specHash: "of an agent before" });
  expect(node.settle().steps).toEqual([]);
  node.drop();
  expect(node.pass(600_000).settle().statuses).toMatchObject([{ state: "completed", containers: [] }]);
  expect(node.observed.containers).toEqual([]);
});

test("what is kept after it failed is said to have failed, and with which exit code", () => {
  const node = new ToyNode(aSpec({ restart: { condition: "none" } }));
  node.settle();
  end(node, 3);
  keep(node);
  expect(node.settle().statuses[0]).toMatchObject({
    state: "failed",
    message: "app is given up: it ended with exit code 3",
  });
});

test("a pod is completed once all of its containers are, and then nothing of it runs on", () => {
  const node = new ToyNode(aSpec({ ...ONCE, containers: [aContainer(), aContainer({ name: "side" })] }));
  node.settle();
  expect(stateOf(end(node))).toBe("running");
  node.edit("side", { state: "exited", exitCode: 0, finishedAt: node.now });
  expect(stateOf(node)).toBe("completed");
  keep(node);
  expect(stateOf(node)).toBe("completed");
  expect(node.observed.containers.map(one => one.state)).toEqual(["exited", "exited", "exited"]);
});
