import { aDeployment, aLocation, aRelease, anInstance } from "../testing/builders.ts";
import type { InstanceRecord, Location } from "../model/instance.ts";
import { describe, expect, it } from "vitest";
import { deploymentStatus } from "./status.ts";

const record = { deployment: aDeployment({ replicas: 2, release: 2 }), release: aRelease({ number: 2 }) };

function instance(
  serial: number,
  location?: Partial<Location>,
  over: Parameters<typeof anInstance>[0] = {},
): InstanceRecord {
  const id = `acme.web.${serial}`;
  const epoch = location === undefined ? 0 : 1;
  return {
    instance: anInstance({ id, release: 2, epoch, ...over }),
    locations: location === undefined ? [] : [aLocation({ instanceId: id, release: 2, ...location })],
  };
}

const status = (...records: InstanceRecord[]) => deploymentStatus(record, records, id => id.toUpperCase());

describe("deploymentStatus", () => {
  it("has converged when as many as wanted run and are well, and nothing old is left", () => {
    expect(status(instance(1, { health: "healthy" }), instance(2, {}))).toMatchObject({ converged: true, message: "" });
  });

  it.each([
    ["an instance without a node", [instance(1, {}), instance(2)], "1 of 2 wait for a node"],
    ["one that starts", [instance(1, {}), instance(2, { state: "starting" })], "1 of 2 start"],
    [
      "one whose health is not known yet",
      [instance(1, {}), instance(2, { health: "starting" })],
      "1 of 2 run and are not healthy",
    ],
    [
      "an old one that still runs",
      [instance(1, {}), instance(2, {}), instance(3, {}, { release: 1 })],
      "1 of before still leave",
    ],
    ["too many", [instance(1, {}), instance(2, {}), instance(3, {})], "1 more than wanted still run"],
  ])("has not converged with %s", (_, records, words) => {
    const found = status(...records);
    expect(found.converged).toBe(false);
    expect(found.message).toContain(words);
  });

  it("forgets old ones that have ended, and counts only the newest epoch", () => {
    const moved: InstanceRecord = {
      instance: anInstance({ id: "acme.web.1", release: 2, epoch: 2 }),
      locations: [aLocation({ epoch: 1, state: "lost" }), aLocation({ epoch: 2, state: "preparing" })],
    };
    const ended = instance(9, { state: "stopped" }, { release: 1, desired: "stop" });
    expect(status(moved, ended)).toMatchObject({ placed: 1, running: 0, leaving: 0 });
  });

  it("gives the reason of each trouble, with the node's name and the engine's words", () => {
    const refusal = {
      removed: [{ filter: "cpu", nodes: 3, sentence: "3 nodes have no cpu left" }],
      advice: "Add a node",
    };
    const found = status(
      instance(1, undefined, { refusal }),
      instance(2, { health: "unhealthy", message: "GET / gave 500" }),
    );
    expect(found.troubles.map(trouble => [trouble.sentence, trouble.advice])).toEqual([
      ["it fits on no node: 3 nodes have no cpu left", "Add a node"],
      ["it is unhealthy on node NODE-1: GET / gave 500", "Look at its logs and at its health check"],
    ]);
  });

  it("wants nothing of a stopped deployment", () => {
    const stopped = { ...record, deployment: { ...record.deployment, desired: "stopped" as const } };
    expect(deploymentStatus(stopped, [], id => id)).toMatchObject({ wanted: 0, converged: true });
  });
});
